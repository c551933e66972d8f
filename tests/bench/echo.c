/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one question and its answer cost between two processes at the least: SEQPACKET, both sides
 * blocking, messages as large as those of the protocol for a read of one byte.
 */
#include "tests/bench/bench.h"

#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_SIZE (sizeof(struct rgbroker_request) + sizeof(struct rgbroker_operation))
#define REPLY_SIZE (sizeof(struct rgbroker_reply) + 1)

static int ours = -1;
static pid_t server;

static void serve(int fd)
{
	char message[RGBROKER_REQUEST_MAX] = {0};

	while (recv(fd, message, sizeof(message), 0) == (ssize_t)REQUEST_SIZE)
		if (send(fd, message, REPLY_SIZE, MSG_NOSIGNAL) != (ssize_t)REPLY_SIZE)
			break;
	_exit(0);
}

void echo_open(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		give_up("socket pair: %m");
	server = fork_child();
	if (server == 0) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
	ours = ends[0];
}

uint64_t echo_run(unsigned count)
{
	char message[RGBROKER_REPLY_MAX] = {0};
	uint64_t began = now_nsec();

	while (count-- > 0)
		if (send(ours, message, REQUEST_SIZE, MSG_NOSIGNAL) != (ssize_t)REQUEST_SIZE ||
			recv(ours, message, sizeof(message), 0) != (ssize_t)REPLY_SIZE)
			give_up("the echo does not answer: %m");
	return now_nsec() - began;
}

void echo_close(void)
{
	close(ours);
	end_child(server);
}
