/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/config-folder.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void folder_make(struct config_folder *folder)
{
	strcpy(folder->path, "/tmp/rgbroker-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	assert_int_equal(chmod(folder->path, 0755), 0); /* some tests read as somebody else */
}

const char *folder_file(const struct config_folder *folder, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	return path;
}

/* The path of a file that is about to be made. */
static const char *prepare(const struct config_folder *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", folder_file(folder, name));
	for (char *slash = path + strlen(folder->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	return folder_file(folder, name);
}

void folder_write_bytes(
	const struct config_folder *folder, const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(prepare(folder, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void folder_write(const struct config_folder *folder, const char *name, const char *text)
{
	folder_write_bytes(folder, name, text, strlen(text));
}

void folder_link(const struct config_folder *folder, const char *name, const char *target)
{
	assert_int_equal(symlink(target, prepare(folder, name)), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void folder_remove(const struct config_folder *folder)
{
	assert_int_equal(nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void problems_add(void *userdata, const char *file, int line, const char *why)
{
	struct problems *problems = userdata;
	size_t i = problems->count++;

	assert_in_range(i, 0, PROBLEMS_MAX - 1);
	snprintf(problems->items[i].file, sizeof(problems->items[i].file), "%s", file);
	snprintf(problems->items[i].why, sizeof(problems->items[i].why), "%s", why);
	problems->items[i].line = line;
}

void problems_expect(const struct problems *problems, const char *file, int line, const char *why)
{
	unsigned times = 0;

	for (size_t i = 0; i < problems->count; i++)
		times += strcmp(problems->items[i].file, file) == 0 &&
			 problems->items[i].line == line &&
			 strcmp(problems->items[i].why, why) == 0;
	if (times == 1)
		return;
	for (size_t i = 0; i < problems->count; i++)
		print_error("told: %s:%d: %s\n", problems->items[i].file, problems->items[i].line,
			problems->items[i].why);
	fail_msg("told %u times: %s:%d: %s", times, file, line, why);
}
