/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole conversations with the broker's own code. The input is a scene (an adapter, its chips and
 * modules) and steps: who connects, what is sent, what fails. tests/fuzz/README.md has the form.
 */
#include "tests/fuzz/world.h"

#include <errno.h>
#include <unistd.h>

#define STEPS_MAX 400
#define SECOND UINT64_C(1000000)

static uint32_t serial;

static struct connection_of *take_connection(struct input *input)
{
	struct connection_of *connection = &world.connections[input_byte(input) % CONNECTIONS];

	return connection->used && !connection->closed ? connection : NULL;
}

static uint32_t take_context(struct input *input)
{
	return input_byte(input) % 8;
}

/* --- requests that are mostly in form --- */

struct message {
	_Alignas(8) uint8_t bytes[RGBROKER_REQUEST_MAX];
	struct rgbroker_request header;
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	uint8_t data[RGBROKER_DATA_MAX];
	size_t room; /* asked for by reads */
};

static void message_begin(struct message *message, uint16_t opcode, uint32_t context)
{
	message->header = (struct rgbroker_request){.version = RGBROKER_PROTOCOL_VERSION,
		.opcode = opcode,
		.serial = ++serial,
		.context = context};
	message->room = 0;
}

/* False: it has no more room for that one. */
static bool message_add(
	struct message *message, const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct rgbroker_request *header = &message->header;

	if (header->count == RGBROKER_OPERATIONS_MAX ||
		(operation->read ? message->room : header->length) + operation->length >
			RGBROKER_DATA_MAX)
		return false;
	message->operations[header->count++] = *operation;
	if (operation->read) {
		message->room += operation->length;
	} else {
		memcpy(message->data + header->length, data, operation->length);
		header->length = (uint16_t)(header->length + operation->length);
	}
	return true;
}

static size_t message_end(struct message *message)
{
	const struct rgbroker_request *header = &message->header;
	size_t operations = header->count * sizeof(message->operations[0]);
	uint8_t *at = message->bytes;

	memcpy(at, header, sizeof(*header));
	memcpy(at + sizeof(*header), message->operations, operations);
	memcpy(at + sizeof(*header) + operations, message->data, header->length);
	return sizeof(*header) + operations + header->length;
}

/* A byte says kind (3 bits), read, joined, earlier; then address, command, length, data. */
static bool take_operation(struct input *input, struct message *message, bool last)
{
	static const uint8_t kinds[8] = {RGBROKER_QUICK, RGBROKER_BYTE, RGBROKER_BYTE_DATA,
		RGBROKER_WORD_DATA, RGBROKER_BLOCK_DATA, RGBROKER_I2C_BLOCK, RGBROKER_I2C,
		RGBROKER_BYTE_DATA};
	static const uint8_t lengths[8] = {0, 0, 1, 2, 0, 0, 0, 1};
	uint8_t data[64], form = input_byte(input), kind = form % 8, address = input_byte(input);
	struct rgbroker_operation operation = {.kind = kinds[kind],
		.read = form >> 3 & 1,
		.address = address % ADDRESSES,
		.earlier = form >> 5 & 1,
		.length = lengths[kind]};

	if (kind == 6)
		operation.joined = !last && form & 0x10;
	if (kind != 0 && kind != 6 && !(kind == 1 && operation.read))
		operation.command = input_byte(input);
	if (kind == 1)
		operation.length = operation.read;
	if (kind == 4)
		operation.length = operation.read ? 33 : input_byte(input) % 33;
	if (kind == 5)
		operation.length = (uint16_t)(input_byte(input) % 33 + operation.read);
	if (kind == 6)
		operation.length = input_byte(input) % 64;
	if (!operation.read)
		input_bytes(input, data, operation.length);
	return message_add(message, &operation, data);
}

static void ask(struct input *input, unsigned count)
{
	static struct message message;
	struct connection_of *connection = take_connection(input);

	message_begin(&message, RGBROKER_TRANSFER, take_context(input));
	for (unsigned i = 0; i < count; i++)
		if (!take_operation(input, &message, i + 1 == count))
			break;
	if (message.header.count) /* the last one that had room is joined to nothing */
		message.operations[message.header.count - 1].joined = 0;
	if (connection && message.header.count)
		peer_send(connection, message.bytes, message_end(&message), 0);
}

