/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * random-requests DOOR COUNT SEED [writes]: a client that does not ask its library what makes sense
 *
 * Sends well-formed requests (protocol/wire.h) of all kinds to all addresses, half of them where
 * something is to be broken; alone, in batches, joined, many before the first answer. With
 * "writes", single writes over all addresses, all alike. Prints how many of each reason came back.
 */
#include "door.h"
#include "protocol/wire.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IN_FLIGHT 32
#define PLAIN_MAX 40
#define BATCH_MAX 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t kinds[] = {RGBROKER_QUICK, RGBROKER_BYTE, RGBROKER_BYTE_DATA,
	RGBROKER_WORD_DATA, RGBROKER_BLOCK_DATA, RGBROKER_I2C_BLOCK, RGBROKER_I2C};

/* Page select and protection, voltage regulators, SPDs; LED controllers, and what is told to move
 */
static const uint8_t hot[] = {0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x48, 0x49, 0x4a,
	0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x50, 0x51,
	0x48, 0x49, 0x70, 0x72, 0x77, 0x60, 0x61};
static const uint8_t controllers[] = {0x70, 0x72, 0x77, 0x39, 0x27};
static const uint16_t registers[] = {
	0x8000, 0x8020, 0x80a0, 0x80f8, 0x80f9, 0x80f9, 0x8100, 0x82ef};

static const char *const reasons[] = {"allowed", "bus", "version", "door", "floor", "rule",
	"unproven", "owned", "claimed", "pointer", "stopping", "protocol"};

static struct {
	struct rgbroker_request header;
	struct rgbroker_operation operations[BATCH_MAX];
	uint8_t data[BATCH_MAX * PLAIN_MAX];
} request;

/* --- chance --- */

static uint64_t state;

