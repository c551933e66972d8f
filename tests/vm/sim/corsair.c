// SPDX-License-Identifier: GPL-2.0-only
#include "rgbsim.h"

/* ---- Corsair Vengeance RGB: fingerprint 0xba over 0xa0-0xaf ---- */

static void vengeance_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		u8 reg = chip->pointer;

		bytes++;
		if ((reg >= 0xa4 && reg <= 0xa7) || (reg >= 0xb0 && reg <= 0xc4))
			chip->mem[reg] = *bytes;
		chip->pointer = (reg + 1) & 0xff;
	}
}

static u8 vengeance_read(struct rgbsim_chip *chip)
{
	u8 reg = chip->pointer;
	u8 value = regs_read(chip);

	/* programs know the chip by these even after having written to 0xa4-0xa7 */
	return (reg & 0xf0) == 0xa0 ? 0xba : value;
}

static void vengeance_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	seq_printf(s, "0x%02x 0 %02x%02x%02x\n", chip->address,
		   chip->mem[0xb0], chip->mem[0xb1], chip->mem[0xb2]);
}

const struct rgbsim_model vengeance_model = {
	.size = 256,
	.write = vengeance_write,
	.read = vengeance_read,
	.show_leds = vengeance_show_leds,
};

/* ---- classic Corsair memory: commands around a buffer (CorsairDRAMController) ---- */

#define CORSAIR_LEDS		10
#define CORSAIR_RESET		0x0b
#define CORSAIR_APPEND		0x20
#define CORSAIR_REWIND		0x21
#define CORSAIR_STATUS		0x30
#define CORSAIR_DIRECT		0x31
#define CORSAIR_DIRECT_2	0x32
#define CORSAIR_NEXT		0x40
#define CORSAIR_CHECKSUM	0x42
#define CORSAIR_ID		0x43	/* 0x1a, 0x1b or 0x1c; protocol 1, 3 or 4 behind it */
#define CORSAIR_GET_INFO	0x61
#define CORSAIR_TAKE		0x82
#define CORSAIR_TAKE_COLORS	0x02

/* where in the chip's memory what is: 256 registers that are commands have no use for any */
#define CORSAIR_BUFFER		0x00
#define CORSAIR_BUFFER_SIZE	0x80
#define CORSAIR_USED		0x80
#define CORSAIR_PACKET		0x90
#define CORSAIR_LIT		0xd0

static u8 corsair_crc8(const u8 *bytes, size_t len)
{
	u8 crc = 0;
	int bit;

	while (len--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1;
	}
	return crc;
}

static void corsair_info(struct rgbsim_chip *chip)
{
	/* vendor and product id, then nothing of use up to the protocol's version */
	static const u8 info[32] = { 0x1c, 0x1b, 0x01, 0x01, [28] = 0x04 };

	memcpy(chip->mem + CORSAIR_BUFFER, info, sizeof(info));
	chip->mem[CORSAIR_USED] = sizeof(info);
}

static void corsair_append(struct rgbsim_chip *chip, u8 value)
{
	if (chip->pointer >= CORSAIR_BUFFER_SIZE)
		return;
	chip->mem[CORSAIR_BUFFER + chip->pointer++] = value;
	chip->mem[CORSAIR_USED] = chip->pointer;
}

/* red, green, blue and 0xff each */
static void corsair_take_colors(struct rgbsim_chip *chip)
{
	unsigned int i;

	for (i = 0; i < CORSAIR_LEDS; i++)
		memcpy(chip->mem + CORSAIR_LIT + 3 * i, chip->mem + CORSAIR_BUFFER + 4 * i, 3);
}

/* How many LEDs, their colours, CRC: 32 bytes in all, so the second block is for longer ones. */
static void corsair_direct(struct rgbsim_chip *chip, const u8 *block, size_t len)
{
	u8 *packet = chip->mem + CORSAIR_PACKET;

	if (len != 33 || block[0] != 32)
		return;
	memcpy(packet, block + 1, 32);
	if (packet[0] == CORSAIR_LEDS && packet[31] == corsair_crc8(packet, 31))
		memcpy(chip->mem + CORSAIR_LIT, packet + 1, 3 * CORSAIR_LEDS);
}

static void corsair_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->command = bytes[0];
	if (len == 1)
		return;
	switch (chip->command) {
	case CORSAIR_RESET:
		chip->mem[CORSAIR_USED] = 0;
		fallthrough;
	case CORSAIR_REWIND:
		chip->pointer = 0;
		break;
	case CORSAIR_GET_INFO:
		corsair_info(chip);
		break;
	case CORSAIR_APPEND:
		corsair_append(chip, bytes[1]);
		break;
	case CORSAIR_TAKE:
		if (bytes[1] == CORSAIR_TAKE_COLORS)
			corsair_take_colors(chip);
		break;
	case CORSAIR_DIRECT:
		corsair_direct(chip, bytes + 1, len - 1);
		break;
	}
}

static u8 corsair_read(struct rgbsim_chip *chip)
{
	switch (chip->command) {
	case CORSAIR_NEXT:
		chip->pointer %= CORSAIR_BUFFER_SIZE;
		return chip->mem[CORSAIR_BUFFER + chip->pointer++];
	case CORSAIR_CHECKSUM:
		return corsair_crc8(chip->mem + CORSAIR_BUFFER, chip->mem[CORSAIR_USED]);
	case CORSAIR_ID:
		chip->command++;
		return 0x1a;
	case CORSAIR_ID + 1:
		chip->command++;
		return 0x04;
	}
	/* CORSAIR_STATUS among them: never busy */
	return 0;
}

static void corsair_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int i;

	for (i = 0; i < CORSAIR_LEDS; i++)
		seq_printf(s, "0x%02x %u %3phN\n", chip->address, i,
			   chip->mem + CORSAIR_LIT + 3 * i);
}

const struct rgbsim_model corsair_model = {
	.size = 256,
	.write = corsair_write,
	.read = corsair_read,
	.show_leds = corsair_show_leds,
};
