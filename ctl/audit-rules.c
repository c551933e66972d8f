/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udev rules: whether ours are in force, and what those of others do to nodes in spite of them. */
#include "ctl/audit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One for each bit of a line's devices. */
#define SUBJECTS_MAX 64

struct subject {
	struct udev_device *device;
	enum target target;
};

struct view {
	struct audit *audit;
	struct lock_rules ours;
	struct subject subjects[SUBJECTS_MAX];
	unsigned n_subjects;
};

/* ---- whom it is about ---- */

static void add_subject(
	struct view *view, const char *subsystem, const char *name, enum target target)
{
	struct udev_device *device =
		udev_device_new_from_subsystem_sysname(view->audit->udev, subsystem, name);

	if (device && view->n_subjects < SUBJECTS_MAX)
		view->subjects[view->n_subjects++] = (struct subject){device, target};
	else
		udev_device_unref(device);
}

static void find_subjects(struct view *view)
{
	add_subject(view, "mem", "port", TARGET_MACHINE);
	add_subject(view, "mem", "mem", TARGET_MACHINE);
	for (size_t i = 0; i < view->audit->n_adapters; i++) {
		const struct adapter *adapter = &view->audit->adapters[i];
		char name[16];

		snprintf(name, sizeof(name), "i2c-%u", adapter->number);
		if (adapter->class)
			add_subject(view, "i2c-dev", name,
				audit_locked(adapter) ? TARGET_LOCKED : TARGET_AS_FOUND);
	}
}

/* "i2c-0, i2c-4" */
static void name_subjects(const struct view *view, const struct rule_line *line, enum target target,
	char *buffer, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < view->n_subjects && used < size; i++)
		if (line->devices >> i & 1 && view->subjects[i].target == target)
			used += (size_t)snprintf(buffer + used, size - used, "%s%s",
				used ? ", " : "",
				udev_device_get_devnode(view->subjects[i].device));
}

/* ---- the rules of others ---- */

/* A line is made a comment; a package's file by way of a copy, which an upgrade leaves alone. */
static void close_line(
	json_object *entry, const struct rule_file *file, const struct rule_line *line)
{
	bool shipped = strncmp(file->path, "/usr/", 5) == 0 || strncmp(file->path, "/lib/", 5) == 0;
	char copy[PATH_MAX], first[PATH_MAX * 3] = "";

	snprintf(copy, sizeof(copy), "%s", file->path);
	if (shipped) {
		snprintf(copy, sizeof(copy), "/etc/udev/rules.d/%s", file->name);
		snprintf(first, sizeof(first),
			"mkdir -p /etc/udev/rules.d && { test -e '%s' || cp '%s' '%s'; } && ", copy,
			file->path, copy);
	}
	audit_close(entry, "%ssed -i '%u,%us/^/#/' '%s' && udevadm control --reload", first,
		line->first, line->last, copy);
}

static void tell_line(const struct view *view, const struct rule_file *file,
	const struct rule_line *line, enum target target, const struct ruling *ruling)
{
	static const char *const effects[] = {[EFFECT_UNKNOWN] = "runs a program on",
		[EFFECT_TAKEN_BACK] = "would open, harmlessly,",
		[EFFECT_OPENS] = "opens"};
	bool open = ruling->effect == EFFECT_OPENS && target != TARGET_AS_FOUND;
	const struct entry entry = {
		.severity = open ? FINDING : NOTE, .kind = "rule", .path = file->path};
	const struct rule_token *token = ruling->token;
	json_object *object;
	char nodes[256] = "";

	name_subjects(view, line, target, nodes, sizeof(nodes));
	object = audit_add(view->audit, &entry, "%s:%u %s %s by %s %s (%s)", file->path,
		line->first, effects[ruling->effect], nodes, token->key, token->value, ruling->why);
	audit_number(object, "line", line->first);
	audit_text(object, "nodes", nodes);
	audit_text(object, "key", token->key);
	audit_text(object, "value", token->value);
	if (open)
		close_line(object, file, line);
}

static bool is_about(const struct view *view, const struct rule_line *line, enum target target)
{
	for (unsigned i = 0; i < view->n_subjects; i++)
		if (line->devices >> i & 1 && view->subjects[i].target == target)
			return true;
	return false;
}