/* xorshift64* (Vigna 2016), whose upper half is good enough for this */
static unsigned below(unsigned limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)(((state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * limit >> 32);
}

static bool chance(unsigned percent)
{
	return below(100) < percent;
}

/* --- one operation --- */

static struct rgbroker_operation *add(uint8_t kind, bool read, uint8_t address)
{
	struct rgbroker_operation *operation = &request.operations[request.header.count++];

	*operation = (struct rgbroker_operation){.kind = kind, .read = read, .address = address};
	return operation;
}

static void add_data(struct rgbroker_operation *operation, const uint8_t *data, unsigned length)
{
	memcpy(request.data + request.header.length, data, length);
	request.header.length = (uint16_t)(request.header.length + length);
	operation->length = (uint16_t)length;
}

static void add_random(struct rgbroker_operation *operation, unsigned length)
{
	uint8_t data[PLAIN_MAX];

	for (unsigned i = 0; i < length; i++)
		data[i] = (uint8_t)below(256);
	add_data(operation, data, length);
}

static void add_write(uint8_t kind, uint8_t address)
{
	struct rgbroker_operation *operation = add(kind, false, address);

	if (kind != RGBROKER_QUICK && kind != RGBROKER_I2C)
		operation->command = (uint8_t)below(256);
	if (kind == RGBROKER_BYTE_DATA || kind == RGBROKER_WORD_DATA)
		add_random(operation, kind == RGBROKER_WORD_DATA ? 2 : 1);
	else if (kind == RGBROKER_BLOCK_DATA || kind == RGBROKER_I2C_BLOCK)
		add_random(operation, below(RGBROKER_BLOCK_MAX + 1));
	else if (kind == RGBROKER_I2C)
		add_random(operation, below(PLAIN_MAX + 1));
}

static unsigned room(uint8_t kind)
{
	switch (kind) {
	case RGBROKER_QUICK:
		return 0;
	case RGBROKER_WORD_DATA:
		return 2;
	case RGBROKER_BLOCK_DATA:
		return 1 + RGBROKER_BLOCK_MAX;
	case RGBROKER_I2C_BLOCK:
		return 2 + below(RGBROKER_BLOCK_MAX);
	case RGBROKER_I2C:
		return below(PLAIN_MAX + 1);
	default:
		return 1;
	}
}

static void add_read(uint8_t kind, uint8_t address)
{
	struct rgbroker_operation *operation = add(kind, true, address);

	if (kind != RGBROKER_QUICK && kind != RGBROKER_BYTE && kind != RGBROKER_I2C)
		operation->command = (uint8_t)below(256);
	operation->length = (uint16_t)room(kind);
}

static void add_anything(void)
{
	uint8_t address = chance(50) ? (uint8_t)below(128) : hot[below(COUNT(hot))];

	(chance(70) ? add_write : add_read)(kinds[below(COUNT(kinds))], address);
}

/* --- several --- */

/* As one would move a controller onto an SPD: register, value. Or the register alone. */
static void add_through_pointer(void)
{
	uint8_t address = controllers[below(COUNT(controllers))];
	uint16_t at = registers[below(COUNT(registers))];
	const uint8_t register_bytes[] = {(uint8_t)(at >> 8), (uint8_t)at};
	uint8_t value = (uint8_t)(chance(50) ? below(256) : 0xa0 + 2 * below(8));
	struct rgbroker_operation *operation;

	add_data(add(RGBROKER_WORD_DATA, false, address), register_bytes, 2);
	if (chance(50))
		return;
	operation = add(RGBROKER_BYTE_DATA, false, address);
	operation->command = 1;
	add_data(operation, &value, 1);
}

/* Plain messages with a repeated start in between */
static void add_joined(void)
{
	uint8_t address = hot[below(COUNT(hot))];

	for (unsigned left = 2; left-- > 0;) {
		bool read = chance(50);
		struct rgbroker_operation *operation = add(RGBROKER_I2C, read, address);

		operation->joined = left > 0;
		if (read)
			operation->length = (uint16_t)(1 + below(4));
		else
			add_random(operation, 1 + below(4));
	}
}

static void make_request(bool only_writes)
{
	unsigned way = below(100);

	request.header = (struct rgbroker_request){.version = RGBROKER_PROTOCOL_VERSION,
		.opcode = RGBROKER_TRANSFER,
		.context = 1 + below(4)};
	if (only_writes)
		add_write(kinds[below(COUNT(kinds))], (uint8_t)below(128));
	else if (way < 75)
		add_anything();
	else if (way < 85)
		add_through_pointer();
	else if (way < 95)
		add_joined();
	else
		for (unsigned left = 2 + below(BATCH_MAX - 1); left-- > 0;)
			add_anything();
}

/* --- conversation --- */

static void send_request(int fd)
{
	struct iovec parts[] = {
		{&request.header, sizeof(request.header)},
		{request.operations, request.header.count * sizeof(request.operations[0])},
		{request.data, request.header.length},
	};

	if (sendmsg(fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = COUNT(parts)},
		    MSG_NOSIGNAL) < 0)
		err(1, "send");
}

static void take_answer(int fd, unsigned long *counts)
{
	union {
		struct rgbroker_reply header;
		uint8_t bytes[RGBROKER_REPLY_MAX];
	} reply;
	ssize_t size = recv(fd, &reply, sizeof(reply), 0);

	if (size < 0)
		err(1, "recv");
	if (size < (ssize_t)sizeof(reply.header) || reply.header.reason >= COUNT(reasons))
		errx(1, "an answer of %zd bytes", size);
	counts[reply.header.reason]++;
}

int main(int argc, char **argv)
{
	unsigned long count, in_flight = 0, counts[COUNT(reasons)] = {0};
	bool only_writes = argc == 5 && strcmp(argv[4], "writes") == 0;
	int fd;

	if (argc != 4 && !only_writes)
		errx(2, "usage: random-requests DOOR COUNT SEED [writes]");
	fd = door_connect(argv[1]);
	count = strtoul(argv[2], NULL, 10);
	state = (strtoul(argv[3], NULL, 10) + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned long i = 0; i < count; i++) {
		make_request(only_writes);
		send_request(fd);
		if (++in_flight == IN_FLIGHT) {
			take_answer(fd, counts);
			in_flight--;
		}
	}
	for (; in_flight > 0; in_flight--)
		take_answer(fd, counts);
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (counts[i])
			printf("%s=%lu ", reasons[i], counts[i]);
	printf("\n");
	return 0;
}
