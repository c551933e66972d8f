/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file system is the directory service: one socket, one bus. */
#include "client-lib/library.h"

#include "client-lib/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool is_socket(DIR *directory, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_SOCK;
	return fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISSOCK(status.st_mode);
}

/* Keep the smallest `size` numbers seen, ascending. */
static void insert(int *buses, size_t size, size_t seen, int bus)
{
	size_t place = seen < size ? seen : size;

	while (place > 0 && buses[place - 1] > bus) {
		if (place < size)
			buses[place] = buses[place - 1];
		place--;
	}
	if (place < size)
		buses[place] = bus;
}

static int list(int *ret_buses, size_t size)
{
	DIR *directory = opendir(socket_directory());
	struct dirent *entry;
	int count = 0;
	int error;

	if (directory == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((errno = 0, entry = readdir(directory)) != NULL) {
		int bus = bus_from_name(entry->d_name);

		if (bus >= 0 && is_socket(directory, entry))
			insert(ret_buses, size, (size_t)count++, bus);
	}
	error = errno;
	closedir(directory);
	return error != 0 ? -error : count;
}

EXPORT int rgbroker_list(int *ret_buses, size_t size)
{
	int saved_errno = errno;
	int r = -EINVAL;

	if (ret_buses != NULL || size == 0)
		r = list(ret_buses, size);
	errno = saved_errno;
	return library_result(r, r < 0 ? CONNECTION_LOCAL : 0);
}
