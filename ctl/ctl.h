/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rgbrokerctl: the verbs, and what they share. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/config.h"
#include "policy/policy.h"

/* Exit codes, for scripts. */
enum {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* check: refused; audit: something is open */
	CTL_USAGE = 2,
	CTL_DEPENDS = 3, /* check: allowed once the broker has recognised the chip */
	CTL_FAILED = 4,  /* no such bus, or something could not be read */
};

struct options {
	bool json;
	const char *door;           /* whose rights are asked about */
	const char *const *folders; /* of configuration; NULL: the system's */
};

/* --- verbs: arguments behind the verb; each returns an exit code --- */

int verb_list(const struct options *options, int argc, char **argv);
int verb_show(const struct options *options, int argc, char **argv);
int verb_check(const struct options *options, int argc, char **argv);
int verb_audit(const struct options *options, int argc, char **argv);

/* --- shared --- */

/* "4" or "i2c-4". Told on stderr what is wrong; CTL_OK, CTL_USAGE or CTL_FAILED. */
int find_bus(const char *text, struct adapter *ret_adapter);
/* Files with mistakes are told on stderr, as the broker tells them in the journal. */
int load_policy(
	const struct options *options, const struct adapter *adapter, struct policy *ret_policy);
/* Which addresses of a bus a kernel driver has, from sysfs. */
void find_owners(const struct adapter *adapter, struct facts *facts);
/* The driver at an address, or NULL. */
const char *find_driver(const struct adapter *adapter, unsigned address, char *buffer, size_t size);

/* An operation and the data it carries. */
struct example {
	struct rgbroker_operation operation;
	uint8_t data[RGBROKER_TRANSFER_MAX];
};

/* One operation that a rule lets pass, as far as the rule goes. */
void example_of_rule(const struct rule *rule, uint8_t address, struct example *ret_example);

/* What systemd says of a unit: its SubState, or "unknown". */
struct systemd;
struct systemd *systemd_open(void);
void systemd_close(struct systemd *systemd);
const char *systemd_unit_state(
	struct systemd *systemd, const char *unit, char *buffer, size_t size);

/* Print and free; CTL_OK. */
int print_json(json_object *object);
const char *verdict_name(const struct judgement *judgement);
