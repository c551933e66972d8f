/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients without the library: what goes over the socket is what the test says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ring.h"

struct batch batch_new(uint32_t serial)
{
	return (struct batch){.header = {.version = RGBROKER_PROTOCOL_VERSION,
				      .opcode = RGBROKER_TRANSFER,
				      .serial = serial}};
}

struct rgbroker_operation *batch_add(struct batch *batch, uint8_t kind, bool read, uint8_t address,
	uint8_t command, uint16_t length, const void *data)
{
	struct rgbroker_operation *operation = &batch->operations[batch->header.count++];

	*operation = (struct rgbroker_operation){.kind = kind,
		.read = read,
		.address = address,
		.command = command,
		.length = length};
	if (!read && length) {
		memcpy(batch->data + batch->header.length, data, length);
		batch->header.length = (uint16_t)(batch->header.length + length);
	}
	return operation;
}

struct batch batch_write(uint32_t serial, uint8_t address, uint8_t command, uint8_t value)
{
	struct batch batch = batch_new(serial);

	batch_add(&batch, RGBROKER_BYTE_DATA, false, address, command, 1, &value);
	return batch;
}

size_t batch_bytes(const struct batch *batch, void *bytes)
{
	size_t operations = batch->header.count * sizeof(batch->operations[0]);
	char *to = bytes;

	memcpy(to, &batch->header, sizeof(batch->header));
	memcpy(to + sizeof(batch->header), batch->operations, operations);
	memcpy(to + sizeof(batch->header) + operations, batch->data, batch->header.length);
	return sizeof(batch->header) + operations + batch->header.length;
}

int peer_connect(const struct ring *ring, const char *door)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MSEC / 1000};
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	size_t i = 0;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	while (strcmp(ring->names[i], door) != 0)
		i++;
	assert_int_equal(getsockname(ring->doors[i], (struct sockaddr *)&address, &size), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

void peer_send(int fd, const struct batch *batch)
{
	char bytes[RGBROKER_REQUEST_MAX];
	size_t size = batch_bytes(batch, bytes);

	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

struct answer peer_receive(int fd)
{
	struct answer answer = {0};
	char bytes[sizeof(answer.head) + sizeof(answer.data) + 1];

	answer.size = recv(fd, bytes, sizeof(bytes), 0);
	if (answer.size < 0)
		answer.size = -errno;
	if (answer.size <= 0)
		return answer;
	assert_in_range(answer.size, sizeof(answer.head), RGBROKER_REPLY_MAX);
	memcpy(&answer.head, bytes, sizeof(answer.head));
	memcpy(answer.data, bytes + sizeof(answer.head), (size_t)answer.size - sizeof(answer.head));
	assert_int_equal(answer.head.version, RGBROKER_PROTOCOL_VERSION);
	assert_int_equal(answer.head.length, (size_t)answer.size - sizeof(answer.head));
	return answer;
}

struct answer peer_ask_bytes(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
	return peer_receive(fd);
}

struct answer peer_ask(int fd, const struct batch *batch)
{
	struct answer answer;

	peer_send(fd, batch);
	answer = peer_receive(fd);
	if (answer.size > 0)
		assert_int_equal(answer.head.serial, batch->header.serial);
	return answer;
}

void peer_is_served(int fd)
{
	struct batch batch = batch_write(4711, 0x40, 0x99, 1);
	struct answer answer = peer_ask(fd, &batch);

	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.done, 1);
}
