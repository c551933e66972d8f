/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fake-broker.h. */
#include "fake-broker.h"

#include <assert.h>
#include <errno.h>
#include <linux/i2c.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 2100
#define RECORDS_MAX 256

struct reply {
	struct rgbroker_reply header;
	uint8_t data[RGBROKER_DATA_MAX + 64];
};

struct fake_broker {
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop;
	int wake;
	int bus;
	char directory[64];
	char path[96];
	enum fake_action script[32];
	size_t scripted;
	struct pollfd polls[CLIENTS_MAX]; /* wake, listener, clients */
	unsigned numbers[CLIENTS_MAX];
	unsigned asleep; /* connections up to this number are not served any more */
	size_t polled;
	unsigned connections;
	size_t requests;
	struct fake_record records[RECORDS_MAX];
	struct reply late;
	size_t late_size;
	uint8_t memory[128][256];
	uint8_t pointer[128];
};

static void listen_again(struct fake_broker *fake)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, fake->path);
	unlink(fake->path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd, 64) != 0)
		abort();
	fake->polls[1].fd = fd;
}

static enum fake_action peek(const struct fake_broker *fake)
{
	return fake->scripted > 0 ? fake->script[0] : FAKE_SERVE;
}

static void next_action(struct fake_broker *fake)
{
	if (fake->scripted == 0)
		return;
	fake->scripted--;
	memmove(fake->script, fake->script + 1, fake->scripted * sizeof(fake->script[0]));
}

static void run_plain(struct fake_broker *fake, const struct rgbroker_operation *operation,
	const uint8_t *written, uint8_t *ret_read)
{
	uint8_t *memory = fake->memory[operation->address];
	uint8_t *pointer = &fake->pointer[operation->address];

	if (!operation->read && operation->length > 0)
		*pointer = written[0];
	for (uint16_t i = operation->read ? 0 : 1; i < operation->length; i++) {
		if (operation->read)
			ret_read[i] = memory[(*pointer)++];
		else
			memory[(*pointer)++] = written[i];
	}
}

static void run_smbus(struct fake_broker *fake, const struct rgbroker_operation *operation,
	const uint8_t *written, uint8_t *ret_read)
{
	bool block =
		operation->kind == RGBROKER_BLOCK_DATA || operation->kind == RGBROKER_I2C_BLOCK;
	uint8_t *memory = fake->memory[operation->address];
	uint16_t length = operation->length;

	if (operation->kind == RGBROKER_QUICK)
		return;
	if (block && operation->read) {
		/* Four bytes, unless fewer or a given number were asked for. */
		length = operation->kind == RGBROKER_BLOCK_DATA ? 4 : length - 1;
		*ret_read++ = (uint8_t)length;
	}
	for (uint16_t i = 0; i < length; i++) {
		uint8_t *byte = &memory[(uint8_t)(operation->command + i)];

		if (operation->read)
			ret_read[i] = *byte;
		else
			*byte = written[i];
	}
}

static int run_one(struct fake_broker *fake, const struct rgbroker_operation *operation,
	const uint8_t *written, struct reply *reply)
{
	uint8_t *read_to = reply->data + reply->header.length;

	if (operation->address == 0x77)
		return -ENXIO;
	memset(read_to, 0, operation->read ? operation->length : 0);
	if (operation->kind == RGBROKER_I2C)
		run_plain(fake, operation, written, read_to);
	else
		run_smbus(fake, operation, written, read_to);
	if (operation->read)
		reply->header.length = (uint16_t)(reply->header.length + operation->length);
	else if (operation->address == 0x70 && operation->kind == RGBROKER_WORD_DATA &&
		 operation->command == 0)
		reply->header.pointer_writes |= 1ull << reply->header.done;
	return 0;
}

static void refuse(struct reply *reply, enum rgbroker_reason reason, int result)
{
	reply->header.reason = reason;
	reply->header.result = result;
}

static void run_first(struct fake_broker *fake, const struct fake_record *record, uint16_t count,
	struct reply *reply)
{
	const uint8_t *written = record->data;

	for (uint16_t i = 0; i < count; i++) {
		const struct rgbroker_operation *operation = &record->operations[i];
		int r = operation->address == 0x10 ? -EACCES
						   : run_one(fake, operation, written, reply);

		if (r < 0) {
			refuse(reply, r == -EACCES ? RGBROKER_REASON_RULE : RGBROKER_REASON_BUS, r);
			return;
		}
		reply->header.done++;
		if (!operation->read)
			written += operation->length;
	}
}

static void info(struct fake_broker *fake, struct reply *reply)
{
	struct rgbroker_info value = {.functionality = I2C_FUNC_SMBUS_EMUL & ~I2C_FUNC_SMBUS_PEC,
		.adapter = (uint32_t)fake->bus,
		.name = "fake adapter"};

	memcpy(reply->data, &value, sizeof(value));
	reply->header.length = sizeof(value);
}

