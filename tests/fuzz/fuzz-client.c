/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * librgbroker and the i2c-dev shim against a broker that answers whatever it likes: a call ends,
 * stays within its caller's memory, says what it got, and asks only what a broker can take. What
 * may have been carried out is not asked twice.
 */
#include "broker/decode.h"
#include "client-lib/library.h"
#include "client-lib/link.h"
#include "client-lib/reply.h"
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/must.h"

#define CALLS_MAX 64
#define SENDS_MAX 4096

static struct input input;

/* --- the broker --- */

static struct {
	_Alignas(8) uint8_t message[RGBROKER_REQUEST_MAX]; /* sent last */
	size_t size;
	int64_t now;
	size_t done_before; /* of a batch, by brokers that were told to stop */
	bool unknown;       /* whether that one was carried out: it must not come again */
	unsigned n_sends;   /* of one call */
	size_t n_connects;  /* since the beginning */
	size_t reply_size;
	struct connection_reply reply; /* the last one */
} broker;

int64_t __wrap_link_now(void);
int __wrap_link_pause(int milliseconds, int64_t deadline);
int __wrap_link_connect(const char *path, int64_t deadline);
bool __wrap_link_gone(const char *path);
int __wrap_link_send(int descriptor, const void *message, size_t size, int64_t deadline);
ssize_t __wrap_link_receive(
	int descriptor, void *ret_message, size_t size, int patience, int64_t deadline);

int64_t __wrap_link_now(void)
{
	return broker.now;
}

int __wrap_link_pause(int milliseconds, int64_t deadline)
{
	broker.now += milliseconds;
	return broker.now >= deadline ? -ETIMEDOUT : 0;
}

