/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules files in the order in which udev goes through them, and the way through one. */
#include "ctl/audit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first that brings a name keeps it. */
static const char *const folders[] = {"/etc/udev/rules.d", "/run/udev/rules.d",
	"/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};

struct list {
	struct rule_file *files;
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct rule_file *)a)->name, ((const struct rule_file *)b)->name);
}

static int add(struct list *list, const char *folder, const char *name)
{
	struct rule_file *files;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->files[i].name, name) == 0)
			return 0;
	/* Zeroed behind the last one: the end. */
	files = reallocarray(list->files, list->count + 2, sizeof(*files));
	if (!files)
		return -ENOMEM;
	list->files = files;
	memset(&files[list->count], 0, 2 * sizeof(*files));
	files[list->count].name = strdup(name);
	if (asprintf(&files[list->count].path, "%s/%s", folder, name) < 0)
		files[list->count].path = NULL;
	list->count++;
	return files[list->count - 1].name && files[list->count - 1].path ? 0 : -ENOMEM;
}

static int add_folder(struct list *list, const char *folder)
{
	DIR *dir = opendir(folder);
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && dot != entry->d_name && strcmp(dot, ".rules") == 0)
			r = add(list, folder, entry->d_name);
	}
	closedir(dir);
	return r;
}

struct rule_file *rule_files_find(int *ret_error)
{
	struct list list = {.files = calloc(1, sizeof(*list.files))};

	*ret_error = list.files ? 0 : -ENOMEM;
	for (size_t i = 0; *ret_error == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		*ret_error = add_folder(&list, folders[i]);
	if (list.count)
		qsort(list.files, list.count, sizeof(*list.files), by_name);
	return list.files;
}

void rule_files_free(struct rule_file *files)
{
	for (struct rule_file *file = files; file && file->name; file++)
		rule_file_free(file);
	free(files);
}

static void match_for(
	struct rule_file *file, struct udev_device *device, unsigned place, const char *action)
{
	const char *label = NULL;

	for (size_t i = 0; i < file->n_lines; i++) {
		struct rule_line *line = &file->lines[i];
		const struct rule_token *goto_token = rule_line_find(line, "GOTO");
		const struct rule_token *here = rule_line_find(line, "LABEL");
		enum match match;

		if (label && (!here || strcmp(here->value, label) != 0))
			continue;
		label = NULL;
		match = rule_line_match(line, device, action);
		if (match != MATCH_NO)
			line->devices |= UINT64_C(1) << place;
		/* Not where it is in doubt: what is jumped over might hold. */
		if (match == MATCH_YES && goto_token)
			label = goto_token->value;
	}
}

void rule_file_match(struct rule_file *file, struct udev_device *device, unsigned place)
{
	match_for(file, device, place, "add");
	match_for(file, device, place, "change");
}
