/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page on which a broker writes what it is about to do: told even while it hangs. */
#include "ctl/admin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool is_live_page(int folder, const char *name)
{
	static const char wanted[] = "/memfd:" RGBROKER_LIVE_NAME;
	char target[64];
	ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);

	if (length < 0)
		return false;
	target[length] = '\0';
	return strncmp(target, wanted, strlen(wanted)) == 0;
}

static int read_page(int folder, const char *name, struct rgbroker_live *ret_live)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = pread(fd, ret_live, sizeof(*ret_live), 0);
	close(fd);
	return length == (ssize_t)sizeof(*ret_live) ? 0 : -EIO;
}

int live_read(pid_t broker, struct rgbroker_live *ret_live)
{
	char path[32];
	DIR *files;
	int r = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%d/fd", broker);
	files = opendir(path);
	if (!files)
		return -errno;
	for (struct dirent *file; r == -ENOENT && (file = readdir(files));)
		if (is_live_page(dirfd(files), file->d_name))
			r = read_page(dirfd(files), file->d_name, ret_live);
	closedir(files);
	return r;
}

double live_seconds(const struct rgbroker_live *live)
{
	struct timespec now;
	double seconds;

	if (!live->since)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)live->since / 1e6;
	return seconds > 0 ? seconds : 0;
}
