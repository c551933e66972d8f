/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the counter reaches a chip. All return 0 (or what was read) or a negative errno. */
#pragma once

#include <stdint.h>

int way_open(int bus, int address);
int way_write(uint8_t command, uint16_t value);
int way_read(uint8_t command);