int __wrap_link_connect(const char *path, int64_t deadline)
{
	uint8_t how = input_byte(&input);

	broker.now += 1 + how % 16;
	if (how >= 0xf0)
		return how & 1 ? -ENODEV : -EACCES;
	broker.n_connects++;
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool __wrap_link_gone(const char *path)
{
	return input_byte(&input) & 1;
}

/* The rest of a batch is another broker's, after one that was told to stop has done a part of it.
 */
static void go_on(const struct rgbroker_request *next)
{
	const struct rgbroker_request *last = (const void *)broker.message;
	const struct rgbroker_reply *reply = &broker.reply.header;

	if (broker.size > 0 && reply->serial == last->serial && reply->done > 0 &&
		reply->reason == RGBROKER_REASON_STOPPING &&
		next->count + reply->done == last->count)
		broker.done_before += reply->done;
}

int __wrap_link_send(int descriptor, const void *message, size_t size, int64_t deadline)
{
	struct request request;

	must(!broker.unknown, "it is sent again, and may have been carried out");
	must(++broker.n_sends < SENDS_MAX, "it never ends");
	must(size <= sizeof(broker.message), "too long");
	go_on(message);
	memcpy(broker.message, message, size);
	broker.size = size;
	must(decode(broker.message, broker.size, &request) == 0, "no broker would take it");
	must(request.header->opcode != RGBROKER_TRANSFER || request.header->context != 0,
		"without a context");
	if (input_byte(&input) == 0xff)
		return -ECONNRESET;
	return 0;
}

/* What an honest one might say: all done, zeros read. */
static size_t honest_reply(struct connection_reply *reply)
{
	const struct rgbroker_request *header = (const void *)broker.message;
	const struct rgbroker_operation *operations = (const void *)(header + 1);
	size_t room = 0;

	memset(reply, 0, sizeof(*reply));
	for (unsigned i = 0; i < header->count; i++)
		room += operations[i].read ? operations[i].length : 0;
	if (header->opcode == RGBROKER_INFO)
		room = sizeof(struct rgbroker_info);
	reply->header = (struct rgbroker_reply){.version = RGBROKER_PROTOCOL_VERSION,
		.serial = header->serial,
		.done = header->count,
		.length = (uint16_t)room};
	return sizeof(reply->header) + room;
}

static void refuse(struct connection_reply *reply, uint16_t reason, uint8_t done)
{
	reply->header.reason = reason;
	reply->header.result = reason == RGBROKER_REASON_STOPPING ? -EAGAIN : -EACCES;
	reply->header.done = done;
	reply->header.length = 0;
}

static size_t next_reply(struct connection_reply *reply)
{
	size_t size = honest_reply(reply);
	uint8_t how = input_byte(&input);

	switch (how % 8) {
	case 0:
		break;
	case 1: /* what was read; which ones were pointers */
		input_bytes(&input, reply->data, reply->header.length % 64);
		reply->header.pointer_writes = input_word(&input);
		reply->header.pointer_moves = input_byte(&input);
		break;
	case 2:
		refuse(reply, RGBROKER_REASON_POINTER, input_byte(&input));
		return sizeof(reply->header);
	case 3:
		refuse(reply, RGBROKER_REASON_STOPPING, 0);
		return sizeof(reply->header);
	case 4: /* some of it done, and then the bus failed */
		reply->header.reason = RGBROKER_REASON_BUS;
		reply->header.result = -(int32_t)(input_byte(&input));
		reply->header.done = input_byte(&input);
		reply->header.length = input_word(&input);
		return sizeof(reply->header) + reply->header.length % RGBROKER_DATA_MAX;
	case 5: /* anything, in form or not */
		input_bytes(&input, &reply->header, sizeof(reply->header));
		return how & 8 ? sizeof(reply->header) : input_word(&input);
	case 6: /* one that is late, or of another version */
		reply->header.serial -= how & 8 ? 1 : 0;
		reply->header.version = (uint16_t)(how & 16 ? how : 1);
		break;
	case 7:
		refuse(reply, input_byte(&input), input_byte(&input));
		break;
	}
	return size;
}

ssize_t __wrap_link_receive(
	int descriptor, void *ret_message, size_t size, int patience, int64_t deadline)
{
	static const int errors[] = {-ECONNRESET, -EIO, -ETIMEDOUT, -ECONNRESET};
	uint8_t how = input_byte(&input);
	struct connection_reply *reply = &broker.reply;
	size_t length;

	broker.now++;
	if (input_ended(&input)) {
		broker.unknown = true;
		return -EIO;
	}
	if (how >= 0xf0) {
		broker.unknown = errors[how % 4] != -ECONNRESET;
		return errors[how % 4];
	}
	length = next_reply(reply);
	if (length == 0)
		length = 1; /* none of these is empty */
	broker.reply_size = length;
	memset(ret_message, 0xa5, size);
	memcpy(ret_message, reply, length < size ? length : size);
	return (ssize_t)length;
}

/* --- what the shim has besides --- */

static struct shim_file file;

bool shim_address_is_bound(int bus, unsigned address)
{
	return address == 0x50;
}

const struct next_functions *next(void)
{
	must(false, "no call goes past");
	return NULL;
}

bool shim_begin(struct shim_call *call, int fd)
{
	must(false, "the calls begin here");
	return false;
}

ssize_t shim_end(struct shim_call *call, ssize_t result)
{
	return result;
}

/* --- calls --- */

/* What was taken for an answer is one to what was asked last, and all of it was there. */
static void check_answer(size_t done)
{
	const struct rgbroker_request *header = (const void *)broker.message;
	const struct rgbroker_operation *operations = (const void *)(header + 1);
	size_t room = header->opcode == RGBROKER_INFO ? sizeof(struct rgbroker_info) : 0;

	for (unsigned i = 0; i < done; i++)
		room += operations[i].read ? operations[i].length : 0;
	must(broker.reply.header.serial == header->serial && broker.reply.header.done == done,
		"the answer to something else");
	must(broker.reply_size == sizeof(broker.reply.header) + room, "%zu bytes for %zu",
		broker.reply_size, room);
}

static void check_result(int r)
{
	const struct rgbroker_request *header = (const void *)broker.message;

	if (r >= 0)
		check_answer(header->count);
	must(r >= -4095, "result %d", r);
	must(strlen(rgbroker_reason_text(rgbroker_last_reason())) > 0, "no reason");
}

/* Of its very size, so that the sanitizer sees each byte too many. */
static uint8_t *room_for(size_t size)
{
	uint8_t *room = malloc(size ? size : 1);

	must(room, "out of memory");
	memset(room, 0x5a, size);
	return room;
}

static void call_smbus(struct rgbroker *handle)
{
	uint8_t how = input_byte(&input), address = input_byte(&input),
		command = input_byte(&input);
	size_t length = input_byte(&input) % 36;
	uint8_t *block = room_for(how % 16 == 8 ? 32 : length);
	int r = 0;

	switch (how % 16) {
	case 0:
		r = rgbroker_smbus_quick(handle, address, how & 16);
		break;
	case 1:
		r = rgbroker_smbus_read_byte(handle, address);
		must(r <= 0xff, "%d", r);
		break;
	case 2:
		r = rgbroker_smbus_write_byte(handle, address, command);
		break;
	case 3:
		r = rgbroker_smbus_read_byte_data(handle, address, command);
		must(r <= 0xff, "%d", r);
		break;
	case 4:
		r = rgbroker_smbus_write_byte_data(handle, address, command, how);
		break;
	case 5:
		r = rgbroker_smbus_read_word_data(handle, address, command);
		must(r <= 0xffff, "%d", r);
		break;
	case 6:
	case 7:
		r = rgbroker_smbus_write_word_data(handle, address, command, how);
		break;
	case 8:
		r = rgbroker_smbus_read_block_data(handle, address, command, block);
		must(r <= 32, "%d", r);
		break;
	case 9:
		r = rgbroker_smbus_write_block_data(handle, address, command, length, block);
		break;
	case 10:
		r = rgbroker_smbus_read_i2c_block_data(handle, address, command, length, block);
		must(r <= (int)length, "%d of %zu", r, length);
		break;
	default:
		r = rgbroker_smbus_write_i2c_block_data(handle, address, command, length, block);
		break;
	}
	check_result(r);
	free(block);
}

static void call_batch(struct rgbroker *handle)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 5, 8, 16, 4};
	struct rgbroker_op ops[66] = {0};
	size_t count = input_byte(&input) % 66, done = SIZE_MAX;
	int r;

	for (size_t i = 0; i < count; i++) {
		uint8_t form = input_byte(&input);

		ops[i] = (struct rgbroker_op){.kind = kinds[form % 8],
			.read = form >> 3 & 1,
			.joined = form >> 4 & 1,
			.address = input_byte(&input),
			.command = form,
			.length = form >> 5 & 1 ? input_word(&input) : input_byte(&input) % 34};
		ops[i].data = room_for(
			ops[i].kind == RGBROKER_OP_I2C_BLOCK || ops[i].kind == RGBROKER_OP_I2C
				? ops[i].length
				: 32);
	}
	if (input_byte(&input) & 1) {
		r = rgbroker_i2c_transfer(handle, ops, count);
	} else {
		broker.size = 0;
		broker.done_before = 0;
		r = rgbroker_batch(handle, ops, count, &done);
		must(done <= count, "%zu of %zu are done", done, count);
		must(r != 0 || done == count, "all is well, and %zu of %zu done", done, count);
	}
	must(r <= 0, "result %d", r);
	check_result(r);
	if (r < 0 && done != SIZE_MAX && done > broker.done_before)
		check_answer(done - broker.done_before);
	for (size_t i = 0; i < count; i++)
		free(ops[i].data);
}