/* Where ENE-like chips keep what matters, and its borders. */
static const uint16_t registers[16] = {0x8000, 0x8020, 0x802f, 0x8030, 0x80a0, 0x80f8, 0x80f9,
	0x8100, 0x81fe, 0x81ff, 0xe0f9, 0xe100, 0x1000, 0x1025, 0x8300, 0xffff};

static void add_set(struct message *message, uint8_t address, uint16_t number, bool earlier)
{
	const uint8_t data[2] = {(uint8_t)(number >> 8), (uint8_t)number};
	const struct rgbroker_operation operation = {
		.kind = RGBROKER_WORD_DATA, .address = address, .length = 2, .earlier = earlier};

	message_add(message, &operation, data);
}

/* A byte, up to three of them, or a read. */
static void add_datum(struct message *message, struct input *input, uint8_t address, uint8_t how)
{
	uint8_t data[8];
	struct rgbroker_operation operation = {.kind = RGBROKER_BYTE_DATA,
		.address = address,
		.command = 0x01,
		.length = 1,
		.earlier = how >> 2 & 1};

	if (how % 4 == 1 || how % 4 == 2) {
		operation.kind = RGBROKER_BLOCK_DATA;
		operation.command = 0x03;
		operation.length = how % 4 == 1 ? 3 : how / 8 % 9;
	} else if (how % 4 == 3) {
		operation.read = 1;
		operation.command = 0x81;
	} else {
		data[0] = input_byte(input);
	}
	if (operation.kind == RGBROKER_BLOCK_DATA)
		input_bytes(input, data, operation.length);
	message_add(message, &operation, data);
}

/* A pointer and data, as ENE-like chips take them: in one request or in several. */
static void ask_pointer(struct input *input)
{
	static struct message message;
	struct connection_of *connection = take_connection(input);
	uint32_t context = take_context(input);
	uint8_t address = input_byte(input) % ADDRESSES, form = input_byte(input);
	unsigned n_data = form / 16 % 4;

	message_begin(&message, RGBROKER_TRANSFER, context);
	if (form & 1)
		add_set(&message, address,
			form & 2 ? registers[input_byte(input) % 16] : input_word(input), form & 4);
	for (unsigned i = 0; i < n_data; i++)
		add_datum(&message, input, address, input_byte(input));
	if (connection && message.header.count)
		peer_send(connection, message.bytes, message_end(&message), 0);
}

/* So many contexts that the table of pointers has no more room. */
static void ask_crowd(struct input *input)
{
	static struct message message;
	struct connection_of *connection = take_connection(input);
	uint8_t first = input_byte(input), address = input_byte(input) % ADDRESSES,
		count = input_byte(input) % 64;

	for (unsigned i = 0; connection && i < count; i++) {
		message_begin(&message, RGBROKER_TRANSFER, first * 64U + i);
		add_set(&message, address, (uint16_t)(0x8100 + i), false);
		peer_send(connection, message.bytes, message_end(&message), 0);
		if (connection->reads)
			world_settle();
	}
}

static void ask_opcode(struct input *input)
{
	static struct message message;
	struct connection_of *connection = take_connection(input);
	uint16_t opcode = input_byte(input) % 12;
	uint8_t context = input_byte(input);

	message_begin(&message, opcode,
		opcode == RGBROKER_CHIPS || opcode == RGBROKER_COUNTS ? context % 8 : context);
	if (connection)
		peer_send(connection, message.bytes, message_end(&message), 0);
}

/* --- those that are not --- */

static void send_raw(struct input *input)
{
	static _Alignas(8) uint8_t bytes[RGBROKER_REQUEST_MAX + 512];
	struct connection_of *connection = take_connection(input);
	uint8_t form = input_byte(input);
	size_t size = form & 1 ? input_byte(input) : input_word(input) % sizeof(bytes);

	if (form & 2) { /* the header is in form */
		struct rgbroker_request header = {.version = RGBROKER_PROTOCOL_VERSION,
			.opcode = form >> 3,
			.serial = ++serial};

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, &header, sizeof(header));
		input_bytes(input, bytes + offsetof(struct rgbroker_request, context),
			size < 64 ? size : 64);
	} else {
		input_bytes(input, bytes, size < 64 ? size : 64);
	}
	if (connection)
		peer_send(connection, bytes, size, form & 4 ? form >> 6 & 3 : 0);
}

