/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: what no device file can open. First row that holds the address wins.
 *
 * Reads with a command put the command byte on the wire as a write first. At an EEPROM that only
 * sets the read address; at 0x30-0x37 the chips take the mere addressing as a command (page select,
 * write protection), so there reads are closed too.
 */
#include "policy/policy.h"

static const struct floor_row table[] = {
	/* NXP UM10204 (I2C specification) table 4; SMBus 3.2, appendix C */
	{BUS_SMBUS, 0x00, 0x07, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (general call, start byte, high speed)"},
	{BUS_SMBUS, 0x08, 0x08, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER, "the SMBus host itself"},
	{BUS_SMBUS, 0x09, 0x0b, FLOOR_OPEN, FLOOR_NEVER, FLOOR_NEVER,
		"smart battery, its charger and selector"},
	{BUS_SMBUS, 0x0c, 0x0c, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"the SMBus alert response address: every chip may answer"},
	{BUS_SMBUS, 0x10, 0x17, FLOOR_OPEN, FLOOR_CHIP, FLOOR_OPEN,
		"temperature sensors of registered DDR5 modules live here"},
	{BUS_SMBUS, 0x18, 0x1f, FLOOR_OPEN, FLOOR_CHIP_UNBUFFERED, FLOOR_OPEN,
		"temperature sensors of memory modules live here"},
	/* onsemi N34C04, NXP SE97: addressing alone is a command here, on DDR3 an irreversible one
	 */
	{BUS_SMBUS, 0x30, 0x37, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"write protection and page select of the memory modules' SPD"},
	/* JEDEC JESD301 */
	{BUS_SMBUS, 0x48, 0x4f, FLOOR_OPEN, FLOOR_CHIP_NOT_DDR5, FLOOR_CHIP_NOT_DDR5,
		"voltage regulators of DDR5 modules live here"},
	{BUS_SMBUS, 0x50, 0x57, FLOOR_OPEN, FLOOR_NEVER, FLOOR_NEVER,
		"the SPD of a memory module: a written byte can stop the machine from booting"},
	{BUS_SMBUS, 0x58, 0x5f, FLOOR_OPEN, FLOOR_CHIP_UNBUFFERED, FLOOR_OPEN,
		"clock drivers of registered memory modules live here"},
	{BUS_SMBUS, 0x69, 0x69, FLOOR_OPEN, FLOOR_NEVER, FLOOR_NEVER,
		"the clock generator of many boards"},
	{BUS_SMBUS, 0x78, 0x7f, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (ten-bit addressing)"},

	{BUS_GPU, 0x00, 0x07, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (general call, start byte, high speed)"},
	/* VESA E-DDC: EDID at 0x50, its segment pointer at 0x30, DDC/CI at 0x37, HDCP at 0x3a */
	{BUS_GPU, 0x30, 0x30, FLOOR_OPEN, FLOOR_NOT_DISPLAY, FLOOR_NOT_DISPLAY,
		"a display's EDID segment"},
	{BUS_GPU, 0x37, 0x37, FLOOR_OPEN, FLOOR_NOT_DISPLAY, FLOOR_NOT_DISPLAY,
		"a display's DDC/CI"},
	{BUS_GPU, 0x3a, 0x3a, FLOOR_OPEN, FLOOR_NOT_DISPLAY, FLOOR_NOT_DISPLAY, "a display's HDCP"},
	{BUS_GPU, 0x50, 0x57, FLOOR_OPEN, FLOOR_NOT_DISPLAY, FLOOR_NOT_DISPLAY, "a display's EDID"},
	{BUS_GPU, 0x78, 0x7f, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (ten-bit addressing)"},

	{BUS_CUSTOM, 0x00, 0x07, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (general call, start byte, high speed)"},
	{BUS_CUSTOM, 0x78, 0x7f, FLOOR_NEVER, FLOOR_NEVER, FLOOR_NEVER,
		"reserved by the I2C specification (ten-bit addressing)"},
};

const struct floor_row *floor_find(enum bus_class class, uint8_t address)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].class == class && address >= table[i].first &&
			address <= table[i].last)
			return &table[i];
	return NULL;
}

enum floor_lift floor_lift(const struct floor_row *row, const struct rgbroker_operation *operation)
{
	if (!row)
		return FLOOR_OPEN;
	if (operation_is_quick(operation))
		return row->quick;
	return operation->read ? row->read : row->write;
}
