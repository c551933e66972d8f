/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: buses, sockets, environment. */
#include "client-lib/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A leading zero is another file name: /dev/i2c-04 is not bus 4. */
static int number(const char *digits, int limit)
{
	int value = 0;

	if (digits[0] == '\0' || (digits[0] == '0' && digits[1] != '\0'))
		return -1;
	for (const char *digit = digits; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9' || value > (limit - (*digit - '0')) / 10)
			return -1;
		value = value * 10 + (*digit - '0');
	}
	return value;
}

int bus_from_digits(const char *digits)
{
	return number(digits, BUS_MAX);
}

int bus_from_name(const char *name)
{
	return strncmp(name, "i2c-", 4) == 0 ? bus_from_digits(name + 4) : -1;
}

const char *socket_directory(void)
{
	const char *directory = secure_getenv("RGBROKER_SOCKET_DIR");

	return directory != NULL && directory[0] == '/' ? directory : SOCKET_DIRECTORY;
}

int timeout_from_environment(void)
{
	const char *text = secure_getenv("RGBROKER_TIMEOUT_MS");
	int milliseconds = text != NULL ? number(text, INT_MAX) : -1;

	return milliseconds > 0 ? milliseconds : DEFAULT_TIMEOUT_MS;
}

int socket_path(char *ret_path, size_t size, const char *directory, int bus)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/i2c-%d", directory, bus);

	if (length < 0 || (size_t)length >= sizeof(path) || (size_t)length >= size)
		return -ENAMETOOLONG;
	memcpy(ret_path, path, (size_t)length + 1);
	return 0;
}