/* --- what else happens --- */

static void connect_one(struct input *input)
{
	uint8_t how = input_byte(input);

	world.no_pidfd = how & 0x40 ? how & 0x80 ? EMFILE : ESRCH : 0;
	world.no_credentials = (how & 0xc0) == 0x80;
	peer_connect(how % 8 % DOORS, &world.people[how / 8 % 8 % PEOPLE]);
}

/* The kernel's clocks; a suspend is seen by their difference. */
static void pass_time(struct input *input)
{
	uint8_t how = input_byte(input);

	switch (how % 4) {
	case 0:
		world.monotonic += how * 1000;
		world.boottime += how * 1000;
		break;
	case 1:
		world.monotonic += how * SECOND;
		world.boottime += how * SECOND;
		break;
	case 2:
		world.boottime += how * SECOND;
		world.slept = true;
		sim_power_cycle(input);
		break;
	case 3:
		world.boottime += 50000; /* less than a suspend */
		break;
	}
	doors_resume(&world.broker); /* as its timer does */
}

static void end_process(struct input *input)
{
	uint8_t how = input_byte(input);

	person_exits(&world.people[how % 8 % PEOPLE], how & 8, how & 16);
}

static void restart(const struct scene *scene, struct input *input)
{
	uint8_t how = input_byte(input);

	world_stop();
	if (how & 1)
		sim_power_cycle(input);
	world_start(scene);
}

static void toggle_reading(struct input *input)
{
	struct connection_of *connection = take_connection(input);

	if (connection)
		connection->reads = !connection->reads;
}

/* The upper bits of a step's byte: whether the broker gets to work before the next one. */
static void take_step(const struct scene *scene, struct input *input)
{
	uint8_t step = input_byte(input);
	struct connection_of *connection;

	switch (step % 16) {
	case 0:
		connect_one(input);
		break;
	case 1:
	case 2:
		ask(input, 1);
		break;
	case 3:
		ask(input, 1 + input_byte(input) % 16);
		break;
	case 4:
		ask(input, 1 + input_byte(input) % 72);
		break;
	case 5:
	case 6:
		ask_pointer(input);
		break;
	case 7:
		ask_opcode(input);
		break;
	case 8:
		send_raw(input);
		break;
	case 9:
		sim_add_fault(input);
		break;
	case 10:
		sim_change(input);
		break;
	case 11:
		pass_time(input);
		break;
	case 12:
		end_process(input);
		break;
	case 13:
		if ((connection = take_connection(input)))
			peer_close(connection);
		break;
	case 14:
		if (step & 0x40)
			restart(scene, input);
		else
			toggle_reading(input);
		break;
	case 15:
		ask_crowd(input);
		break;
	}
	if (step & 0x80)
		return;
	if (step & 0x10)
		world_step();
	else
		world_settle();
}

/* --- in the end --- */

/* Whatever has happened: who comes now is served, and told the truth. */
static void check_doors_are_open(const struct scene *scene)
{
	static struct message message;
	struct connection_of *connection;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (world.connections[i].used)
			peer_close(&world.connections[i]);
	doors_resume(&world.broker);
	world.no_pidfd = 0;
	world.no_credentials = false;
	world_settle();
	connection = peer_connect(DOOR_RGB, &world.people[0]);
	must(connection, "connections are left");
	message_begin(&message, RGBROKER_INFO, 0);
	must(peer_send(connection, message.bytes, message_end(&message), 0), "no way in");
	world_settle();
	must(connection->n_sent == 0 && !connection->cut, "nobody answers");
	must(world.broker.status.clients == 1, "%u clients are left over",
		world.broker.status.clients);
	for (unsigned at = 0; at < ADDRESSES; at++)
		must(!world.broker.claims[at], "0x%02x is still claimed", at);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	scenes_load();
	world_set_up();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	const struct scene *scene = &scenes[input_byte(&input) % n_scenes];

	serial = 0;
	world_begin(scene, &input);
	for (unsigned steps = 0; steps < STEPS_MAX && !input_ended(&input); steps++)
		take_step(scene, &input);
	check_doors_are_open(scene);
	world_stop();
	world_end();
	return 0;
}
