/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* adapter-name DOOR: asks once for the name of the adapter behind it, which touches no bus. */
#include "door.h"
#include "protocol/wire.h"

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PATIENCE_SECONDS 20

int main(int argc, char **argv)
{
	const struct rgbroker_request request = {
		.version = RGBROKER_PROTOCOL_VERSION, .opcode = RGBROKER_INFO, .serial = 7};
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	struct {
		struct rgbroker_reply header;
		struct rgbroker_info info;
	} reply = {0};
	ssize_t size;
	int fd;

	if (argc != 2)
		errx(2, "usage: adapter-name DOOR");
	fd = door_connect(argv[1]);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		err(1, "%s", argv[1]);
	size = recv(fd, &reply, sizeof(reply), 0);
	if (size < 0)
		err(1, "%s", argv[1]);
	if (size != sizeof(reply))
		errx(1, "%s: %zd bytes, reason %u", argv[1], size, reply.header.reason);
	printf("%.*s\n", (int)sizeof(reply.info.name), reply.info.name);
	return 0;
}