static void call_info(struct rgbroker *handle)
{
	unsigned long functionality = 0;
	size_t size = 1 + input_byte(&input) % 70;
	char *name = (char *)room_for(size);
	int r = rgbroker_name(handle, name, size);

	must(r <= 0, "result %d", r);
	check_result(r);
	if (r == 0)
		must(memchr(name, 0, size), "a name without end");
	broker.unknown = false;
	check_result(rgbroker_functionality(handle, &functionality));
	free(name);
}

/* The kernel copies all of the union's member, and so may the shim. */
static void call_shim_smbus(struct shim_call *call)
{
	struct i2c_smbus_ioctl_data arguments = {.read_write = input_byte(&input) % 3,
		.command = input_byte(&input),
		.size = input_byte(&input) % 10};
	size_t size =
		arguments.size == I2C_SMBUS_BYTE || arguments.size == I2C_SMBUS_BYTE_DATA ? 1
		: arguments.size == I2C_SMBUS_WORD_DATA || arguments.size == I2C_SMBUS_PROC_CALL
			? 2
			: sizeof(union i2c_smbus_data);
	uint8_t *data = room_for(size);
	int r;

	input_bytes(&input, data, size < 8 ? size : 8);
	arguments.data = (void *)data;
	r = shim_ioctl(call, I2C_SMBUS, &arguments);
	must(r <= 0 && r >= -4095, "I2C_SMBUS: %d", r);
	if (r == 0)
		check_answer(1);
	free(data);
}

