/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From files to a policy. Files are found the systemd way: of two with one name the one in the
 * earlier folder counts, a link to /dev/null or an empty file masks, NAME.conf.d/ adds to
 * NAME.conf.
 */
#pragma once

#include "policy/policy.h"

/* Folders that hold devices/ and doors/, first one first; NULL-terminated. */
extern const char *const config_folders[];

/* Told of every file that cannot be taken. line 0: the file as a whole. */
typedef void (*config_problem)(void *userdata, const char *file, int line, const char *why);

/*
 * Read all files for one adapter. What cannot be read is told and left out; the rest counts.
 * folders: NULL for the built-in ones. Returns 0, -ENOMEM, or
 * the errno of a folder that cannot be read; policy_free() in either case.
 */
int policy_load(struct policy *ret_policy, const struct adapter *adapter,
	const char *const *folders, config_problem problem, void *userdata);
void policy_free(struct policy *policy);

/* One family with its drop-ins, whatever the adapter. NULL: told through problem. */
struct device *device_load(
	const char *name, char *const *files, config_problem problem, void *userdata);
void device_free(struct device *device);
bool device_matches(const struct device *device, const struct adapter *adapter);

/* One door with its drop-ins; false: told through problem. Devices= is judged against the policy.
 */
bool door_load(struct door *ret_door, const char *name, char *const *files,
	const struct policy *policy, config_problem problem, void *userdata);

/* --- how files are found (config-find.c) --- */

enum config_state {
	CONFIG_COUNTS,
	CONFIG_MASKED,     /* by being empty or a link to /dev/null; so are all of later folders */
	CONFIG_OVERRIDDEN, /* by a file of the same name in an earlier folder */
};

/* A configuration: its name without .conf, and the files to read in order, NULL-terminated. */
struct config_entry {
	char *name;
	char **files;
	enum config_state state;
};

/* Sorted by name; ends with an entry whose name is NULL. NULL: see errno; a folder that cannot be
 * read is one, as it may hold what restricts. */
struct config_entry *config_find(const char *const *folders, const char *kind);
/* The same with those that do not count, each behind the one that overrides it; of them only the
 * file's own name is told. */
struct config_entry *config_find_all(const char *const *folders, const char *kind);
void config_free(struct config_entry *entries);

/* One file wherever it is, with the drop-ins beside it. NULL: see errno. */
char **config_with_drop_ins(const char *file);
void config_free_files(char **files);

/* --- how one is read (config-files.c) --- */

/* Handler of one key: NULL, or why it cannot be taken. key NULL: is there such a section? */
typedef const char *(*config_key)(
	void *userdata, const char *section, const char *key, const char *value, int line);
/* Read one file. False: told through problem (every bad line of it). */
bool config_read(const char *file, config_key key, void *key_userdata, config_problem problem,
	void *problem_userdata);
