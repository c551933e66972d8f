/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

int datagram_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* An abstract name is as long as it is said to be. */
	if (connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path)
		manager = datagram_connect(path);
}

void notify(const char *state)
{
	if (manager >= 0)
		(void)send(manager, state, strlen(state), MSG_NOSIGNAL);
}

bool notify_at_once(const char *state)
{
	size_t length = strlen(state);

	return manager < 0 ||
	       send(manager, state, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}
