/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded before the i2c-dev shim, or alone: writes what came of each i2c-dev ioctl of a program
 * to the descriptor whose number is in CONFORMANCE_RECORD. The tools print no errno, or not always.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/i2c-dev.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ioctl(int fd, unsigned long request, ...);

static bool is_i2c(unsigned long request)
{
	return request >> 8 == I2C_SLAVE >> 8;
}

/* An address says something only where it is one on the bus. */
static bool takes_pointer(unsigned long request)
{
	return request == I2C_FUNCS || request == I2C_RDWR || request == I2C_SMBUS;
}

static void record(unsigned long request, const void *argument, int result, int error)
{
	const char *number = getenv("CONFORMANCE_RECORD");

	if (number == NULL)
		return;
	dprintf(atoi(number), "%#lx(%#lx) %d %s\n", request,
		takes_pointer(request) ? 0 : (unsigned long)argument, result,
		result < 0 ? strerrorname_np(error) : "-");
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, ...);
	va_list arguments;
	void *argument;
	int result, error;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (next == NULL)
		next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	result = next(fd, request, argument);
	error = errno;
	if (is_i2c(request))
		record(request, argument, result, error);
	errno = error;
	return result;
}