/* @return the reply's size; 0: none */
static size_t misbehave(struct fake_broker *fake, enum fake_action action,
	const struct fake_record *record, struct reply *reply)
{
	size_t size = sizeof(reply->header) + reply->header.length;

	switch (action) {
	case FAKE_VERSION:
		reply->header.version = RGBROKER_PROTOCOL_VERSION + 1;
		return 8;
	case FAKE_SHORT:
		return 4;
	case FAKE_CUT:
		reply->header.length++;
		return size;
	case FAKE_OVERSIZED:
		return sizeof(*reply);
	case FAKE_FUTURE:
		reply->header.serial++;
		return size;
	case FAKE_BAD_DONE:
		reply->header.done = 0;
		reply->header.length = 0;
		return sizeof(reply->header);
	case FAKE_POSITIVE:
		reply->header.result = 5;
		reply->header.reason = RGBROKER_REASON_BUS;
		return size;
	case FAKE_LATE:
		fake->late = *reply;
		fake->late_size = size;
		return 0;
	case FAKE_SILENT:
		return 0;
	default:
		return size;
	}
}

static void prepare(struct fake_broker *fake, enum fake_action action,
	const struct fake_record *record, struct reply *reply)
{
	reply->header.version = RGBROKER_PROTOCOL_VERSION;
	reply->header.serial = record->header.serial;
	if (action == FAKE_STOPPING)
		refuse(reply, RGBROKER_REASON_STOPPING, -ESHUTDOWN);
	else if (action == FAKE_POINTER)
		refuse(reply, RGBROKER_REASON_POINTER, -EIO);
	else if (action == FAKE_DENY_LAST)
		refuse(reply, RGBROKER_REASON_FLOOR, -EACCES);
	else if (record->header.opcode == RGBROKER_INFO)
		info(fake, reply);
	else
		run_first(
			fake, record, action == FAKE_STOP_WITHIN ? 1 : record->header.count, reply);
	if (action == FAKE_STOP_WITHIN || action == FAKE_STOP_DONE)
		refuse(reply, RGBROKER_REASON_STOPPING, -EAGAIN);
	if (action == FAKE_POINTER || action == FAKE_DENY_LAST)
		reply->header.done = (uint16_t)(record->header.count - 1);
}

static bool receive(int fd, struct fake_record *record)
{
	uint8_t message[RGBROKER_REQUEST_MAX];
	ssize_t size = recv(fd, message, sizeof(message), MSG_DONTWAIT);
	size_t operations;

	if (size < (ssize_t)sizeof(record->header))
		return false;
	memcpy(&record->header, message, sizeof(record->header));
	operations = record->header.count * sizeof(record->operations[0]);
	if ((size_t)size != sizeof(record->header) + operations + record->header.length)
		return false;
	memcpy(record->operations, message + sizeof(record->header), operations);
	memcpy(record->data, message + sizeof(record->header) + operations, record->header.length);
	return true;
}

/* What lies there already is answered, and not carried out. */
static void send_away(int fd, struct fake_record *record)
{
	struct reply reply;

	while (receive(fd, record)) {
		memset(&reply, 0, sizeof(reply.header));
		prepare(NULL, FAKE_STOPPING, record, &reply);
		(void)send(fd, &reply, sizeof(reply.header), MSG_NOSIGNAL);
	}
}

/* @return whether the connection stays */
static bool serve(struct fake_broker *fake, size_t index)
{
	static struct fake_record record;
	struct reply reply = {.header = {.version = 0}};
	struct ucred peer = {.pid = 0};
	socklen_t peer_size = sizeof(peer);
	int fd = fake->polls[index].fd;
	char byte;
	bool hung_up = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
	enum fake_action action = hung_up ? FAKE_SERVE : peek(fake);
	size_t size;

	if (fake->numbers[index] <= fake->asleep)
		send_away(fd, &record);
	if (hung_up || fake->numbers[index] <= fake->asleep)
		return false;
	next_action(fake);
	if (action == FAKE_CLOSE_UNREAD || !receive(fd, &record))
		return false;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size);
	record.peer = peer.pid;
	record.client = fake->numbers[index];
	fake->records[fake->requests++ % RECORDS_MAX] = record;
	if (action == FAKE_EOF_UNLINK)
		unlink(fake->path);
	if (action == FAKE_EOF || action == FAKE_EOF_UNLINK)
		return false;
	if (fake->late_size > 0)
		(void)send(fd, &fake->late, fake->late_size, MSG_NOSIGNAL);
	fake->late_size = 0;
	prepare(fake, action, &record, &reply);
	size = misbehave(fake, action, &record, &reply);
	if (size > 0)
		(void)send(fd, &reply, size, MSG_NOSIGNAL);
	return action != FAKE_STOPPING && action != FAKE_STOP_WITHIN;
}