static void call_shim_rdwr(struct shim_call *call)
{
	struct i2c_msg messages[10];
	unsigned count = input_byte(&input) % 10;
	struct i2c_rdwr_ioctl_data arguments = {.msgs = messages, .nmsgs = count};
	int r;

	for (unsigned i = 0; i < count; i++) {
		uint8_t form = input_byte(&input);

		messages[i] = (struct i2c_msg){.addr = input_byte(&input),
			.flags = form & 1   ? I2C_M_RD
				 : form & 2 ? form
					    : 0,
			.len = form & 4 ? input_word(&input) : input_byte(&input)};
		messages[i].buf = room_for(messages[i].len);
	}
	r = shim_ioctl(call, I2C_RDWR, &arguments);
	must(r == (int)count || (r < 0 && r >= -4095), "I2C_RDWR: %d", r);
	if (r >= 0)
		check_answer(count);
	for (unsigned i = 0; i < count; i++)
		free(messages[i].buf);
}

static void call_shim(struct shim_call *call)
{
	uint8_t how = input_byte(&input);
	size_t size = input_word(&input) % 1100;
	uint8_t *buffer = room_for(size);
	unsigned long functionality;
	ssize_t r = 0;

	switch (how % 8) {
	case 0:
		r = shim_ioctl(call, I2C_SLAVE, (void *)(uintptr_t)input_byte(&input));
		break;
	case 1:
		r = shim_read(call, buffer, size);
		break;
	case 2:
		r = shim_write(call, buffer, size);
		break;
	case 3:
		r = shim_ioctl(call, I2C_FUNCS, &functionality);
		break;
	case 4:
	case 5:
		call_shim_smbus(call);
		break;
	default:
		call_shim_rdwr(call);
		break;
	}
	must(r <= (ssize_t)size && r >= -4095, "%zd", r);
	free(buffer);
}

static void call_one(struct rgbroker *handle, struct shim_call *call)
{
	uint8_t how = input_byte(&input);

	broker.unknown = false;
	broker.n_sends = 0;
	switch (how % 8) {
	case 0:
	case 1:
		call_smbus(handle);
		break;
	case 2:
	case 3:
		call_batch(handle);
		break;
	case 4:
		call_info(handle);
		break;
	case 5:
		must(rgbroker_set_timeout(handle, 1 + input_byte(&input)) == 0, "a deadline");
		break;
	default:
		call_shim(call);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rgbroker *handle = NULL;
	struct shim_call call = {.file = &file, .thread = (uint32_t)gettid()};
	int r;

	input = (struct input){data, data + size};
	memset(&broker, 0, offsetof(__typeof__(broker), reply));
	broker.now = 1000;
	r = rgbroker_open_path(&handle, "/run/rgbroker/i2c-7");
	must((r == 0) == (handle != NULL), "opened: %d", r);
	if (r < 0)
		return 0;
	connection_init(&file.connection, "/run/rgbroker/i2c-7", -1, 0, 100);
	if (connection_open(&file.connection) == 0) {
		call.fd = file.connection.descriptor;
		for (unsigned i = 0; i < CALLS_MAX && !input_ended(&input); i++)
			call_one(handle, &call);
	}
	if (file.connection.descriptor >= 0)
		close(file.connection.descriptor);
	rgbroker_close(handle);
	return 0;
}
