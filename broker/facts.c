/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the broker finds out by itself, before it lets anybody write. */
#include "broker/authorise.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Bytes of an SPD; JEDEC 21-C annex L (DDR4), JESD400-5 (DDR5) */
#define SPD_KIND 2
#define SPD_MODULE 3 /* low nibble */
#define SPD_DDR4_HEAD 0x23
#define SPD_DDR4 0x0c
#define SPD_DDR5 0x12
#define SPD_DDR4_MAKER 320
#define SPD_DDR5_MAKER 512
/* Registers of the hub that holds a DDR5 module's SPD; JESD300-5 */
#define HUB_TYPE_HIGH 0x00 /* 0x51 */
#define HUB_TYPE_LOW 0x01  /* 0x18, or 0x08 without a thermometer */
#define HUB_PAGE 0x0b      /* low bits: the page shown from 0x80 on; bit 3: wide addresses */
#define HUB_WINDOW 0x80

/* The answers by which drivers say that nobody acknowledged; other failures tell nothing. */
static bool nobody_there(int r)
{
	return r == -ENXIO || r == -EIO || r == -EREMOTEIO;
}

static int own_read(
	struct client *client, const struct rgbroker_operation *operation, uint8_t *answer)
{
	const uint8_t *no_data = NULL;

	return broker_run(client, true, operation, 1, &no_data, answer);
}

static int read_byte(struct client *client, uint8_t address, uint8_t command, uint8_t *ret_value)
{
	const struct rgbroker_operation operation = {.kind = RGBROKER_BYTE_DATA,
		.read = 1,
		.address = address,
		.command = command,
		.length = 1};

	return own_read(client, &operation, ret_value);
}

int find_owner(struct client *client, uint8_t address)
{
	struct broker *broker = client->broker;
	bool owned;
	int r = bus_owner(&broker->bus, address, &owned);

	if (r == 0)
		broker->facts.owner[address] = owned ? OWNER_KERNEL : OWNER_NONE;
	return r;
}

/* Receive byte: no command, which to some chip might mean something. */
int find_answer(struct client *client, uint8_t address)
{
	const struct rgbroker_operation operation = {
		.kind = RGBROKER_BYTE, .read = 1, .address = address, .length = 1};
	uint8_t answer;
	int r = own_read(client, &operation, &answer);

	/* Not EIO, by which some drivers tell of collisions: then somebody is there. */
	if (r < 0 && r != -ENXIO && r != -EREMOTEIO)
		return r;
	client->broker->facts.answers[address] = r < 0 ? PRESENCE_NO : PRESENCE_YES;
	return 0;
}

/* --- families --- */

static bool value_as_expected(const struct expectation *expectation, const uint8_t *answer)
{
	unsigned value = answer[0];

	if (expectation->kind == RGBROKER_WORD_DATA)
		value |= (unsigned)answer[1] << 8;
	return ranges_have(expectation->values, expectation->n_values, value & expectation->mask);
}

/* Blocks come with their count, and have to be of the length that was expected. */
static bool as_expected(const struct expectation *expectation, const uint8_t *answer)
{
	if (expectation->kind == RGBROKER_BYTE_DATA || expectation->kind == RGBROKER_WORD_DATA)
		return value_as_expected(expectation, answer);
	if (expectation->kind != RGBROKER_I2C && *answer++ != expectation->length)
		return false;
	return bytes_fit(expectation->data, expectation->n_data, answer);
}

static int send_first(struct client *client, const struct expectation *expectation, uint8_t address)
{
	const struct rgbroker_operation operation = {
		.kind = RGBROKER_I2C, .address = address, .length = (uint16_t)expectation->n_send};
	const uint8_t *data = expectation->send;

	return expectation->n_send ? broker_run(client, true, &operation, 1, &data, NULL) : 0;
}

static int read_answer(struct client *client, const struct expectation *expectation,
	uint8_t address, uint8_t *answer)
{
	struct rgbroker_operation operation = {.kind = expectation->kind,
		.read = 1,
		.address = address,
		.command = expectation->command,
		.length = expectation->length};
	int r = send_first(client, expectation, address);

	if (expectation->kind == RGBROKER_BLOCK_DATA)
		operation.length = RGBROKER_BLOCK_MAX + 1;
	else if (expectation->kind == RGBROKER_I2C_BLOCK)
		operation.length++;
	return r < 0 ? r : own_read(client, &operation, answer);
}

int find_family(struct client *client, const struct device *device, uint8_t address)
{
	for (size_t i = 0; i < device->n_expectations; i++) {
		uint8_t answer[RGBROKER_BLOCK_MAX + 1];
		int r = read_answer(client, &device->expectations[i], address, answer);

		if (r < 0)
			return nobody_there(r) || r == -EOPNOTSUPP ? 0 : r;
		if (!as_expected(&device->expectations[i], answer))
			return 0;
		if (device->pause_ms)
			(void)poll(NULL, 0, (int)device->pause_ms);
	}
	return 1;
}

/* --- displays --- */

