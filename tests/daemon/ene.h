/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controllers with a register pointer, as config/devices/pointed.conf knows them. */
#pragma once

#include "protocol/inspect.h"
#include "tests/daemon/ring.h"

#define ENE 0x70
#define ENE_SET 0x00 /* commands */
#define ENE_BYTE 0x01
#define ENE_BLOCK 0x03
#define ENE_READ 0x81
#define ENE_MOVE 0x80f9   /* registers */
#define ENE_RECOGNITION 2 /* own reads */

/* A controller that will be recognised; behind: which memory its pointer shows. */
void ene_put(struct ring *ring, uint8_t address, uint8_t behind);

struct batch batch_of(uint32_t context);
struct rgbroker_operation *add_set(struct batch *batch, uint8_t address, uint16_t number);
struct rgbroker_operation *add_byte(struct batch *batch, uint8_t address, uint8_t value);
struct rgbroker_operation *add_block(
	struct batch *batch, uint8_t address, const void *data, uint16_t length);
struct rgbroker_operation *add_read(struct batch *batch, uint8_t address);

/* The same as requests of one operation. */
struct answer ene_set(int fd, uint32_t context, uint16_t number);
struct answer ene_byte(int fd, uint32_t context, uint8_t value);
struct answer ene_block(int fd, uint32_t context, const void *data, uint16_t length);
struct answer ene_read(int fd, uint32_t context);

/* --- the wire --- */

unsigned wire_count(const struct ring *ring);
const struct fake_entry *wire_at(const struct ring *ring, unsigned number);
bool wire_is_set(const struct ring *ring, unsigned number, uint8_t address, uint16_t value);
bool wire_is_byte(const struct ring *ring, unsigned number, uint8_t address, uint8_t value);

/* --- what administrators ask --- */

struct answer peer_ask_opcode(int fd, uint16_t opcode, uint32_t context);
struct rgbroker_status peer_status(const struct ring *ring);

#define assert_done(of) assert_answer(of, RGBROKER_REASON_NONE, 0)
#define assert_refused(of, reason)                                                                 \
	assert_answer(of, reason,                                                                  \
		(reason) == RGBROKER_REASON_CLAIMED || (reason) == RGBROKER_REASON_OWNED           \
			? -EBUSY                                                                   \
			: -EACCES)
