/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rgbrokerctl: the verbs, and what they share. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policy/config.h"
#include "policy/policy.h"

/* Exit codes, for scripts. */
enum {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* what was asked about is not so: --help has it verb by verb */
	CTL_USAGE = 2,
	CTL_DEPENDS = 3, /* check: allowed once the broker has recognised the chip */
	CTL_FAILED = 4,  /* no such bus, or something could not be read */
};

/* What stands before and between the words; what a verb does not take is told to be wrong. */
struct options {
	bool json;
	const char *door;           /* whose rights are asked about */
	const char *const *folders; /* of configuration; NULL: the system's */
	bool wake;                  /* show: ask a broker that sleeps, too */
	bool explain;               /* check: every step */
	bool claimed;               /* check: another process has the chip */
	bool own;                   /* monitor: what brokers do for themselves, too */
	const char *pointer;        /* check: where the caller has set it */
	const char *verdict;        /* monitor: only these */
	const char *address;
	const char *pid;
};

/* --- verbs: arguments behind the verb; each returns an exit code --- */

int verb_list(const struct options *options, int argc, char **argv);
int verb_show(const struct options *options, int argc, char **argv);
int verb_check(const struct options *options, int argc, char **argv);
int verb_audit(const struct options *options, int argc, char **argv);
int verb_monitor(const struct options *options, int argc, char **argv);
int verb_status(const struct options *options, int argc, char **argv);
int verb_release(const struct options *options, int argc, char **argv);
int verb_devices(const struct options *options, int argc, char **argv);
int verb_lint(const struct options *options, int argc, char **argv);

extern const char help_text[];

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

/* "0x58-0x5f 0x18". Returns buffer. */
const char *addresses_text(const struct device *device, char *buffer, size_t size);
/* One number, decimal or 0x. */
bool parse_one(const char *text, unsigned max, uint16_t *ret_value);

/* What systemd says of a unit: its SubState, or "unknown". */
struct systemd;
struct systemd *systemd_open(void);
void systemd_close(struct systemd *systemd);
const char *systemd_unit_state(
	struct systemd *systemd, const char *unit, char *buffer, size_t size);
/* 0: it has none, or systemd cannot be asked. */
pid_t systemd_main_pid(struct systemd *systemd, const char *unit);

/* Who is behind a process number. */
struct process_name {
	char command[64];
	char unit[128]; /* empty: of none */
};
void process_find(pid_t pid, struct process_name *ret_name);
/* "pid 123 (openrgb, openrgb.service)". Returns buffer. */
const char *process_text(pid_t pid, char *buffer, size_t size);

/* --- json.c --- */

/* Print and free; CTL_OK. */
int print_json(json_object *object);
void add_text(json_object *object, const char *key, const char *value);
void add_number(json_object *object, const char *key, uint64_t value);
void add_address(json_object *object, uint8_t address);
/* pid, uid, command, unit */
void add_process(json_object *object, pid_t pid, uid_t uid);
/* A member's text; "" if there is none. */
const char *get_text(json_object *object, const char *key);

const char *verdict_name(const struct judgement *judgement);

/* --- reasons.c --- */

/* "EIO". Returns buffer. */
const char *error_name(int error, char *buffer, size_t size);
/*
 * A name that somebody else has given, who may mean ill: it ends, and holds no byte by which a
 * terminal could be told something. What is not printable ASCII becomes '?'.
 */
void make_printable(char *text, size_t size);
