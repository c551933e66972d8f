/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files count, and reading one of them. */
#include "policy/config.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const config_folders[] = {"/etc/rgbroker", "/run/rgbroker", "/usr/lib/rgbroker", NULL};

/* A growing list of files by their names; the first that brings a name keeps it. */
struct found {
	char *name, *file;
};

struct found_list {
	struct found *items;
	size_t count;
	int error; /* 0, or the first errno: what cannot be read may hold restrictions */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static void found_add(struct found_list *list, const char *folder, const char *name)
{
	struct found *items;
	char *file;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items)
		list->items = items;
	if (!items || asprintf(&file, "%s/%s", folder, name) < 0) {
		list->error = ENOMEM;
		return;
	}
	items[list->count].file = file;
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

/* All *.conf in FOLDER/kind of every folder. */
static struct found_list find_in(const char *const *folders, const char *kind)
{
	struct found_list list = {0};

	for (; *folders; folders++) {
		char path[4096];
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", *folders, kind);
		dir = opendir(path);
		if (!dir) {
			if (errno != ENOENT && errno != ENOTDIR)
				list.error = errno;
			continue;
		}
		for (struct dirent *entry; (entry = readdir(dir));) {
			const char *dot = strrchr(entry->d_name, '.');

			if (dot && dot != entry->d_name && strcmp(dot, ".conf") == 0)
				found_add(&list, path, entry->d_name);
		}
		closedir(dir);
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_name);
	return list;
}

/* Masked by a link to /dev/null, or by an empty file. */
static bool masked(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && (S_ISCHR(st.st_mode) || st.st_size == 0);
}

/* The file, then its drop-ins. */
static char **file_and_drop_ins(
	const char *const *folders, const char *kind, struct found *main_file)
{
	char drop_ins[512];
	struct found_list list;
	char **files;
	size_t count = 0;

	snprintf(drop_ins, sizeof(drop_ins), "%s/%s.d", kind, main_file->name);
	list = find_in(folders, drop_ins);
	files = list.error ? NULL : calloc(list.count + 2, sizeof(*files));
	if (files) {
		files[count++] = main_file->file;
		main_file->file = NULL;
		for (size_t i = 0; i < list.count; i++) {
			if (masked(list.items[i].file))
				continue;
			files[count++] = list.items[i].file;
			list.items[i].file = NULL;
		}
	}
	found_free(&list);
	if (!files)
		errno = list.error ? list.error : ENOMEM;
	return files;
}

struct config_entry *config_find(const char *const *folders, const char *kind)
{
	struct found_list list = find_in(folders, kind);
	struct config_entry *entries = calloc(list.count + 1, sizeof(*entries));
	size_t count = 0;

	for (size_t i = 0; entries && !list.error && i < list.count; i++) {
		struct found *found = &list.items[i];

		if (masked(found->file))
			continue;
		entries[count].files = file_and_drop_ins(folders, kind, found);
		entries[count].name = strndup(found->name, strlen(found->name) - strlen(".conf"));
		if (!entries[count].files)
			list.error = errno;
		else if (!entries[count].name)
			list.error = ENOMEM;
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

void config_free(struct config_entry *entries)
{
	for (struct config_entry *entry = entries; entry && (entry->name || entry->files);
		entry++) {
		for (char **file = entry->files; file && *file; file++)
			free(*file);
		free(entry->files);
		free(entry->name);
	}
	free(entries);
}

/* What inih's callbacks share; it tells them no line numbers, so the reader counts. */
struct reading {
	FILE *stream;
	const char *file;
	int line;
	bool bad;
	config_key key;
	void *key_userdata;
	config_problem problem;
	void *problem_userdata;
};

static void complain(struct reading *reading, const char *why)
{
	reading->problem(reading->problem_userdata, reading->file, reading->line, why);
	reading->bad = true;
}

/* inih tells a section by its first key only: an unknown one without any would pass unseen. */
static void check_section(struct reading *reading, const char *line)
{
	const char *end;
	char name[64];
	const char *why;

	line += strspn(line, " \t");
	end = strchr(line, ']');
	if (*line != '[' || !end || (size_t)(end - line) > sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1), line + 1);
	why = reading->key(reading->key_userdata, name, NULL, NULL, reading->line);
	if (why)
		complain(reading, why);
}

/*
 * fgets for inih. A line longer than its buffer would come as two, one with a NUL byte as its head
 * alone, which may allow more than the whole: both are refused instead.
 */
static char *read_line(char *buffer, int size, void *stream)
{
	struct reading *reading = stream;
	int c, count = 0;
	bool nul = false;

	while ((c = getc(reading->stream)) != EOF && c != '\n') {
		if (count < size - 2)
			buffer[count] = (char)c;
		count++;
		nul |= c == '\0';
	}
	if (c == EOF && count == 0)
		return NULL;
	reading->line++;
	if (nul || count > size - 2) {
		complain(reading, nul ? "a NUL byte" : "line longer than 198 characters");
		count = 0;
	}
	buffer[count] = '\0';
	check_section(reading, buffer);
	return buffer;
}

static int handle_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct reading *reading = userdata;
	const char *why = reading->key(reading->key_userdata, section, key, value, reading->line);

	if (why)
		complain(reading, why);
	return 1; /* go on: every bad line is told; handler errors are ours, 0 means syntax */
}

bool config_read(const char *file, config_key key, void *key_userdata, config_problem problem,
	void *problem_userdata)
{
	struct reading reading = {.file = file,
		.key = key,
		.key_userdata = key_userdata,
		.problem = problem,
		.problem_userdata = problem_userdata};
	int syntax;

	reading.stream = fopen(file, "re");
	if (!reading.stream) {
		complain(&reading, strerror(errno));
		return false;
	}
	syntax = ini_parse_stream(read_line, &reading, handle_key, &reading);
	if (ferror(reading.stream)) {
		reading.line = 0;
		complain(&reading, "cannot be read to its end");
	}
	fclose(reading.stream);
	if (syntax > 0) {
		reading.line = syntax;
		complain(&reading, "neither [Section], Key=value nor # comment");
	} else if (syntax < 0) {
		reading.line = 0;
		complain(&reading, "out of memory");
	}
	return !reading.bad;
}