static void drop(struct fake_broker *fake, size_t index)
{
	close(fake->polls[index].fd);
	fake->polled--;
	fake->polls[index] = fake->polls[fake->polled];
	fake->numbers[index] = fake->numbers[fake->polled];
}

static void accept_one(struct fake_broker *fake)
{
	int fd;

	if (peek(fake) == FAKE_KILL_BACKLOG) {
		next_action(fake);
		close(fake->polls[1].fd);
		listen_again(fake);
		return;
	}
	fd = accept4(fake->polls[1].fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || fake->polled == CLIENTS_MAX)
		abort();
	fake->numbers[fake->polled] = ++fake->connections;
	fake->polls[fake->polled++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void *run(void *argument)
{
	struct fake_broker *fake = argument;

	for (;;) {
		poll(fake->polls, fake->polled, -1);
		pthread_mutex_lock(&fake->lock);
		if (fake->stop) {
			pthread_mutex_unlock(&fake->lock);
			return NULL;
		}
		for (size_t i = fake->polled; i-- > 2;)
			if (fake->polls[i].revents != 0 && !serve(fake, i))
				drop(fake, i);
		if (fake->polls[1].revents != 0)
			accept_one(fake);
		if (fake->polls[0].revents != 0)
			(void)eventfd_read(fake->wake, &(eventfd_t){0});
		pthread_mutex_unlock(&fake->lock);
	}
}

struct fake_broker *fake_broker_start(int bus)
{
	struct fake_broker *fake = calloc(1, sizeof(*fake));

	if (fake == NULL)
		abort();
	strcpy(fake->directory, "/tmp/rgbroker-test-XXXXXX");
	if (mkdtemp(fake->directory) == NULL)
		abort();
	fake->bus = bus;
	snprintf(fake->path, sizeof(fake->path), "%s/i2c-%d", fake->directory, bus);
	pthread_mutex_init(&fake->lock, NULL);
	fake->wake = eventfd(0, EFD_CLOEXEC);
	fake->polls[0] = (struct pollfd){.fd = fake->wake, .events = POLLIN};
	fake->polls[1] = (struct pollfd){.events = POLLIN};
	listen_again(fake);
	fake->polled = 2;
	if (pthread_create(&fake->thread, NULL, run, fake) != 0)
		abort();
	return fake;
}

static void take(struct fake_broker *fake)
{
	pthread_mutex_lock(&fake->lock);
}

/* The thread's poll has a stale copy of nothing: it reads the array anew when woken. */
static void give(struct fake_broker *fake)
{
	pthread_mutex_unlock(&fake->lock);
	(void)eventfd_write(fake->wake, 1);
}

void fake_broker_stop(struct fake_broker *fake)
{
	take(fake);
	fake->stop = true;
	give(fake);
	pthread_join(fake->thread, NULL);
	for (size_t i = 0; i < fake->polled; i++)
		if (fake->polls[i].fd >= 0)
			close(fake->polls[i].fd);
	unlink(fake->path);
	rmdir(fake->directory);
	free(fake);
}

const char *fake_broker_directory(const struct fake_broker *fake)
{
	return fake->directory;
}

const char *fake_broker_path(const struct fake_broker *fake)
{
	return fake->path;
}

void fake_broker_script(struct fake_broker *fake, size_t count, const enum fake_action *actions)
{
	take(fake);
	memcpy(fake->script, actions, count * sizeof(actions[0]));
	fake->scripted = count;
	give(fake);
}

/* shutdown() and not close(), as a real broker: nothing can be lost on the way then. */
void fake_broker_sleep(struct fake_broker *fake)
{
	take(fake);
	for (size_t i = 2; i < fake->polled; i++)
		shutdown(fake->polls[i].fd, SHUT_RD);
	fake->asleep = fake->connections;
	give(fake);
}

void fake_broker_unplug(struct fake_broker *fake)
{
	fake_broker_sleep(fake);
	take(fake);
	unlink(fake->path);
	give(fake);
}

size_t fake_broker_requests(struct fake_broker *fake)
{
	size_t count;

	take(fake);
	count = fake->requests;
	give(fake);
	return count;
}

struct fake_record fake_broker_request(struct fake_broker *fake, size_t index)
{
	struct fake_record record;

	take(fake);
	record = fake->records[index % RECORDS_MAX];
	give(fake);
	return record;
}

unsigned fake_broker_connections(struct fake_broker *fake)
{
	unsigned count;

	take(fake);
	count = fake->connections;
	give(fake);
	return count;
}

uint8_t fake_broker_memory(struct fake_broker *fake, uint8_t address, uint8_t offset)
{
	uint8_t value;

	take(fake);
	value = fake->memory[address][offset];
	give(fake);
	return value;
}
