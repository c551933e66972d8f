// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>

#include "rgbsim.h"

/* ENE controllers: their registers, and the commands that reach them (ENESMBusController) */
#define ENE_REGISTERS		0x10000
#define ENE_NAME		0x1000
#define ENE_MAKER		0x1030
#define ENE_CONFIG		0x1c00
#define ENE_CONFIG_LEDS		(ENE_CONFIG + 0x02)
#define ENE_CONFIG_LEDS_2	(ENE_CONFIG + 0x03)
#define ENE_CONFIG_CHANNEL	(ENE_CONFIG + 0x13)
#define ENE_CONFIG_CHANNEL_2	(ENE_CONFIG + 0x1b)
#define ENE_WRITABLE		0x8000
#define ENE_DIRECT		0x8020
#define ENE_SLOT		0x80f8
#define ENE_ADDRESS		0x80f9
#define ENE_COLORS_DIRECT	0x8100
#define ENE_COLORS_EFFECT	0x8160

#define ENE_CMD_POINTER		0x00
#define ENE_CMD_WRITE		0x01
#define ENE_CMD_WRITE_BLOCK	0x03
#define ENE_CMD_READ		0x81
#define ENE_CMD_FINGERPRINT	0xa0

/* ---- ENE: a 16 bit pointer sent as data, registers behind it ---- */

static void ene_init(struct rgbsim_chip *chip, const char *name, u8 count)
{
	memcpy(chip->mem + ENE_NAME, name, strlen(name));
	chip->mem[ENE_CONFIG_LEDS] = count;
	chip->mem[ENE_CONFIG_LEDS_2] = count;
	/* lit from the start by what is written to the direct colours */
	chip->mem[ENE_DIRECT] = 1;
}

static void ene_reset(struct rgbsim_chip *chip)
{
	ene_init(chip, "AUDA0-E6K5-0101", rgbsim_leds);
	chip->mem[ENE_CONFIG_CHANNEL] = 0x05;
	if (chip->slot != RGBSIM_NO_SLOT)
		chip->mem[ENE_SLOT] = RGBSIM_NO_SLOT;
}

static void ene_reset_gpu(struct rgbsim_chip *chip)
{
	ene_init(chip, "AUMA0-E6K5-0107", 4);
	chip->mem[ENE_CONFIG_CHANNEL_2] = 0x83;
}

/* The command of one transfer says nothing about the next. */
static void ene_start(struct rgbsim_chip *chip)
{
	chip->command = 0;
}

static void ene_store(struct rgbsim_chip *chip, u8 value)
{
	if (chip->pointer >= ENE_WRITABLE)
		chip->mem[chip->pointer] = value;
	if (chip->model->stored)
		chip->model->stored(chip);
	chip->pointer++;
}

/*
 * The danger of these chips: told so, one moves onto another's address. Those of
 * several modules that still share an address are told apart by their slots.
 */
static void ene_stored(struct rgbsim_chip *chip)
{
	if (chip->pointer != ENE_ADDRESS)
		return;
	if (chip->slot == RGBSIM_NO_SLOT || chip->slot == chip->mem[ENE_SLOT])
		chip->address = chip->mem[ENE_ADDRESS] >> 1;
}

static void ene_store_block(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	size_t count;

	if (len == 0)
		return;
	for (count = min_t(size_t, bytes[0], len - 1); count; count--)
		ene_store(chip, *++bytes);
}

static void ene_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->command = bytes[0];
	if (chip->command == ENE_CMD_POINTER && len == 3)
		chip->pointer = bytes[1] << 8 | bytes[2];
	else if (chip->command == ENE_CMD_WRITE && len == 2)
		ene_store(chip, bytes[1]);
	else if (chip->command == ENE_CMD_WRITE_BLOCK)
		ene_store_block(chip, bytes + 1, len - 1);
}

static u8 ene_read(struct rgbsim_chip *chip)
{
	if (chip->command == ENE_CMD_READ)
		return chip->mem[chip->pointer++];
	if ((chip->command & 0xf0) == ENE_CMD_FINGERPRINT)
		return chip->command++ & 0x0f;
	return 0;
}

static void ene_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	const u8 *color = chip->mem + (chip->mem[ENE_DIRECT] ?
				       ENE_COLORS_DIRECT : ENE_COLORS_EFFECT);
	unsigned int i;

	/* the chip's order is red, blue, green */
	for (i = 0; i < chip->mem[ENE_CONFIG_LEDS]; i++, color += 3)
		seq_printf(s, "0x%02x %u %02x%02x%02x\n", chip->address, i,
			   color[0], color[2], color[1]);
}

const struct rgbsim_model ene_model = {
	.size = ENE_REGISTERS,
	.reset = ene_reset,
	.start = ene_start,
	.write = ene_write,
	.stored = ene_stored,
	.read = ene_read,
	.show_leds = ene_show_leds,
};

const struct rgbsim_model ene_gpu_model = {
	.size = ENE_REGISTERS,
	.reset = ene_reset_gpu,
	.start = ene_start,
	.write = ene_write,
	.stored = ene_stored,
	.read = ene_read,
	.show_leds = ene_show_leds,
};

/* ---- Crucial Ballistix: ENE's core, other registers (CrucialController) ---- */

#define CRUCIAL_LEDS		8
#define CRUCIAL_SLOT		0x82ee
#define CRUCIAL_ADDRESS		0x82ef
#define CRUCIAL_DO		0x82f0
#define CRUCIAL_DO_MOVE		0xf0
#define CRUCIAL_RED		0x8300
#define CRUCIAL_GREEN		0x8340
#define CRUCIAL_BLUE		0x8380

static void crucial_reset(struct rgbsim_chip *chip)
{
	/* whoever looks for other ENE controllers leaves it alone because of this */
	memcpy(chip->mem + ENE_MAKER, "Micron", 6);
}

static void crucial_stored(struct rgbsim_chip *chip)
{
	if (chip->pointer == CRUCIAL_DO && chip->mem[CRUCIAL_DO] == CRUCIAL_DO_MOVE &&
	    chip->mem[CRUCIAL_SLOT] == chip->slot)
		chip->address = chip->mem[CRUCIAL_ADDRESS] >> 1;
}

static void crucial_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int i;

	for (i = 0; i < CRUCIAL_LEDS; i++)
		seq_printf(s, "0x%02x %u %02x%02x%02x\n", chip->address, i,
			   chip->mem[CRUCIAL_RED + i], chip->mem[CRUCIAL_GREEN + i],
			   chip->mem[CRUCIAL_BLUE + i]);
}

const struct rgbsim_model crucial_model = {
	.size = ENE_REGISTERS,
	.reset = crucial_reset,
	.start = ene_start,
	.write = ene_write,
	.stored = crucial_stored,
	.read = ene_read,
	.show_leds = crucial_show_leds,
};
