/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* access(): where a bus has a broker, the socket decides, since it is the socket that is opened. */
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define NOT_OURS -2

/* @return 0, -1 with errno, or NOT_OURS with errno as it was */
static int node_access(const char *path, int mode, int flags)
{
	char socket[sizeof(((struct connection *)0)->path)];
	int saved_errno = errno;
	int bus = shim_node(path);

	if (bus < 0 || shim_socket_path(socket, sizeof(socket), bus) < 0)
		return NOT_OURS;
	if (next()->faccessat(AT_FDCWD, socket, F_OK, flags & AT_EACCESS) != 0) {
		errno = saved_errno;
		return NOT_OURS;
	}
	if (mode & X_OK) {
		errno = EACCES;
		return -1;
	}
	/* Connecting takes the right to write, whatever is then asked for. */
	return mode == F_OK ? 0 : next()->faccessat(AT_FDCWD, socket, W_OK, flags & AT_EACCESS);
}

EXPORT int access(const char *path, int mode)
{
	int r = node_access(path, mode, 0);

	return r != NOT_OURS ? r : next()->access(path, mode);
}

EXPORT int faccessat(int directory, const char *path, int mode, int flags)
{
	int r = node_access(path, mode, flags);

	return r != NOT_OURS ? r : next()->faccessat(directory, path, mode, flags);
}

EXPORT int eaccess(const char *path, int mode)
{
	int r = node_access(path, mode, AT_EACCESS);

	return r != NOT_OURS ? r : next()->eaccess(path, mode);
}

EXPORT int euidaccess(const char *path, int mode)
{
	int r = node_access(path, mode, AT_EACCESS);

	return r != NOT_OURS ? r : next()->euidaccess(path, mode);
}