static void judge_file(const struct view *view, const struct rule_file *file)
{
	for (size_t i = 0; i < file->n_lines; i++) {
		for (enum target target = TARGET_LOCKED; target <= TARGET_MACHINE; target++) {
			const struct rule_line *line = &file->lines[i];
			struct ruling ruling;

			if (!is_about(view, line, target))
				continue;
			ruling = rule_line_judge(&view->ours, file->name, line, target);
			if (ruling.effect != EFFECT_NONE)
				tell_line(view, file, line, target, &ruling);
		}
	}
}

static bool is_ours(const struct rule_file *file)
{
	return strcmp(file->name, LOCK_RULES) == 0 || strcmp(file->name, LAST_RULES) == 0;
}

static void look_at_file(const struct view *view, struct rule_file *file)
{
	int r = rule_file_read(file);

	if (r < 0) {
		audit_unseen(view->audit, "%s: %s", file->path, strerror(-r));
		return;
	}
	for (unsigned i = 0; i < view->n_subjects; i++)
		rule_file_match(file, view->subjects[i].device, i);
	judge_file(view, file);
}

/* ---- ours ---- */

static const struct rule_file *find_file(const struct rule_file *files, const char *name)
{
	for (; files->name; files++)
		if (strcmp(files->name, name) == 0)
			return files;
	return NULL;
}

/* Not by the name of its folder: /lib may be a link to /usr/lib. */
static bool same_file(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Whether the file that is installed is the one udev reads; told if not. */
static bool is_in_force(struct audit *audit, const struct rule_file *files, const char *name)
{
	const struct rule_file *file = find_file(files, name);
	char installed[PATH_MAX];
	struct entry entry = {.severity = FINDING, .kind = "lock", .path = installed};

	snprintf(installed, sizeof(installed), RULES_FOLDER "/%s", name);
	if (file && same_file(file->path, installed))
		return true;
	if (access(installed, F_OK) < 0) {
		audit_add(audit, &entry, "%s is missing, so nodes are not locked: install it again",
			installed);
		return false;
	}
	entry.path = file ? file->path : installed;
	audit_close(audit_add(audit, &entry,
			    "%s stands in for %s, so nodes are not locked as they are meant to be",
			    entry.path, installed),
		"rm '%s' && udevadm control --reload && udevadm trigger --settle "
		"--subsystem-match=i2c-dev",
		entry.path);
	return false;
}

/* Ours are in force as far as they are there; which of them has lists taken off is read from them.
 */
static void look_at_ours(struct view *view, struct rule_file *files)
{
	view->ours.clears = "";
	view->ours.lock = is_in_force(view->audit, files, LOCK_RULES);
	view->ours.last = is_in_force(view->audit, files, LAST_RULES);
	for (struct rule_file *file = files; file->name; file++) {
		if (!is_ours(file) || rule_file_read(file) < 0)
			continue;
		for (size_t i = 0; i < file->n_lines; i++) {
			const struct rule_token *run = rule_line_find(&file->lines[i], "RUN");

			if (!run || !strstr(run->value, "setfacl -b"))
				continue;
			view->ours.clears = file->name;
			if (run->op == RULE_SET_FINALLY)
				view->ours.alone = true;
		}
	}
}

static void look_at_tool(struct audit *audit)
{
	const struct entry entry = {
		.severity = ADVICE, .kind = "setfacl", .path = "/usr/bin/setfacl"};

	if (access(entry.path, X_OK) < 0)
		audit_add(audit, &entry,
			"/usr/bin/setfacl is missing, with which " LOCK_RULES
			" take away rights given to single people: install the package acl");
}

void audit_rules(struct audit *audit)
{
	struct view view = {.audit = audit};
	struct rule_file *files;
	int r;

	files = rule_files_find(&r);
	if (r < 0)
		audit_unseen(audit, "all udev rules: %s", strerror(-r));
	if (files) {
		look_at_ours(&view, files);
		find_subjects(&view);
		for (struct rule_file *file = files; file->name; file++)
			if (!is_ours(file))
				look_at_file(&view, file);
	}
	look_at_tool(audit);
	for (unsigned i = 0; i < view.n_subjects; i++)
		udev_device_unref(view.subjects[i].device);
	rule_files_free(files);
}
