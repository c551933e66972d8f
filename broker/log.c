/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/log.h"

#include "broker/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int journal = -1;
static char bus_field[32];

void log_open(unsigned bus)
{
	snprintf(bus_field, sizeof(bus_field), "RGBROKER_BUS=%u", bus);
	/* systemd sets it where stderr goes to the journal; then fields can be sent too. */
	if (getenv("JOURNAL_STREAM"))
		journal = datagram_connect("/run/systemd/journal/socket");
}

/* A datagram in the making. */
struct entry {
	char text[2048];
	size_t length;
};

/* What does not fit is left out. A line break would end the field, and what follows be another. */
static void add_field(struct entry *entry, const char *key, const char *value)
{
	size_t room = sizeof(entry->text) - entry->length;
	char *start = entry->text + entry->length;
	int length = snprintf(start, room, "%s%s", key, value);

	if (length < 0 || (size_t)length + 1 >= room)
		return;
	for (char *at = start; (at = strchr(at, '\n'));)
		*at = ' ';
	start[length] = '\n';
	entry->length += (size_t)length + 1;
}

/*
 * The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), a datagram of "KEY=value"
 * lines. Not by sd_journal_sendv(), which names the journal's socket in every sendmsg(): the
 * sandbox lets nobody be named, nor descriptors be sent.
 */
static bool tell_journal(int priority, const char *const *fields, const char *message)
{
	struct entry entry = {.length = 0};
	char level[4];

	if (journal < 0)
		return false;
	add_field(&entry, "MESSAGE=", message);
	snprintf(level, sizeof(level), "%d", priority);
	add_field(&entry, "PRIORITY=", level);
	add_field(&entry, "SYSLOG_IDENTIFIER=", program_invocation_short_name);
	add_field(&entry, "", bus_field);
	for (; fields && *fields; fields++)
		add_field(&entry, "", *fields);
	return send(journal, entry.text, entry.length, MSG_NOSIGNAL) >= 0;
}

void log_line(int priority, const char *const *fields, const char *format, ...)
{
	char message[640];
	struct iovec line[] = {{message, 0}, {(void *)(uintptr_t) "\n", 1}};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (tell_journal(priority, fields, message))
		return;
	line[0].iov_len = strlen(message);
	(void)!writev(STDERR_FILENO, line, 2);
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
