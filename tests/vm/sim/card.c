// SPDX-License-Identifier: GPL-2.0-only
#include "rgbsim.h"

/* ---- older ASUS Aura cards: a few registers (AsusAuraGPUController) ---- */

#define AURA_RED		0x04	/* green and blue behind it */
#define AURA_SAVE		0x0e
#define AURA_ID			0x20	/* 0x1589, high byte first */

/* ---- EVGA cards of NVIDIA's series 10 (EVGAPascalGPUController) ---- */

#define EVGA_RED		0x09	/* green and blue behind it */
#define EVGA_MODE		0x0c
#define EVGA_SAVE		0x23

static void aura_reset(struct rgbsim_chip *chip)
{
	chip->mem[AURA_ID] = 0x15;
	chip->mem[AURA_ID + 1] = 0x89;
}

static void card_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len, u8 first, u8 last,
		       u8 save)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		u8 reg = chip->pointer;

		bytes++;
		if ((reg >= first && reg <= last) || reg == save)
			chip->mem[reg] = *bytes;
		chip->pointer = (reg + 1) & 0xff;
	}
}

static void aura_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	card_write(chip, bytes, len, AURA_RED, AURA_RED + 3, AURA_SAVE);
}

static void evga_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	card_write(chip, bytes, len, EVGA_RED, EVGA_MODE, EVGA_SAVE);
}

static void aura_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	seq_printf(s, "0x%02x 0 %3phN\n", chip->address, chip->mem + AURA_RED);
}

static void evga_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	seq_printf(s, "0x%02x 0 %3phN\n", chip->address, chip->mem + EVGA_RED);
}

const struct rgbsim_model aura_gpu_model = {
	.size = 256,
	.reset = aura_reset,
	.write = aura_write,
	.read = regs_read,
	.show_leds = aura_show_leds,
};

const struct rgbsim_model evga_gpu_model = {
	.size = 256,
	.write = evga_write,
	.read = regs_read,
	.show_leds = evga_show_leds,
};
