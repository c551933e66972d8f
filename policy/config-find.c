/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files count. */
#include "policy/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const config_folders[] = {"/etc/rgbroker", "/run/rgbroker", "/usr/lib/rgbroker", NULL};

/* A growing list of files; of those with one name, once sorted, the first counts. */
struct found {
	char *name, *file;
	size_t rank; /* of its folder */
};

struct found_list {
	struct found *items;
	size_t count;
	int error; /* 0, or the first errno: what cannot be read may hold restrictions */
};

static int by_name(const void *a, const void *b)
{
	const struct found *first = a, *second = b;
	int order = strcmp(first->name, second->name);

	if (order)
		return order;
	return first->rank < second->rank ? -1 : first->rank > second->rank;
}

static void found_add(struct found_list *list, const char *folder, size_t rank, const char *name)
{
	struct found *items;
	char *file;

	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items)
		list->items = items;
	if (!items || asprintf(&file, "%s/%s", folder, name) < 0) {
		list->error = ENOMEM;
		return;
	}
	items[list->count].file = file;
	items[list->count].rank = rank;
	items[list->count].name = strdup(name);
	if (!items[list->count++].name)
		list->error = ENOMEM;
}

static void found_free(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].file);
	}
	free(list->items);
}

static void find_in_folder(struct found_list *list, const char *folder, size_t rank)
{
	DIR *dir = opendir(folder);

	if (!dir) {
		if (errno != ENOENT && errno != ENOTDIR)
			list->error = errno;
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && dot != entry->d_name && strcmp(dot, ".conf") == 0)
			found_add(list, folder, rank, entry->d_name);
	}
	closedir(dir);
}

static void found_sort(struct found_list *list)
{
	/* A name that could not be copied is none to compare. */
	if (list->count && !list->error)
		qsort(list->items, list->count, sizeof(*list->items), by_name);
}

/* All *.conf in FOLDER/kind of every folder. */
static struct found_list find_in(const char *const *folders, const char *kind)
{
	struct found_list list = {0};

	for (size_t rank = 0; folders[rank]; rank++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folders[rank], kind);
		find_in_folder(&list, path, rank);
	}
	found_sort(&list);
	return list;
}

/* Masked by a link to /dev/null, or by an empty file. */
static bool masked(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && (S_ISCHR(st.st_mode) || st.st_size == 0);
}

static enum config_state state_of(const struct found_list *list, size_t i)
{
	if (i > 0 && strcmp(list->items[i - 1].name, list->items[i].name) == 0)
		return CONFIG_OVERRIDDEN;
	return masked(list->items[i].file) ? CONFIG_MASKED : CONFIG_COUNTS;
}

/* The file, then those of its drop-ins that count. Takes the list, and the file if it succeeds. */
static char **join(char *file, struct found_list *drop_ins)
{
	size_t count = 0;
	char **files = drop_ins->error ? NULL : calloc(drop_ins->count + 2, sizeof(*files));

	if (files)
		files[count++] = file;
	for (size_t i = 0; files && i < drop_ins->count; i++) {
		if (state_of(drop_ins, i) != CONFIG_COUNTS)
			continue;
		files[count++] = drop_ins->items[i].file;
		drop_ins->items[i].file = NULL;
	}
	found_free(drop_ins);
	if (!files)
		errno = drop_ins->error ? drop_ins->error : ENOMEM;
	return files;
}

/* All that is read for an entry; of one that does not count nothing but the file's name is told. */
static char **entry_files(
	const char *const *folders, const char *kind, const struct found *found, bool counts)
{
	struct found_list drop_ins = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.d", kind, found->name);
	if (counts)
		drop_ins = find_in(folders, path);
	return join(found->file, &drop_ins);
}

/* All of them, or those that count. */
static struct config_entry *find(const char *const *folders, const char *kind, bool all)
{
	struct found_list list = find_in(folders, kind);
	struct config_entry *entries = calloc(list.count + 1, sizeof(*entries));
	size_t count = 0;

	for (size_t i = 0; entries && !list.error && i < list.count; i++) {
		struct config_entry *entry = &entries[count];
		struct found *found = &list.items[i];

		entry->state = state_of(&list, i);
		if (entry->state != CONFIG_COUNTS && !all)
			continue;
		entry->files = entry_files(folders, kind, found, entry->state == CONFIG_COUNTS);
		entry->name = strndup(found->name, strlen(found->name) - strlen(".conf"));
		if (!entry->files)
			list.error = errno;
		else if (!entry->name)
			list.error = ENOMEM;
		if (entry->files)
			found->file = NULL;
		count++;
	}
	if (entries && list.error) {
		config_free(entries);
		entries = NULL;
	}
	found_free(&list);
	if (!entries)
		errno = list.error ? list.error : ENOMEM;
	return entries;
}

struct config_entry *config_find(const char *const *folders, const char *kind)
{
	return find(folders, kind, false);
}

struct config_entry *config_find_all(const char *const *folders, const char *kind)
{
	return find(folders, kind, true);
}

char **config_with_drop_ins(const char *file)
{
	struct found_list drop_ins = {0};
	char *folder, *copy = strdup(file), **files = NULL;

	if (copy && asprintf(&folder, "%s.d", file) >= 0) {
		find_in_folder(&drop_ins, folder, 0);
		found_sort(&drop_ins);
		free(folder);
		files = join(copy, &drop_ins);
	} else {
		errno = ENOMEM;
	}
	if (!files)
		free(copy);
	return files;
}

void config_free_files(char **files)
{
	for (char **file = files; file && *file; file++)
		free(*file);
	free(files);
}

void config_free(struct config_entry *entries)
{
	for (struct config_entry *entry = entries; entry && (entry->name || entry->files);
		entry++) {
		config_free_files(entry->files);
		free(entry->name);
	}
	free(entries);
}
