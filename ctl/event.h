/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* monitor: single events. */
#pragma once

#include "ctl/admin.h"

/* Which events are shown. */
struct event_filter {
	const char *verdict; /* NULL: any */
	int address;         /* -1: any */
	pid_t pid;           /* 0: any */
	bool own;
};

/* "allowed", "refused" or "failed" */
const char *event_verdict(const struct rgbroker_event *event);
bool event_wanted(const struct event_filter *filter, const struct rgbroker_event *event);
/* One line each. */
void event_print(unsigned bus, const struct rgbroker_event *told);
void event_print_json(unsigned bus, const struct rgbroker_event *told);
