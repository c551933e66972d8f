/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines for the journal, or for stderr where there is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/*
 * Kinds of lines that somebody may want to be told of: the field by which journalctl(1) finds them.
 * Drawn by chance once, as systemd.journal-fields(7) has it, and never changed.
 */
#define LOG_ID_REFUSED "MESSAGE_ID=0f704aa1297749c894f09868fa25158d"
#define LOG_ID_CLAIMED "MESSAGE_ID=c272985a42304909bd3117178d6aedf7"
#define LOG_ID_QUARANTINE_BEGINS "MESSAGE_ID=a787360fa35946ff9525b1dbb69575c3"
#define LOG_ID_QUARANTINE_ENDS "MESSAGE_ID=4318507767ae48e4b62014c65a395c3f"
#define LOG_ID_FILE_LEFT_OUT "MESSAGE_ID=f8543cbb9ea549bc9b90aaca8f23c654"

/*
 * Before the first line; without it, and where that fails, lines go to stderr. bus: its number, for
 * a field of all lines.
 */
void log_open(unsigned bus);
/* One line; fields: NULL-terminated "KEY=value" strings that one can filter on, or NULL. */
void log_line(int priority, const char *const *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* At most burst lines in each interval; the next that passes is told how many were left out. */
struct rate_limit {
	uint64_t interval_usec;
	unsigned burst;
	uint64_t since_usec;
	unsigned passed, left_out;
};

/* Whether a line may be written now; if so, *ret_left_out counts the ones dropped before it. */
bool rate_limit_passes(struct rate_limit *limit, uint64_t now_usec, unsigned *ret_left_out);
