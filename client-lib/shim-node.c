/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of nodes, their sockets, and what sysfs says about an address. */
#include "client-lib/paths.h"
#include "client-lib/shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSFS_DIRECTORY "/sys/bus/i2c/devices"

static struct {
	atomic_bool known;
	char sockets[sizeof(((struct connection *)0)->path)];
	char sysfs[256];
	int timeout_ms;
} environment;

static void keep(char *ret_copy, size_t size, const char *text, const char *otherwise)
{
	snprintf(ret_copy, size, "%s", text != NULL && strlen(text) < size ? text : otherwise);
}

/* Read once: getenv() in a later call would race with setenv() in another thread. */
static void read_environment(void)
{
	if (atomic_load(&environment.known))
		return;
	keep(environment.sockets, sizeof(environment.sockets), socket_directory(),
		SOCKET_DIRECTORY);
	keep(environment.sysfs, sizeof(environment.sysfs), secure_getenv("RGBROKER_SYSFS_DIR"),
		SYSFS_DIRECTORY);
	environment.timeout_ms = timeout_from_environment();
	atomic_store(&environment.known, true);
}

__attribute__((constructor)) static void read_environment_early(void)
{
	read_environment();
}

const char *shim_socket_directory(void)
{
	read_environment();
	return environment.sockets;
}

int shim_timeout_ms(void)
{
	read_environment();
	return environment.timeout_ms;
}

int shim_node(const char *path)
{
	static const char prefix[] = "/dev/i2c-";
	const size_t length = sizeof(prefix) - 1;

	if (path == NULL || strncmp(path, prefix, length) != 0)
		return -1;
	return bus_from_digits(path + length);
}

int shim_socket_path(char *ret_path, size_t size, int bus)
{
	return socket_path(ret_path, size, shim_socket_directory(), bus);
}

bool shim_address_is_bound(int bus, unsigned address)
{
	char path[sizeof(environment.sysfs) + 32];

	read_environment();
	snprintf(path, sizeof(path), "%s/%d-%04x/driver", environment.sysfs, bus, address);
	return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

int shim_bus_of_peer(int fd)
{
	struct sockaddr_un peer = {0};
	socklen_t size = sizeof(peer) - 1; /* a path that fills it all is none of ours */
	char *name;

	if ((connection_read_note(fd) & NOTE_MAGIC_MASK) != NOTE_MAGIC)
		return -1;
	if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sun_family != AF_UNIX)
		return -1;
	name = strrchr(peer.sun_path, '/');
	if (name == NULL)
		return -1;
	*name = '\0';
	/* In a container the directory may have another name than the broker knows. */
	if (strcmp(peer.sun_path, shim_socket_directory()) != 0 &&
		strcmp(peer.sun_path, SOCKET_DIRECTORY) != 0)
		return -1;
	return bus_from_name(name + 1);
}
