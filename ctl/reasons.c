/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers of the wire in words. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#define ERRNO_MAX 4096

const char *error_name(int error, char *buffer, size_t size)
{
	bool known = error > -ERRNO_MAX && error < ERRNO_MAX; /* others may have no opposite */
	const char *name = known ? strerrorname_np(error < 0 ? -error : error) : NULL;

	if (name)
		snprintf(buffer, size, "%s", name);
	else
		snprintf(buffer, size, "%d", error);
	return buffer;
}

void make_printable(char *text, size_t size)
{
	size_t i = 0;

	for (; i + 1 < size && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	text[i] = '\0';
}