/* VESA E-EDID: eight bytes that no other chip begins with. Owned by a driver: that knows why. */
int find_edid(struct client *client, uint8_t address)
{
	static const uint8_t head[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
	enum presence presence = PRESENCE_YES;

	for (uint8_t i = 0; i < sizeof(head) && presence == PRESENCE_YES; i++) {
		uint8_t value;
		int r = read_byte(client, address, i, &value);

		if (r == -EBUSY)
			break;
		if (r < 0 && !nobody_there(r))
			return r;
		if (r < 0 || value != head[i])
			presence = PRESENCE_NO;
	}
	client->broker->facts.edid[address] = (uint8_t)presence;
	return 0;
}

/* --- memory modules --- */

/*
 * Registered and clocked modules have chips of their own on the bus. JEDEC's base module types: 2
 * UDIMM, 3 SO-DIMM; of DDR4 also 6, 9, 12, 13: small and 72 bit ones of that kind.
 */
static bool is_unbuffered(enum memory_kind kind, uint8_t module)
{
	unsigned type = module & 0x0f;

	if (type == 2 || type == 3)
		return true;
	return kind == MEMORY_DDR4 && (type == 6 || type == 9 || type == 12 || type == 13);
}

/* What the kernel's own SPD driver shows, pages and all. */
static void memory_from_kernel(struct broker *broker, uint8_t address, struct memory *memory)
{
	uint8_t head[4], maker[2] = {0, 0};

	if (bus_kernel_spd(&broker->bus, address, 0, head, sizeof(head)) < 0)
		return;
	if (head[SPD_KIND] == SPD_DDR4)
		memory->kind = MEMORY_DDR4;
	else if (head[SPD_KIND] == SPD_DDR5)
		memory->kind = MEMORY_DDR5;
	else
		memory->kind = MEMORY_OTHER;
	memory->unbuffered =
		memory->kind != MEMORY_OTHER && is_unbuffered(memory->kind, head[SPD_MODULE]);
	if (memory->kind != MEMORY_OTHER &&
		bus_kernel_spd(&broker->bus, address,
			memory->kind == MEMORY_DDR4 ? SPD_DDR4_MAKER : SPD_DDR5_MAKER, maker,
			sizeof(maker)) == 0)
		memory->maker = (uint16_t)(maker[0] << 8 | maker[1]);
}

/* The first page, if it is the one that shows. A hub that stops answering is no empty slot. */
static int ddr5_module(struct client *client, uint8_t address, struct memory *memory)
{
	uint8_t page, kind = 0, module = 0;
	int r = read_byte(client, address, HUB_PAGE, &page);

	memory->kind = MEMORY_DDR5;
	if (r == 0 && page & 0x0f)
		return 0;
	if (r == 0)
		r = read_byte(client, address, HUB_WINDOW + SPD_KIND, &kind);
	if (r == 0)
		r = read_byte(client, address, HUB_WINDOW + SPD_MODULE, &module);
	memory->unbuffered = r == 0 && kind == SPD_DDR5 && is_unbuffered(MEMORY_DDR5, module);
	return nobody_there(r) ? 0 : r;
}

/*
 * The wrong page of a DDR4 SPD, and whatever else, cannot be told from nothing known: selecting a
 * page would change what everybody else reads. Four bytes tell the first page of a DDR4 one.
 */
static int memory_from_bus(struct client *client, uint8_t address, struct memory *memory)
{
	uint8_t head[4];

	for (uint8_t i = 0; i < sizeof(head); i++) {
		int r = read_byte(client, address, i, &head[i]);

		if (r < 0)
			return i == 0 || !nobody_there(r) ? r
							  : 0; /* a chip that stops is obscure */
		if (i == 1 && head[HUB_TYPE_HIGH] == 0x51 && (head[HUB_TYPE_LOW] & ~0x10) == 0x08)
			return ddr5_module(client, address, memory);
	}
	if (head[0] == SPD_DDR4_HEAD && head[1] >> 4 == 1 && head[SPD_KIND] == SPD_DDR4) {
		memory->kind = MEMORY_DDR4;
		memory->unbuffered = is_unbuffered(MEMORY_DDR4, head[SPD_MODULE]);
	} else if (head[SPD_KIND] > 0 && head[SPD_KIND] <= 0x0b && head[0] >= 0x80) {
		memory->kind = MEMORY_OTHER; /* DDR3 and older: 128 bytes and more in the first */
	}
	return 0;
}

int find_memory(struct client *client, uint8_t address)
{
	struct broker *broker = client->broker;
	struct memory memory = {.kind = MEMORY_OBSCURE};
	int r = find_owner(client, address);

	if (r == 0 && broker->facts.owner[address] == OWNER_KERNEL)
		memory_from_kernel(broker, address, &memory);
	else if (r == 0)
		r = memory_from_bus(client, address, &memory);
	/* Not EIO, by which some drivers tell of collisions too: an empty slot stays empty. */
	if (r == -ENXIO || r == -EREMOTEIO) {
		memory = (struct memory){.kind = MEMORY_EMPTY};
		r = 0;
	}
	if (r == -EIO)
		r = 0;
	if (r == 0)
		broker->facts.memory[address - SLOT_ADDRESS] = memory;
	return r;
}
