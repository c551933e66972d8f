/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define FIELDS_MAX 16

/* systemd sets JOURNAL_STREAM where stderr goes to the journal; then fields can be sent too. */
static bool under_journal(void)
{
	static int known = -1;

	if (known < 0)
		known = getenv("JOURNAL_STREAM") != NULL;
	return known;
}

void log_line(int priority, const char *const *fields, const char *format, ...)
{
	char message[640] = "MESSAGE=", level[16];
	struct iovec line[FIELDS_MAX];
	int count = 0;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message + 8, sizeof(message) - 8, format, arguments);
	va_end(arguments);
	if (!under_journal()) {
		fprintf(stderr, "%s\n", message + 8);
		return;
	}
	snprintf(level, sizeof(level), "PRIORITY=%d", priority);
	line[count++] = (struct iovec){message, strlen(message)};
	line[count++] = (struct iovec){level, strlen(level)};
	for (; fields && *fields && count < FIELDS_MAX; fields++)
		line[count++] = (struct iovec){(void *)(uintptr_t)*fields, strlen(*fields)};
	sd_journal_sendv(line, count);
}

bool rate_limit_passes(struct rate_limit *limit, uint64_t now_usec, unsigned *ret_left_out)
{
	if (now_usec - limit->since_usec >= limit->interval_usec) {
		limit->since_usec = now_usec;
		limit->passed = 0;
	}
	if (limit->passed == limit->burst) {
		limit->left_out++;
		return false;
	}
	limit->passed++;
	*ret_left_out = limit->left_out;
	limit->left_out = 0;
	return true;
}
