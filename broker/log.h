/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines for the journal, or for stderr where there is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* Before the first line; without it, and where that fails, lines go to stderr. */
void log_open(void);
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
