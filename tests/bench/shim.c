/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An i2c-dev program with the shim in front of it. */
#include "tests/bench/bench.h"
#include "tests/bench/i2c-program.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static pid_t program;
static int ours;

static void become_program(int fd)
{
	char node[32], address[8], command[8], value[8];

	snprintf(node, sizeof(node), "/dev/i2c-%d", BENCH_BUS);
	snprintf(address, sizeof(address), "%d", BENCH_OTHER_CHIP);
	snprintf(command, sizeof(command), "%d", BENCH_COMMAND);
	snprintf(value, sizeof(value), "%d", BENCH_VALUE);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	setenv("LD_PRELOAD", SHIM, 1);
	setenv("RGBROKER_SOCKET_DIR", bench.directory, 1);
	execl(PROGRAM, PROGRAM, node, address, command, value, NULL);
	_exit(127);
}

void shim_open(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		give_up("socket pair: %m");
	program = fork_child();
	if (program == 0)
		become_program(ends[1]);
	close(ends[1]);
	ours = ends[0];
}

static uint64_t order(enum task task, unsigned count)
{
	const struct task_order order = {.task = task, .count = count};
	struct task_done done;

	if (send(ours, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
		recv(ours, &done, sizeof(done), MSG_WAITALL) != sizeof(done))
		give_up("the program behind the shim has ended");
	return done.nsec;
}

uint64_t shim_run(unsigned count)
{
	return order(TASK_READS, count);
}

uint64_t shim_frame_run(unsigned count)
{
	return order(TASK_FRAMES, count);
}

void shim_close(void)
{
	close(ours);
	end_child(program);
}
