/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a device file: the keys of [Device], and what only several lines can get wrong. */
#pragma once

#include "policy/config.h"

/* What the reader of one device file with its drop-ins is working on. */
struct device_reading {
	struct device *device;
	const char *file; /* the one being read, its line and the key there */
	int line;
	const char *key;
	uint32_t seen; /* bit i: keys[i] */
	struct {
		const char *file;
		int line;
	} given[ADDRESSES]; /* where each address was */
};

/* NULL, or why a rule cannot stand beside those before it. */
const char *check_rule(const struct device *device, const struct rule *rule);
const char *check_register(const struct device *device, const struct register_rule *rule);
/* The whole. False: told through problem. */
bool check_device(const struct device_reading *reading, config_problem problem, void *userdata);

/* --- device-where.c: one key of [Device] each; NULL, or why not --- */

const char *device_set_description(struct device_reading *reading, const char *value);
const char *device_add_classes(struct device_reading *reading, const char *value);
const char *device_add_adapter(struct device_reading *reading, const char *value);
const char *device_add_board(struct device_reading *reading, const char *value);
const char *device_add_pci(struct device_reading *reading, const char *value);
const char *device_add_addresses(struct device_reading *reading, const char *value);
const char *device_add_memory(struct device_reading *reading, const char *value);
const char *device_add_makers(struct device_reading *reading, const char *value);
const char *device_set_slot(struct device_reading *reading, const char *value);

/* One more zeroed item behind *items, which is a list of fixed-size ones. NULL: out of memory. */
void *device_grow(void *items, size_t *count, size_t size);
