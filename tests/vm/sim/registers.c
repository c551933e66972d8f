// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chips that are registers behind a pointer, and what others share with them.
 */

#include "rgbsim.h"

/* ---- plain chips: 256 registers behind a pointer, like a 24C02 ---- */

void regs_reset(struct rgbsim_chip *chip)
{
	unsigned int i;

	for (i = 0; i < chip->model->size; i++)
		chip->mem[i] = chip->address + i;
}

static void regs_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		chip->mem[chip->pointer] = *++bytes;
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

u8 regs_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[chip->pointer];

	chip->pointer = (chip->pointer + 1) & 0xff;
	return value;
}

const struct rgbsim_model plain_model = {
	.size = 256,
	.reset = regs_reset,
	.write = regs_write,
	.read = regs_read,
};

/* ---- SPD EEPROM without write protection: what there is to lose ---- */

static void spd_reset(struct rgbsim_chip *chip)
{
	static const u8 head[] = {
		0x23, 0x11,	/* 384 bytes used of 512, revision 1.1 */
		0x0c,		/* DDR4 */
		0x02,		/* UDIMM */
	};
	unsigned int i;

	for (i = 0; i < chip->model->size; i++)
		chip->mem[i] = i * 7 + 3;
	memcpy(chip->mem, head, sizeof(head));
}

const struct rgbsim_model spd_model = {
	.size = 256,
	.reset = spd_reset,
	.write = regs_write,
	.read = regs_read,
};

/* ---- what must not change: every byte written is counted, the same one again too ---- */

void rgbsim_count_write(struct rgbsim_chip *chip, u16 at)
{
	const struct rgbsim_area *area = chip->model->areas;
	unsigned int i;

	for (i = 0; i < RGBSIM_AREAS; i++)
		if (at >= area[i].start && at - area[i].start < area[i].len)
			chip->writes[i]++;
}

void rgbsim_store(struct rgbsim_chip *chip, u16 at, u8 value)
{
	chip->mem[at] = value;
	rgbsim_count_write(chip, at);
}

void guarded_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		rgbsim_store(chip, chip->pointer, *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

u8 nothing_read(struct rgbsim_chip *chip)
{
	return 0;
}

/* The module's voltages. Its registers are made up: none may be written. */
const struct rgbsim_model pmic_model = {
	.size = 256,
	.areas = { { "pmic", 0, 256 } },
	.reset = regs_reset,
	.write = guarded_write,
	.read = regs_read,
};
