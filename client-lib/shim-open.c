/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks that open. */
#include "client-lib/link.h"
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#define NOT_OURS -2

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

/* What open() says of a character device, whatever its driver. */
static int flags_fit(int bus, int flags)
{
	char path[sizeof(((struct connection *)0)->path)];
	int error = flags & O_DIRECTORY                                  ? -ENOTDIR
		    : (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? -EEXIST
									 : 0;

	if (error == 0)
		return 0;
	return shim_socket_path(path, sizeof(path), bus) == 0 && !link_gone(path) ? error : -ENODEV;
}

/* @return a descriptor, -1 with errno, or NOT_OURS with errno as it was */
static int open_node(const char *path, int flags)
{
	int bus = shim_node(path);
	int saved_errno = errno;
	int r;

	if (bus < 0 || (flags & O_PATH))
		return NOT_OURS;
	r = flags_fit(bus, flags);
	if (r == 0)
		r = shim_connect(bus, flags);
	errno = saved_errno;
	if (r == -ENODEV)
		return NOT_OURS;
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}

#define TAKE_MODE(mode, flags)                                                                     \
	mode_t mode = 0;                                                                           \
	if (__OPEN_NEEDS_MODE(flags)) {                                                            \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode = va_arg(arguments, mode_t);                                                  \
		va_end(arguments);                                                                 \
	}

#define OPEN(name)                                                                                 \
	EXPORT int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		int fd = open_node(path, flags);                                                   \
		TAKE_MODE(mode, flags)                                                             \
		return fd != NOT_OURS ? fd : next()->name(path, flags, mode);                      \
	}

#define OPENAT(name)                                                                               \
	EXPORT int name(int directory, const char *path, int flags, ...)                           \
	{                                                                                          \
		int fd = open_node(path, flags);                                                   \
		TAKE_MODE(mode, flags)                                                             \
		return fd != NOT_OURS ? fd : next()->name(directory, path, flags, mode);           \
	}

/* What -D_FORTIFY_SOURCE makes of open() without a mode. */
#define OPEN_2(name)                                                                               \
	EXPORT int name(const char *path, int flags)                                               \
	{                                                                                          \
		int fd = open_node(path, flags);                                                   \
		return fd != NOT_OURS ? fd : next()->name(path, flags);                            \
	}

#define OPENAT_2(name)                                                                             \
	EXPORT int name(int directory, const char *path, int flags)                                \
	{                                                                                          \
		int fd = open_node(path, flags);                                                   \
		return fd != NOT_OURS ? fd : next()->name(directory, path, flags);                 \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)
