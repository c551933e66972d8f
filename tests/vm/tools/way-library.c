/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As a program does that was written for librgbroker. */
#include "way.h"

#include "client-lib/rgbroker.h"

static struct rgbroker *handle;
static uint8_t chip;

int way_open(int bus, int address)
{
	chip = (uint8_t)address;
	return rgbroker_open(&handle, bus);
}

int way_write(uint8_t command, uint16_t value)
{
	return rgbroker_smbus_write_word_data(handle, chip, command, value);
}

int way_read(uint8_t command)
{
	return rgbroker_smbus_read_byte_data(handle, chip, command);
}
