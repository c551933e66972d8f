/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* audit: what its parts share. Each part looks at one kind of opening and adds what it found. */
#pragma once

#include <json-c/json.h>
#include <libudev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "policy/adapter.h"

#define AUDIT_ADAPTERS_MAX 256

#define NODE_GROUP "rgbroker-i2c"
#define DOOR_GROUP "rgbroker"

enum severity {
	NOTE,    /* as designed, or harmless; to be known */
	ADVICE,  /* nothing is open, but one more guard is to be had */
	FINDING, /* somebody besides root and the brokers has a way to the bus */
	SEVERITIES
};

struct audit {
	json_object *entries, *unseen;
	unsigned count[SEVERITIES];
	sd_bus *systemd; /* NULL: it does not answer */
	struct udev *udev;
	struct adapter adapters[AUDIT_ADAPTERS_MAX];
	size_t n_adapters;
};

/* One thing found. It is the list's; parts add fields of their own to it. */
struct entry {
	enum severity severity;
	const char *kind;              /* one word, for programs */
	const struct adapter *adapter; /* NULL: of the system as a whole */
	const char *path;
};

json_object *audit_add(struct audit *audit, const struct entry *entry, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The command that closes it, for a shell. */
void audit_close(json_object *entry, const char *format, ...) __attribute__((format(printf, 2, 3)));
void audit_text(json_object *entry, const char *key, const char *value);
void audit_number(json_object *entry, const char *key, int64_t value);
/* A part of the system that could not be looked at, once each. */
void audit_unseen(struct audit *audit, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Its node is to be open to root and the brokers alone. */
bool audit_locked(const struct adapter *adapter);
void audit_node_path(const struct adapter *adapter, char *buffer, size_t size);

/* --- the parts --- */

void audit_rules(struct audit *audit);   /* what udev is told by other packages */
void audit_holders(struct audit *audit); /* who has a node open */
void audit_nodes(struct audit *audit);   /* who may open nodes, copies of them, memory and ports */
void audit_doors(struct audit *audit);   /* who may connect to brokers */
void audit_groups(struct audit *audit);  /* who is in our groups */
void audit_units(struct audit *audit);   /* which units were given the device */
void audit_spd(struct audit *audit);     /* whether the kernel guards the memory modules */

/* --- who may open a path --- */

struct rights {
	struct entry entry; /* of what is found; its kind is filled in */
	const char *group;  /* that has it by design */
	mode_t mode;        /* by design */
};

void audit_rights(struct audit *audit, const struct rights *rights);

/* --- people; static buffers, until the next call --- */

const char *user_name(uid_t uid);
const char *group_name(gid_t gid);
/* Members, by either list: an array of names. */
json_object *group_members(gid_t gid);
/* "joe, ann", or "nobody". */
const char *join_names(json_object *names);

/* --- udev rules --- */

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

enum rule_operator { RULE_IS, RULE_IS_NOT, RULE_SET, RULE_ADD, RULE_REMOVE, RULE_SET_FINALLY };

struct rule_token {
	const char *key, *attribute, *value; /* attribute: "" if none */
	enum rule_operator op;
	bool any_case;
};

#define RULE_TOKENS_MAX 64

struct rule_line {
	unsigned first, last; /* more than one where lines end with a backslash */
	char *text;           /* cut up into the tokens */
	size_t n_tokens;
	struct rule_token tokens[RULE_TOKENS_MAX];
	uint64_t devices; /* for which it holds, by their place in a list */
};

struct rule_file {
	char *name, *path;
	struct rule_line *lines;
	size_t n_lines;
};

/* Fills in the lines of a file whose name and path are set. 0 or a negative errno. */
int rule_file_read(struct rule_file *file);
void rule_file_free(struct rule_file *file);
const struct rule_token *rule_line_find(const struct rule_line *line, const char *key);

/* All rules files that udev reads, in its order; ends with one without a name. NULL: -errno. */
struct rule_file *rule_files_find(int *ret_error);
void rule_files_free(struct rule_file *files);
/* Notes the lines that hold for devices[place], when it is announced in any way. */
void rule_file_match(struct rule_file *file, struct udev_device *device, unsigned place);

/* Whether a line holds for a device when that is announced. Never NO where it might hold. */
enum match rule_line_match(
	const struct rule_line *line, struct udev_device *device, const char *action);

/* What a line of another package comes to on a node, after what our own rules do about it. */
enum effect { EFFECT_NONE, EFFECT_UNKNOWN, EFFECT_TAKEN_BACK, EFFECT_OPENS };

/* On which kind of node. */
enum target { TARGET_LOCKED, TARGET_AS_FOUND, TARGET_MACHINE };

#define LOCK_RULES "72-rgbroker.rules"
#define LAST_RULES "99-zz-rgbroker-lock.rules"

struct ruling {
	enum effect effect;
	const struct rule_token *token;
	const char *why;
};

struct lock_rules {
	bool lock, last; /* which of ours are in force */
	bool alone;      /* LOCK_RULES have access control lists taken off, and nothing else run */
	const char *clears; /* the last of them that has them taken off; or "" */
};

struct ruling rule_line_judge(const struct lock_rules *ours, const char *file_name,
	const struct rule_line *line, enum target target);
