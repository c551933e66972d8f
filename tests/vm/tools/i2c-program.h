/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of i2c-program, and how it tells what came of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** The node under test: /dev/i2c-N. */
extern const char *node;

/** "WHAT: RESULT", where a negative result is shown as the errno it was. @return result */
int tell(const char *what, int result);

/** Open the node, with that slave address unless it is negative. @return descriptor or -errno */
int node_open(int flags, int address);

/* All of these: a number, or a negative errno */
int set_address(int fd, int address);
int read_register(int fd, uint8_t command);
int write_register(int fd, uint8_t command, uint8_t value);
/** Set the register with one plain message and read it by another, joined: I2C_RDWR. */
int exchange(int fd, uint8_t address, uint8_t command, uint8_t *ret_bytes, size_t count);

/** How many descriptors this process has. */
int count_descriptors(void);
/** A figure of /proc/self/status, in kB. */
int memory(const char *field);
