// SPDX-License-Identifier: GPL-2.0-only
#include "rgbsim.h"

/* ---- Kingston Fury: written by bytes, read by words (KingstonFuryDRAMController) ---- */

#define FURY_NAME		0x01	/* to 0x04 */
#define FURY_MODEL		0x06
#define FURY_APPLY		0x08
#define FURY_APPLY_BEGIN	0x53
#define FURY_APPLY_END		0x44
#define FURY_COLORS		0x50
#define FURY_MODEL_DDR4		0x23
#define FURY_MODEL_DDR5		0x10
#define FURY_LEDS_DDR4		10
#define FURY_LEDS_DDR5		12

/* behind the registers: what has been applied, and whether anybody ever began */
#define FURY_LIT		0x100
#define FURY_AWAKE		0x1ff

static void fury_reset_ddr4(struct rgbsim_chip *chip)
{
	memcpy(chip->mem + FURY_NAME, "FURY", 4);
	chip->mem[FURY_MODEL] = FURY_MODEL_DDR4;
}

static void fury_reset_ddr5(struct rgbsim_chip *chip)
{
	memcpy(chip->mem + FURY_NAME, "FURY", 4);
	chip->mem[FURY_MODEL] = FURY_MODEL_DDR5;
}

static void fury_store(struct rgbsim_chip *chip, u8 value)
{
	u8 *mem = chip->mem;

	if (chip->pointer > FURY_MODEL)
		mem[chip->pointer] = value;
	if (chip->pointer != FURY_APPLY)
		return;
	if (value == FURY_APPLY_BEGIN)
		mem[FURY_AWAKE] = 1;
	else if (value == FURY_APPLY_END)
		memcpy(mem + FURY_LIT, mem + FURY_COLORS, 3 * FURY_LEDS_DDR5);
}

static void fury_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	/* here it counts the bytes read since */
	chip->command = 0;
	chip->pointer = bytes[0];
	while (--len) {
		fury_store(chip, *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

/* A word's high byte is the register's. */
static u8 fury_read(struct rgbsim_chip *chip)
{
	if (chip->command++ % 2 == 0)
		return 0;
	if (chip->pointer <= FURY_MODEL && !chip->mem[FURY_AWAKE])
		return 0;
	return chip->mem[chip->pointer];
}

static void fury_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int count = chip->mem[FURY_MODEL] == FURY_MODEL_DDR5 ?
			     FURY_LEDS_DDR5 : FURY_LEDS_DDR4;
	unsigned int i;

	for (i = 0; i < count; i++)
		seq_printf(s, "0x%02x %u %3phN\n", chip->address, i,
			   chip->mem + FURY_LIT + 3 * i);
}

const struct rgbsim_model fury_ddr4_model = {
	.size = 512,
	.reset = fury_reset_ddr4,
	.write = fury_write,
	.read = fury_read,
	.show_leds = fury_show_leds,
};

const struct rgbsim_model fury_ddr5_model = {
	.size = 512,
	.reset = fury_reset_ddr5,
	.write = fury_write,
	.read = fury_read,
	.show_leds = fury_show_leds,
};
