/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/daemon/other.h"

#include <errno.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CONNECTIONS_MAX 1024

enum what { CONNECT, CLOSE, SEND, RECEIVE, ASK, FORK };

struct command {
	enum what what;
	int connection;
	int channel; /* FORK: the child's, by its number in the process that forks */
	char door[16];
	struct batch batch;
};

struct outcome {
	int number;
	struct answer answer;
};

static void take_command(int channel, struct command *command)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec vector = {command, sizeof(*command)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *head;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != sizeof(*command))
		_exit(0); /* the test has ended */
	head = CMSG_FIRSTHDR(&message);
	if (head)
		memcpy(&command->channel, CMSG_DATA(head), sizeof(int));
}

/* The other process: does as it is told, until nobody tells it any more. */
static void obey(const struct ring *ring, int channel)
{
	static int connections[CONNECTIONS_MAX];
	static unsigned n_connections;

	for (;;) {
		static struct command command;
		static struct outcome outcome;

		take_command(channel, &command);
		memset(&outcome, 0, sizeof(outcome));
		switch (command.what) {
		case CONNECT:
			outcome.number = (int)n_connections;
			connections[n_connections++] = peer_connect(ring, command.door);
			break;
		case CLOSE:
			close(connections[command.connection]);
			break;
		case SEND:
			peer_send(connections[command.connection], &command.batch);
			break;
		case RECEIVE:
			outcome.answer = peer_receive(connections[command.connection]);
			break;
		case ASK:
			outcome.answer = peer_ask(connections[command.connection], &command.batch);
			break;
		case FORK:
			outcome.number = fork();
			if (outcome.number == 0) {
				close(channel);
				channel = command.channel;
				continue; /* the parent answers */
			}
			close(command.channel);
			break;
		}
		if (send(channel, &outcome, sizeof(outcome), MSG_NOSIGNAL) != sizeof(outcome))
			_exit(0);
	}
}

static struct outcome tell(
	const struct other *other, const struct command *command, const int *channel)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec vector = {(void *)(uintptr_t)command, sizeof(*command)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	struct outcome outcome;

	if (channel) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), channel, sizeof(int));
	}
	assert_int_equal(sendmsg(other->commands, &message, MSG_NOSIGNAL), sizeof(*command));
	assert_int_equal(recv(other->commands, &outcome, sizeof(outcome), 0), sizeof(outcome));
	return outcome;
}

/* 0: whichever number comes */
static pid_t fork_as(pid_t pid)
{
	uint64_t pids[1] = {0};
	struct clone_args arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)pids, .set_tid_size = 1};

	if (!pid)
		return fork();
	memcpy(pids, &pid, sizeof(pid));
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

struct other other_new_as(const struct ring *ring, pid_t pid)
{
	struct other other;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	other.commands = pair[0];
	other.pid = fork_as(pid);
	assert_true(other.pid >= 0);
	if (other.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		obey(ring, pair[1]);
	}
	close(pair[1]);
	return other;
}

struct other other_new(const struct ring *ring)
{
	return other_new_as(ring, 0);
}

int other_connect(const struct other *other, const char *door)
{
	struct command command = {.what = CONNECT};

	strncpy(command.door, door, sizeof(command.door) - 1);
	return tell(other, &command, NULL).number;
}

void other_close(const struct other *other, int connection)
{
	struct command command = {.what = CLOSE, .connection = connection};

	tell(other, &command, NULL);
}

void other_send(const struct other *other, int connection, const struct batch *batch)
{
	struct command command = {.what = SEND, .connection = connection, .batch = *batch};

	tell(other, &command, NULL);
}

struct answer other_receive(const struct other *other, int connection)
{
	struct command command = {.what = RECEIVE, .connection = connection};

	return tell(other, &command, NULL).answer;
}

struct answer other_ask(const struct other *other, int connection, const struct batch *batch)
{
	struct command command = {.what = ASK, .connection = connection, .batch = *batch};

	return tell(other, &command, NULL).answer;
}

struct other other_fork(const struct other *other)
{
	struct command command = {.what = FORK};
	struct other child;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child.commands = pair[0];
	child.pid = tell(other, &command, &pair[1]).number;
	assert_true(child.pid > 0);
	close(pair[1]);
	return child;
}

void other_kill(struct other *other)
{
	kill(other->pid, SIGKILL);
	waitpid(other->pid, NULL, 0);
	close(other->commands);
	other->pid = 0;
}
