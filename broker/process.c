/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/process.h"

#include "broker/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void release_all(struct process *process)
{
	struct broker *broker = process->broker;

	for (unsigned address = 0; address < ADDRESSES; address++)
		if (broker->claims[address] == process)
			broker->claims[address] = NULL;
	pointers_forget_process(&broker->pointers, process);
}

static void process_gone(struct process *process)
{
	process->gone = true;
	process->exit = sd_event_source_disable_unref(process->exit);
	/* That its connections are closed is seen when they have their turns, which is late. */
	turn_leave(process->broker, process->account);
	release_all(process);
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	process_gone(userdata);
	return 0;
}

static bool has_exited(int pidfd)
{
	struct pollfd exited = {.fd = pidfd, .events = POLLIN};

	return poll(&exited, 1, 0) > 0;
}

/* Its exit may not have been seen yet. */
static bool process_lives(struct process *process)
{
	if (!process->gone && process->pidfd >= 0 && has_exited(process->pidfd))
		process_gone(process);
	return !process->gone;
}

/*
 * The socket knows who connected; older kernels are asked by number, which somebody else may have
 * by now: he would only be taken for that one process.
 */
static int open_pidfd(int fd, pid_t pid)
{
	int pidfd;
	socklen_t size = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	/* Else the kernel knows it, and will not tell: it has gone, for one. */
	if (errno != ENOPROTOOPT)
		return -errno;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pidfd < 0 ? -errno : pidfd;
}

static struct process *find(struct broker *broker, pid_t pid)
{
	for (struct process *process = broker->processes; process; process = process->next)
		if (pid > 0 && process->pid == pid && process->pidfd >= 0 && process_lives(process))
			return process;
	return NULL;
}

/* All of its connections are closed at the other end, but not yet read to theirs. */
static bool has_hung_up(const struct broker *broker, const struct process *process)
{
	for (const struct client *client = broker->clients; client; client = client->next) {
		struct pollfd peer = {.fd = sd_event_source_get_io_fd(client->source)};

		if (client->process == process && poll(&peer, 1, 0) >= 0 &&
			!(peer.revents & POLLHUP))
			return false;
	}
	return true;
}

/* pidfd: becomes the process's, or negative */
static int process_new(
	struct broker *broker, int pidfd, const struct ucred *peer, struct process **ret_process)
{
	struct process *process = calloc(1, sizeof(*process));
	int r = 0;

	if (!process)
		return -ENOMEM;
	*process = (struct process){.broker = broker,
		.pid = peer->pid,
		.uid = peer->uid,
		.pidfd = pidfd < 0 ? -1 : pidfd};
	if (pidfd >= 0)
		r = sd_event_add_io(
			broker->event, &process->exit, pidfd, EPOLLIN, on_exit_of, process);
	if (r >= 0) {
		process->account = account_enter(broker, peer->uid, pidfd < 0);
		r = process->account ? 0 : -ENOMEM;
	}
	if (r < 0) {
		sd_event_source_disable_unref(process->exit);
		free(process);
		return r;
	}
	process->next = broker->processes;
	process->link = &broker->processes;
	if (process->next)
		process->next->link = &process->next;
	broker->processes = process;
	*ret_process = process;
	return 0;
}

int process_enter(
	struct broker *broker, int fd, const struct ucred *peer, struct process **ret_process)
{
	int pidfd = peer->pid > 0 ? open_pidfd(fd, peer->pid) : -ESRCH, r = 0;
	struct process *process = NULL;

	/* For want of a descriptor nobody is taken for a stranger to himself: let him come again.
	 */
	if (pidfd == -EMFILE || pidfd == -ENFILE || pidfd == -ENOMEM)
		return pidfd;
	/* The number of one that has gone before it was let in may be another's now. */
	if (pidfd >= 0 && !has_exited(pidfd))
		process = find(broker, peer->pid);
	if (process) {
		/* Who comes may be let in before it is seen that he had gone. */
		if (has_hung_up(broker, process))
			release_all(process);
		account_join(process->account);
	} else {
		r = process_new(broker, pidfd, peer, &process);
		pidfd = r < 0 ? pidfd : -1;
	}
	if (pidfd >= 0)
		close(pidfd);
	if (r < 0)
		return r;
	process->clients++;
	*ret_process = process;
	return 0;
}

void process_leave(struct process *process)
{
	account_leave(process->broker, process->account);
	if (--process->clients > 0)
		return;
	release_all(process);
	*process->link = process->next;
	if (process->next)
		process->next->link = process->link;
	sd_event_source_disable_unref(process->exit);
	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process);
}

/* --- claims --- */

bool claim_of_other(struct broker *broker, const struct process *process, uint8_t address)
{
	struct process *holder = broker->claims[address];

	if (!holder || holder == process || !process_lives(holder))
		return false;
	if (!has_hung_up(broker, holder))
		return true;
	release_all(holder);
	return false;
}

void claim(struct broker *broker, struct process *process, uint8_t address)
{
	if (process_lives(process))
		broker->claims[address] = process;
}

bool claim_release(struct broker *broker, uint8_t address)
{
	bool held = broker->claims[address];

	broker->claims[address] = NULL;
	return held;
}
