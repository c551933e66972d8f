/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A frame of eight LEDs as OpenRGB sends it to an ENE controller in direct mode: for each LED its
 * register as a word, then a block of three.
 */
#pragma once

#include <stdint.h>

#define FRAME_LEDS 8
#define FRAME_COLORS 0x8100u /* the first LED's register */
#define FRAME_SET 0x00       /* commands */
#define FRAME_BLOCK 0x03

/* Of an LED: its register's two bytes as on the wire, high one first. */
static inline void frame_register(unsigned led, uint8_t ret_bytes[2])
{
	unsigned at = FRAME_COLORS + 3 * led;

	ret_bytes[0] = (uint8_t)(at >> 8);
	ret_bytes[1] = (uint8_t)at;
}

static inline void frame_color(unsigned led, uint8_t level, uint8_t ret_bytes[3])
{
	ret_bytes[0] = level;
	ret_bytes[1] = 0x10;
	ret_bytes[2] = (uint8_t)led;
}
