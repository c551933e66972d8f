/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Was the program started with an i2c descriptor? Asked once, so that all others pay nothing. */
#include "client-lib/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool among(const char *entries, long size)
{
	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const struct dirent64 *)(entries + at);

		if (entry->d_name[0] != '.' && shim_bus_of_peer(atoi(entry->d_name)) >= 0)
			return true;
		at += entry->d_reclen;
	}
	return false;
}

/* Not opendir(): it allocates, and some allocators are not ready yet. */
__attribute__((constructor)) static void look_for_inherited(void)
{
	_Alignas(struct dirent64) char entries[2048];
	int saved_errno = errno;
	int fd = (int)syscall(
		SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long size;

	if (fd >= 0) {
		while ((size = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0)
			if (among(entries, size))
				atomic_store(&shim_active, true);
		close(fd);
	}
	errno = saved_errno;
}
