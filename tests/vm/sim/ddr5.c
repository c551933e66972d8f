// SPDX-License-Identifier: GPL-2.0-only
#include "rgbsim.h"

/* ---- DDR5 SPD hubs (JESD300): registers MR0 to MR127, 8 pages of memory behind them ---- */

#define HUB_TYPE		0x00	/* MR0, MR1: 0x5118 */
#define HUB_VENDOR		0x03	/* MR3, MR4: JEDEC bank and id, with parity; Montage */
#define HUB_CAPABILITY		0x05	/* MR5: SPD hub, temperature sensor */
#define HUB_READ_ONLY		0x0a	/* up to MR10: what the hub is */
#define HUB_MODE		0x0b	/* MR11 */
#define HUB_MODE_PAGE		0x07
#define HUB_MODE_TWO_BYTES	0x08
#define HUB_PROTECT		0x0c	/* MR12, MR13: a bit for every 64 bytes */
#define HUB_PROTECT_LAST	0x0d
#define HUB_IS_MEMORY		0x80	/* of an address byte */
#define HUB_PAGE_SIZE		128
#define HUB_MEMORY		128	/* where it begins behind the registers */
#define HUB_MEMORY_SIZE		1024

static void hub_reset(struct rgbsim_chip *chip)
{
	const u8 head[] = {
		0x30, 0x10,	/* 1024 bytes, revision 1.0 */
		0x12,		/* DDR5 */
		rgbsim_registered ? SPD_TYPE_RDIMM : SPD_TYPE_UDIMM,
	};
	u8 *nvm = chip->mem + HUB_MEMORY;

	chip->mem[HUB_TYPE] = 0x51;
	chip->mem[HUB_TYPE + 1] = 0x18;
	chip->mem[HUB_VENDOR] = 0x86;
	chip->mem[HUB_VENDOR + 1] = 0x32;
	chip->mem[HUB_CAPABILITY] = 0x03;
	spd_fill(nvm, HUB_MEMORY_SIZE);
	memcpy(nvm, head, sizeof(head));
	spd_crc16(nvm, 510);
	nvm[512] = rgbsim_maker >> 8;
	nvm[513] = rgbsim_maker;
	memcpy(nvm + 521, "KF560C40BBA-16                ", 30);
}

/*
 * Sets the pointer; returns how many bytes the address took, 0 if it is not
 * complete. Of two, the first has 6 bits of the place in a block of 64 bytes and
 * the block's lowest bit, the second its other bits.
 */
static size_t hub_address(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	u8 mode = chip->mem[HUB_MODE];

	if (mode & HUB_MODE_TWO_BYTES) {
		if (len < 2)
			return 0;
		chip->pointer = bytes[0] & 0x7f;
		if (bytes[0] & HUB_IS_MEMORY)
			chip->pointer += HUB_MEMORY + (bytes[1] & 0x07) * HUB_PAGE_SIZE;
		return 2;
	}
	if (len < 1)
		return 0;
	chip->pointer = bytes[0] & 0x7f;
	if (bytes[0] & HUB_IS_MEMORY)
		chip->pointer += HUB_MEMORY + (mode & HUB_MODE_PAGE) * HUB_PAGE_SIZE;
	return 1;
}

/* Registers and memory have an end each, and go on at their start. */
static void hub_advance(struct rgbsim_chip *chip)
{
	chip->pointer++;
	if (chip->pointer == HUB_MEMORY)
		chip->pointer = 0;
	else if (chip->pointer == HUB_MEMORY + HUB_MEMORY_SIZE)
		chip->pointer = HUB_MEMORY;
}

static bool hub_protected(struct rgbsim_chip *chip, u16 at)
{
	unsigned int block = (at - HUB_MEMORY) / 64;

	return chip->mem[HUB_PROTECT + block / 8] & 1 << block % 8;
}

static void hub_store(struct rgbsim_chip *chip, u8 value)
{
	u16 at = chip->pointer;

	if (at <= HUB_READ_ONLY || (at >= HUB_MEMORY && hub_protected(chip, at)))
		return;
	/* neither is ever taken back before the power goes */
	if (at == HUB_MODE)
		value = (value & 0x0f) | (chip->mem[at] & HUB_MODE_TWO_BYTES);
	else if (at == HUB_PROTECT || at == HUB_PROTECT_LAST)
		value |= chip->mem[at];
	rgbsim_store(chip, at, value);
}

static void hub_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	size_t i = hub_address(chip, bytes, len);

	if (i == 0)
		return;
	for (; i < len; i++) {
		hub_store(chip, bytes[i]);
		hub_advance(chip);
	}
}

static u8 hub_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[chip->pointer];

	hub_advance(chip);
	return value;
}

const struct rgbsim_model hub_model = {
	.size = HUB_MEMORY + HUB_MEMORY_SIZE,
	.areas = {
		{ "hub-registers", 0, HUB_MEMORY },
		{ "hub-memory", HUB_MEMORY, HUB_MEMORY_SIZE },
	},
	.reset = hub_reset,
	.write = hub_write,
	.read = hub_read,
};
