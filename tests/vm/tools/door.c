/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "door.h"

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

int door_connect(const char *path)
{
	struct sockaddr_un door = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(door.sun_path, sizeof(door.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&door, sizeof(door)) < 0)
		err(1, "%s", path);
	return fd;
}
