/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of device files. Each returns NULL, or why the text cannot be taken. */
#pragma once

#include "policy/policy.h"

/* "0x10" or "0x10-0x1f", decimal too; both ends within 0..max, first <= last. */
const char *parse_range(const char *text, unsigned max, struct word_range *ret_range);
/* "0x70-0x77 0x39": sets bits of the bitmap. */
const char *parse_addresses(const char *text, uint8_t *bitmap);
/* OPERATION [COMMAND[-COMMAND]...] [length N[-N]] [data BYTE[-BYTE]...] */
const char *parse_rule(const char *text, bool read, struct rule *ret_rule);
/* byte_data|word_data COMMAND VALUE[-VALUE]... */
const char *parse_expectation(const char *text, struct expectation *ret_expectation);
const char *parse_bool(const char *text, bool *ret_value);
