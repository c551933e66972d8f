// SPDX-License-Identifier: GPL-2.0-only
#include <linux/minmax.h>

#include "rgbsim.h"

/* ---- DDR4 SPD EEPROMs (EE1004), their bus-wide page, their protection ---- */

#define EE1004_PAGE_SIZE	256

/* JEDEC's CRC16 of the bytes before it: polynomial 0x1021, low byte first */
void spd_crc16(u8 *mem, unsigned int len)
{
	u16 crc = 0;
	unsigned int i, bit;

	for (i = 0; i < len; i++) {
		crc ^= mem[i] << 8;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	mem[len] = crc;
	mem[len + 1] = crc >> 8;
}

/* made up, so that no byte is like the next one and no page like the other */
void spd_fill(u8 *mem, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		mem[i] = i * 7 + 3 + (i >> 8);
}

/* as SPD has it: the maker's two bytes at 320, 20 characters from 329, blanks at their end */
static void ee1004_reset(struct rgbsim_chip *chip)
{
	const u8 head[] = {
		0x23, 0x11,	/* 384 bytes used of 512, revision 1.1 */
		0x0c,		/* DDR4 */
		rgbsim_registered ? SPD_TYPE_RDIMM : SPD_TYPE_UDIMM,
	};
	u8 *mem = chip->mem;

	spd_fill(mem, chip->model->size);
	memcpy(mem, head, sizeof(head));
	spd_crc16(mem, 126);
	mem[320] = rgbsim_maker >> 8;
	mem[321] = rgbsim_maker;
	memset(mem + 329, ' ', 20);
	memcpy(mem + 329, rgbsim_part, min_t(size_t, strlen(rgbsim_part), 20));
}

static u16 ee1004_at(struct rgbsim_chip *chip)
{
	return chip->bus->spd_page * EE1004_PAGE_SIZE + chip->pointer;
}

static void ee1004_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		rgbsim_store(chip, ee1004_at(chip), *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

static u8 ee1004_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[ee1004_at(chip)];

	chip->pointer = (chip->pointer + 1) & 0xff;
	return value;
}

const struct rgbsim_model ee1004_model = {
	.size = 2 * EE1004_PAGE_SIZE,
	.areas = {
		{ "spd-page0", 0, EE1004_PAGE_SIZE },
		{ "spd-page1", EE1004_PAGE_SIZE, EE1004_PAGE_SIZE },
	},
	.reset = ee1004_reset,
	.write = ee1004_write,
	.read = ee1004_read,
};

/* A read asks for page 0; page 1 cannot be asked for. */
static bool page_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return !read || (chip->address == EE1004_PAGE_0 && chip->bus->spd_page == 0);
}

static void page_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	chip->bus->spd_page = chip->address - EE1004_PAGE_0;
}

const struct rgbsim_model page_model = {
	.size = 1,
	.acknowledges = page_acknowledges,
	.write = page_write,
	.read = nothing_read,
};

/* A read asks whether the block is still unprotected. */
static bool protect_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return !read || (chip->address != EE1004_CWP && !chip->mem[0]);
}

/* No board has the high voltage that this takes; that somebody tried is what is kept. */
static void protect_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	rgbsim_store(chip, 0, 1);
}

const struct rgbsim_model protect_model = {
	.size = 1,
	.areas = { { "protect", 0, 1 } },
	.acknowledges = protect_acknowledges,
	.write = protect_write,
	.read = nothing_read,
};
