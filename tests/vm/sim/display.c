// SPDX-License-Identifier: GPL-2.0-only
#include "rgbsim.h"

/* ---- a display (EDID, E-DDC, DDC/CI): answers while it is plugged in ---- */

#define EDID_BLOCK		128
#define EDID_EXTENSIONS		126	/* how many blocks follow */
#define EDID_CHECKSUM		127	/* a block's bytes add up to 0 */

static void edid_checksum(u8 *block)
{
	u8 sum = 0;
	unsigned int i;

	for (i = 0; i < EDID_CHECKSUM; i++)
		sum += block[i];
	block[EDID_CHECKSUM] = -sum;
}

static void edid_reset(struct rgbsim_chip *chip)
{
	static const u8 head[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		0x4d, 0x2d, 0x01, 0x00,		/* maker "SIM", product 1 */
		0x01, 0x00, 0x00, 0x00,		/* serial number 1 */
		0x01, 0x22, 0x01, 0x04,		/* week 1 of 2024, EDID 1.4 */
		0xa5, 0x3c, 0x22, 0x78,		/* DisplayPort, 60 cm by 34 cm, gamma 2.2 */
	};
	static const u8 extension[] = { 0x02, 0x03, 0x04 };	/* CTA-861, revision 3, empty */

	memcpy(chip->mem, head, sizeof(head));
	chip->mem[EDID_EXTENSIONS] = 1;
	edid_checksum(chip->mem);
	memcpy(chip->mem + EDID_BLOCK, extension, sizeof(extension));
	edid_checksum(chip->mem + EDID_BLOCK);
}

static bool display_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return chip->bus->display;
}

const struct rgbsim_model edid_model = {
	.size = 2 * EDID_BLOCK,
	.areas = { { "edid", 0, 2 * EDID_BLOCK } },
	.reset = edid_reset,
	.acknowledges = display_acknowledges,
	.write = guarded_write,
	.read = regs_read,
};

/* Keeps the last 256 bytes it was sent, each a write; one without any counts as well. */
static void companion_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		rgbsim_count_write(chip, 0);
	while (len--) {
		rgbsim_store(chip, chip->pointer, *bytes++);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

const struct rgbsim_model companion_model = {
	.size = 256,
	.areas = { { "display", 0, 256 } },
	.acknowledges = display_acknowledges,
	.write = companion_write,
	.read = nothing_read,
};
