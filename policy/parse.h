/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of device files. Each returns NULL, or why the text cannot be taken. */
#pragma once

#include "policy/policy.h"

/* "0x10" or "0x10-0x1f", decimal too; both ends within 0..max, first <= last. */
const char *parse_range(const char *text, unsigned max, struct word_range *ret_range);
/* "0x70-0x77 0x39": sets bits of the bitmap, none of which may be set yet. */
const char *parse_addresses(const char *text, uint8_t *bitmap);
/* OPERATION [COMMAND[-COMMAND]...] [length N[-N]] [data BYTE[-BYTE]...] */
const char *parse_rule(const char *text, bool read, struct rule *ret_rule);
/* NUMBER[-NUMBER] [value VALUE[-VALUE]...], numbers of 16 bits */
const char *parse_register_rule(const char *text, struct register_rule *ret_rule);
/*
 * byte_data|word_data COMMAND VALUE[-VALUE][/MASK]..., or
 * block_data|i2c_block COMMAND [length N] data BYTE[-BYTE]..., or
 * i2c [send BYTE...] length N data BYTE[-BYTE]...
 */
const char *parse_expectation(const char *text, struct expectation *ret_expectation);
/* VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE]], four hexadecimal digits or * each */
const char *parse_pci(const char *text, struct pci_match *ret_match);
const char *parse_bool(const char *text, bool *ret_value);
/* Calls take() with every word; stops at the first that returns why not. */
const char *parse_words(
	const char *text, const char *(*take)(void *userdata, const char *word), void *userdata);
