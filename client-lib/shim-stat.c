/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stat(): under PrivateDevices=yes a program sees the nodes that it can open. A node that really
 * exists is shown as it is. */
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define I2C_MAJOR 89
#define NODE_MODE (S_IFCHR | 0660)

int __xstat(int version, const char *path, struct stat *ret_status);
int __xstat64(int version, const char *path, struct stat64 *ret_status);
int __lxstat(int version, const char *path, struct stat *ret_status);
int __lxstat64(int version, const char *path, struct stat64 *ret_status);
int __fxstat(int version, int fd, struct stat *ret_status);
int __fxstat64(int version, int fd, struct stat64 *ret_status);
int __fxstatat(int version, int directory, const char *path, struct stat *ret_status, int flags);
int __fxstatat64(
	int version, int directory, const char *path, struct stat64 *ret_status, int flags);

/* On 64-bit machines, the only ones this is built for, the two are one. */
static_assert(sizeof(struct stat) == sizeof(struct stat64), "64 bits");

/* What the socket says of its owner, group and times is kept. */
static void dress(struct stat *status, int bus)
{
	status->st_mode = NODE_MODE;
	status->st_rdev = makedev(I2C_MAJOR, (unsigned)bus);
	status->st_nlink = 1;
	status->st_size = 0;
	status->st_blocks = 0;
}

static void dress_x(struct statx *status, int bus)
{
	status->stx_mode = NODE_MODE;
	status->stx_rdev_major = I2C_MAJOR;
	status->stx_rdev_minor = (unsigned)bus;
	status->stx_nlink = 1;
	status->stx_size = 0;
	status->stx_blocks = 0;
}

/* After a failed look at the node: is it only its broker that is there? */
static bool stand_in(int bus, char *ret_path, size_t size)
{
	int error = errno;
	bool there = (error == ENOENT || error == ENOTDIR) &&
		     shim_socket_path(ret_path, size, bus) == 0 &&
		     next()->access(ret_path, F_OK) == 0;

	errno = error;
	return there;
}

static int node_status(int bus, const char *path, struct stat *ret_status, int flags)
{
	char socket[sizeof(((struct connection *)0)->path)];
	int saved_errno = errno;
	int r = next()->fstatat(AT_FDCWD, path, ret_status, flags);

	if (r == 0 || !stand_in(bus, socket, sizeof(socket)))
		return r;
	r = next()->fstatat(AT_FDCWD, socket, ret_status, 0);
	if (r == 0) {
		dress(ret_status, bus);
		errno = saved_errno;
	}
	return r;
}

EXPORT int stat(const char *path, struct stat *ret_status)
{
	int bus = shim_node(path);

	return bus < 0 ? next()->stat(path, ret_status) : node_status(bus, path, ret_status, 0);
}

EXPORT int lstat(const char *path, struct stat *ret_status)
{
	int bus = shim_node(path);

	return bus < 0 ? next()->lstat(path, ret_status)
		       : node_status(bus, path, ret_status, AT_SYMLINK_NOFOLLOW);
}

EXPORT int fstat(int fd, struct stat *ret_status)
{
	int r = next()->fstat(fd, ret_status);
	int bus = r == 0 && S_ISSOCK(ret_status->st_mode) ? shim_bus_of(fd) : -1;

	if (bus >= 0)
		dress(ret_status, bus);
	return r;
}

static bool means_descriptor(const char *path, int flags)
{
	return (flags & AT_EMPTY_PATH) && (path == NULL || path[0] == '\0');
}

EXPORT int fstatat(int directory, const char *path, struct stat *ret_status, int flags)
{
	int bus = shim_node(path);
	int r;

	if (bus >= 0)
		return node_status(bus, path, ret_status, flags);
	r = next()->fstatat(directory, path, ret_status, flags);
	if (r == 0 && S_ISSOCK(ret_status->st_mode) && means_descriptor(path, flags))
		bus = shim_bus_of(directory);
	if (bus >= 0)
		dress(ret_status, bus);
	return r;
}

EXPORT int statx(
	int directory, const char *path, int flags, unsigned mask, struct statx *ret_status)
{
	char socket[sizeof(((struct connection *)0)->path)];
	int saved_errno = errno;
	int bus = shim_node(path);
	int r = next()->statx(directory, path, flags, mask, ret_status);

	if (r != 0 && bus >= 0 && stand_in(bus, socket, sizeof(socket))) {
		r = next()->statx(AT_FDCWD, socket, 0, mask, ret_status);
		if (r == 0) {
			dress_x(ret_status, bus);
			errno = saved_errno;
		}
	} else if (r == 0 && S_ISSOCK(ret_status->stx_mode) && means_descriptor(path, flags)) {
		bus = shim_bus_of(directory);
		if (bus >= 0)
			dress_x(ret_status, bus);
	}
	return r;
}

EXPORT int stat64(const char *path, struct stat64 *ret_status)
{
	return stat(path, (struct stat *)ret_status);
}

EXPORT int lstat64(const char *path, struct stat64 *ret_status)
{
	return lstat(path, (struct stat *)ret_status);
}

EXPORT int fstat64(int fd, struct stat64 *ret_status)
{
	return fstat(fd, (struct stat *)ret_status);
}

EXPORT int fstatat64(int directory, const char *path, struct stat64 *ret_status, int flags)
{
	return fstatat(directory, path, (struct stat *)ret_status, flags);
}

/* How programs of before glibc 2.33 say it. */
EXPORT int __xstat(int version, const char *path, struct stat *ret_status)
{
	return stat(path, ret_status);
}

EXPORT int __xstat64(int version, const char *path, struct stat64 *ret_status)
{
	return stat64(path, ret_status);
}

EXPORT int __lxstat(int version, const char *path, struct stat *ret_status)
{
	return lstat(path, ret_status);
}

EXPORT int __lxstat64(int version, const char *path, struct stat64 *ret_status)
{
	return lstat64(path, ret_status);
}

EXPORT int __fxstat(int version, int fd, struct stat *ret_status)
{
	return fstat(fd, ret_status);
}

EXPORT int __fxstat64(int version, int fd, struct stat64 *ret_status)
{
	return fstat64(fd, ret_status);
}

EXPORT int __fxstatat(
	int version, int directory, const char *path, struct stat *ret_status, int flags)
{
	return fstatat(directory, path, ret_status, flags);
}

EXPORT int __fxstatat64(
	int version, int directory, const char *path, struct stat64 *ret_status, int flags)
{
	return fstatat64(directory, path, ret_status, flags);
}
