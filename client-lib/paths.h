/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where brokers listen, and what the environment says about it. */
#pragma once

#include <stddef.h>

#define SOCKET_DIRECTORY "/run/rgbroker"
#define DEFAULT_TIMEOUT_MS 10000
#define BUS_MAX 0xfffff /* a device's minor number has 20 bits */

/** N of a whole string "N", decimal as the kernel prints it; -1 if it is anything else. */
int bus_from_digits(const char *digits);

/** N of "i2c-N", or -1. */
int bus_from_name(const char *name);

/** RGBROKER_SOCKET_DIR, or the default; a set-user-ID program gets the default. */
const char *socket_directory(void);

/** RGBROKER_TIMEOUT_MS if it is a positive number, or the default. */
int timeout_from_environment(void);

/** @return 0 or -ENAMETOOLONG; ret_path is untouched then */
int socket_path(char *ret_path, size_t size, const char *directory, int bus);
