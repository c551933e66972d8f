/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/daemon/ene.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void ene_put(struct ring *ring, uint8_t address, uint8_t behind)
{
	struct fake_chip *chip = &ring->bus->chips[address];

	*chip = (struct fake_chip){.present = 1, .ene = (uint8_t)(behind + 1)};
	for (unsigned i = 0; i < 16; i++)
		chip->registers[0xa0 + i] = (uint8_t)i;
}

struct batch batch_of(uint32_t context)
{
	static uint32_t serial = 0x7000;
	struct batch batch = batch_new(++serial);

	batch.header.context = context;
	return batch;
}

struct rgbroker_operation *add_set(struct batch *batch, uint8_t address, uint16_t number)
{
	const uint8_t data[] = {(uint8_t)(number >> 8), (uint8_t)number};

	return batch_add(batch, RGBROKER_WORD_DATA, false, address, ENE_SET, 2, data);
}

struct rgbroker_operation *add_byte(struct batch *batch, uint8_t address, uint8_t value)
{
	return batch_add(batch, RGBROKER_BYTE_DATA, false, address, ENE_BYTE, 1, &value);
}

struct rgbroker_operation *add_block(
	struct batch *batch, uint8_t address, const void *data, uint16_t length)
{
	return batch_add(batch, RGBROKER_BLOCK_DATA, false, address, ENE_BLOCK, length, data);
}

struct rgbroker_operation *add_read(struct batch *batch, uint8_t address)
{
	return batch_add(batch, RGBROKER_BYTE_DATA, true, address, ENE_READ, 1, NULL);
}

struct answer ene_set(int fd, uint32_t context, uint16_t number)
{
	struct batch batch = batch_of(context);

	add_set(&batch, ENE, number);
	return peer_ask(fd, &batch);
}

struct answer ene_byte(int fd, uint32_t context, uint8_t value)
{
	struct batch batch = batch_of(context);

	add_byte(&batch, ENE, value);
	return peer_ask(fd, &batch);
}

struct answer ene_block(int fd, uint32_t context, const void *data, uint16_t length)
{
	struct batch batch = batch_of(context);

	add_block(&batch, ENE, data, length);
	return peer_ask(fd, &batch);
}

struct answer ene_read(int fd, uint32_t context)
{
	struct batch batch = batch_of(context);

	add_read(&batch, ENE);
	return peer_ask(fd, &batch);
}

unsigned wire_count(const struct ring *ring)
{
	return atomic_load(&ring->bus->count);
}

const struct fake_entry *wire_at(const struct ring *ring, unsigned number)
{
	assert_true(number < wire_count(ring) && wire_count(ring) - number <= FAKE_LOG_SIZE);
	return &ring->bus->log[number % FAKE_LOG_SIZE];
}

bool wire_is_set(const struct ring *ring, unsigned number, uint8_t address, uint16_t value)
{
	const struct fake_entry *entry = wire_at(ring, number);

	return entry->kind == RGBROKER_WORD_DATA && !entry->read && entry->address == address &&
	       entry->command == ENE_SET && entry->data[0] == value >> 8 &&
	       entry->data[1] == (value & 0xff);
}

bool wire_is_byte(const struct ring *ring, unsigned number, uint8_t address, uint8_t value)
{
	const struct fake_entry *entry = wire_at(ring, number);

	return entry->kind == RGBROKER_BYTE_DATA && !entry->read && entry->address == address &&
	       entry->command == ENE_BYTE && entry->data[0] == value;
}

struct answer peer_ask_opcode(int fd, uint16_t opcode, uint32_t context)
{
	struct batch batch = batch_of(context);

	batch.header.opcode = opcode;
	return peer_ask(fd, &batch);
}

struct rgbroker_status peer_status(const struct ring *ring)
{
	int fd = peer_connect(ring, "admin");
	struct answer answer = peer_ask_opcode(fd, RGBROKER_STATUS, 0);
	struct rgbroker_status status;

	assert_answer(answer, RGBROKER_REASON_NONE, 0);
	assert_int_equal(answer.head.length, sizeof(status));
	memcpy(&status, answer.data, sizeof(status));
	close(fd);
	return status;
}
