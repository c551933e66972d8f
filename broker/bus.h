/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One I2C adapter. Knows no policy: what arrives here is carried out. The real one is
 * bus-i2c-dev.c; tests link another behind the same calls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/wire.h"

#define BUS_SPD_ADDRESS 0x50 /* of the first memory module's SPD */
#define BUS_SPDS 8

struct bus {
	int fd;
	unsigned number;
	uint32_t functionality; /* I2C_FUNC_*, less what the protocol cannot say */
	int spds[BUS_SPDS];     /* what the kernel's driver shows of each; -1: none is bound */
};

/* The number of the adapter whose node is open there, or -1 if it is none. */
int bus_adapter(int fd);
/*
 * Open /dev/i2c-NUMBER, or take fd over if it is not -1: closed if this fails, else kept as long as
 * the process lives. 0, or a negative errno: -ENOTTY for a descriptor that is no I2C node.
 */
int bus_open(struct bus *ret_bus, unsigned number, int fd);

/* Whether a kernel driver is bound to the address. Nothing goes on the wire. */
int bus_owner(struct bus *bus, uint8_t address, bool *ret_owned);

/*
 * Bytes of the SPD at an address (0x50-0x57) as the kernel's own driver shows them, all pages one
 * behind the other. 0, -ENOENT if no such driver was bound when the bus was opened (nothing is
 * opened later: see sandbox.h), -ENODEV if it has gone since, or another negative errno.
 */
int bus_kernel_spd(
	const struct bus *bus, uint8_t address, unsigned offset, uint8_t *data, size_t size);

/*
 * Carry out one SMBus operation, or count joined plain I2C messages as one transfer.
 * data[i]: what operation i writes, NULL for a read. read_data: room of the reads, one behind the
 * other; filled on success, zeroed where the chip sent less. 0 or the kernel's negative errno,
 * -EBUSY if a kernel driver has one of the addresses.
 */
int bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data);
