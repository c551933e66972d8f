/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * i2c-program NODE                what a program may do with an i2c-dev descriptor, told line by
 * line i2c-program NODE threads        the same from several threads i2c-program NODE reopen COUNT
 * opens and closes, and what is left of them
 *
 * It knows i2c-dev only, so it must tell the same on the node itself and under the shim. Chips are
 * plain ones, as on rgbsim's plain adapters: 0x10 to 0x6f, of which those that end in f are absent.
 */
#include "i2c-program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHIP 0x40
#define OTHER 0x41
#define THIRD 0x42
#define NOBODY 0x2f
#define THREADS 8
#define ROUNDS 50

extern char **environ;

static int result_of(int r)
{
	return r < 0 ? -errno : r;
}

static int wait_for_child(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- the node ---- */

static void look_at_node(void)
{
	struct stat status;

	tell("access, is it there", result_of(access(node, F_OK)));
	tell("access to read and write", result_of(access(node, R_OK | W_OK)));
	tell("access to run it", result_of(access(node, X_OK)));
	tell("faccessat", result_of(faccessat(AT_FDCWD, node, R_OK, 0)));
	tell("stat", result_of(stat(node, &status)));
	tell("a character device", S_ISCHR(status.st_mode));
	tell("of major number", (int)major(status.st_rdev));
	tell("and the node's own minor",
		atoi(node + strlen("/dev/i2c-")) == (int)minor(status.st_rdev));
	tell("access of one that is not there", result_of(access("/dev/i2c-99", F_OK)));
	tell("stat of it", result_of(stat("/dev/i2c-99", &status)));
	tell("open of it", result_of(open("/dev/i2c-99", O_RDWR)));
}

static void transfer(void)
{
	int fd = node_open(O_RDWR, CHIP), readable = node_open(O_RDONLY, CHIP);
	uint8_t bytes[4] = {0x20, 0xa1, 0xa2, 0xa3};
	struct stat status;

	tell("write a register", write_register(fd, 0x10, 0x5a));
	tell("read it", read_register(fd, 0x10));
	tell("write three by write()", result_of((int)write(fd, bytes, 4)));
	tell("set the pointer by write()", result_of((int)write(fd, bytes, 1)));
	memset(bytes, 0, sizeof(bytes));
	tell("read two by read()", result_of((int)read(fd, bytes, 2)));
	tell("the first", bytes[0]);
	tell("the second", bytes[1]);
	tell("I2C_RDWR", exchange(fd, OTHER, 0x02, bytes, 3));
	tell("brought", bytes[2]);
	tell("nobody answers I2C_RDWR", exchange(fd, NOBODY, 0x02, bytes, 3));
	tell("an address that cannot be", set_address(fd, 0x80));
	tell("an address that can", set_address(fd, NOBODY));
	tell("nobody answers", read_register(fd, 0x00));
	tell("nor read()", result_of((int)read(fd, bytes, 1)));
	tell("back to who does", set_address(fd, CHIP));
	tell("it answers", read_register(fd, 0x10));
	tell("an unknown ioctl", result_of(ioctl(fd, 0x07ff, 0)));
	tell("write() where only reading was asked for", result_of((int)write(readable, bytes, 1)));
	tell("read() there", result_of((int)read(readable, bytes, 1)));
	tell("lseek", result_of((int)lseek(fd, 1, SEEK_SET)));
	tell("fstat", result_of(fstat(fd, &status)));
	tell("shows a character device", S_ISCHR(status.st_mode));
	close(readable);
	tell("close", result_of(close(fd)));
	tell("read after close", read_register(fd, 0x10));
}

/* ---- numbers ---- */

static void duplicate(void)
{
	int fd = node_open(O_RDWR, CHIP), copy = dup(fd), third = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	tell("read by a dup", read_register(copy, 0x01));
	tell("address set by the dup", set_address(copy, OTHER));
	tell("seen by the first", read_register(fd, 0x01));
	tell("and by F_DUPFD", read_register(third, 0x01));
	tell("dup2 over another file", result_of(dup2(fd, STDIN_FILENO)));
	tell("read there", read_register(STDIN_FILENO, 0x02));
	tell("dup3 onto a high number", result_of(dup3(fd, 200, O_CLOEXEC)));
	tell("the first is closed", result_of(close(fd)));
	tell("the dup goes on", read_register(copy, 0x03));
	tell("the high number too", read_register(200, 0x03));
	tell("its own address is set", set_address(200, CHIP));
	tell("and seen by the dup", read_register(copy, 0x03));
	close(copy);
	close(third);
	close(200);
	tell("the last one goes on", read_register(STDIN_FILENO, 0x04));
	tell("until it is another file's", result_of(dup2(STDOUT_FILENO, STDIN_FILENO)));
	tell("which is none", read_register(STDIN_FILENO, 0x04) < 0);
	fd = node_open(O_RDWR, CHIP);
	tell("close_range", result_of(close_range((unsigned)fd, ~0U, 0)));
	tell("closes", read_register(fd, 0x05));
	fd = node_open(O_RDWR, OTHER);
	tell("the number is used again", read_register(fd, 0x05));
	close(fd);
}

/* ---- processes ---- */

/* What a started program finds in a descriptor that it was given. */
static int inherited(const char *number)
{
	int fd = atoi(number);

	tell("  given", read_register(fd, 0x11));
	tell("  after another address", set_address(fd, OTHER));
	tell("  given", read_register(fd, 0x11));
	return 7;
}

static void run_inherited(int fd)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", fd);
	execl("/proc/self/exe", "i2c-program", node, "inherited", number, NULL);
	_exit(99);
}

static void use_fork(void)
{
	int fd = node_open(O_RDWR, CHIP), ends[2];
	uint8_t bytes[1] = {0};
	char byte = 0;
	pid_t pid;

	if (pipe(ends) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		tell("  child reads", read_register(fd, 0x10));
		/* its own chip: what its parent has written to may be its parent's */
		set_address(fd, THIRD);
		tell("  child writes", write_register(fd, 0x12, 0x66));
		set_address(fd, CHIP);
		_exit((int)write(ends[1], &byte, 1) == 1 ? 5 : 6);
	}
	tell("child is heard of", (int)read(ends[0], &byte, 1));
	tell("parent goes on meanwhile", read_register(fd, 0x10));
	tell("child ended with", wait_for_child(pid));
	tell("parent reads what the child wrote", exchange(fd, THIRD, 0x12, bytes, 1));
	tell("which is", bytes[0]);
	tell("parent goes on", read_register(fd, 0x10));
	pid = fork();
	if (pid == 0) {
		int grandchild = fork();

		if (grandchild == 0) {
			tell("  grandchild reads", read_register(fd, 0x10));
			_exit(0);
		}
		tell("  grandchild ended with", wait_for_child(grandchild));
		close(fd);
		_exit(0);
	}
	tell("child that closes ended with", wait_for_child(pid));
	tell("parent goes on", read_register(fd, 0x10));
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void use_vfork(void)
{
	int fd = node_open(O_RDWR, CHIP);
	pid_t pid = vfork();

	if (pid == 0)
		_exit(read_register(fd, 0x10));
	tell("vfork child read", wait_for_child(pid));
	tell("parent goes on", read_register(fd, 0x10));
	pid = vfork();
	if (pid == 0)
		run_inherited(fd);
	tell("vfork and exec: ended with", wait_for_child(pid));
	set_address(fd, CHIP); /* with i2c-dev, the child has set it for both */
	tell("parent goes on", read_register(fd, 0x10));
	close(fd);
}

static void use_exec(void)
{
	int fd = node_open(O_RDWR, CHIP), closing = node_open(O_RDWR | O_CLOEXEC, CHIP);
	char number[12];
	char name[] = "i2c-program", what[] = "inherited", path[32];
	char *arguments[] = {name, path, what, number, NULL};
	pid_t pid = fork();

	if (pid == 0)
		run_inherited(fd);
	tell("fork and exec: ended with", wait_for_child(pid));
	set_address(fd, CHIP);
	snprintf(path, sizeof(path), "%s", node);
	snprintf(number, sizeof(number), "%d", fd);
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
		pid = -1;
	tell("posix_spawn: ended with", wait_for_child(pid));
	set_address(fd, CHIP);
	pid = fork();
	if (pid == 0)
		run_inherited(closing);
	tell("close-on-exec: ended with", wait_for_child(pid));
	pid = fork();
	if (pid == 0) {
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		run_inherited(fd);
	}
	tell("close_range for exec: ended with", wait_for_child(pid));
	close(fd);
	close(closing);
}

/* ---- threads ---- */

static int shared;

/* Two chips' worth of registers: an own descriptor for the one, a shared one for the other. */
static void *work(void *argument)
{
	uint8_t thread = *(uint8_t *)argument, bytes[2];
	int fd = node_open(O_RDWR, CHIP + thread);
	intptr_t wrong = fd < 0;

	for (uint8_t round = 0; round < ROUNDS; round++) {
		wrong += write_register(fd, 0x80, round) != 0;
		wrong += read_register(fd, 0x80) != round;
		wrong += exchange(shared, 0x50 + thread, 0x04, bytes, 2) != 2;
		wrong += bytes[0] != 0x54 + thread || bytes[1] != 0x55 + thread;
	}
	wrong += close(fd) != 0;
	return (void *)wrong;
}

static void use_threads(void)
{
	uint8_t numbers[THREADS];
	pthread_t ids[THREADS];

	shared = node_open(O_RDWR, -1);
	for (uint8_t i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&ids[i], NULL, work, &numbers[i]);
	}
	for (uint8_t i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(ids[i], &wrong);
		tell("wrong in a thread", (int)(intptr_t)wrong);
	}
	close(shared);
}

/* ---- leaks ---- */

static int reopen_once(void)
{
	int fd = node_open(O_RDWR, CHIP);
	int r = fd < 0 ? fd : read_register(fd, 0x10);

	close(fd);
	return r < 0 ? r : 0;
}

static void reopen(int count)
{
	int before = count_descriptors(), failed = 0, data;

	/* what is used for the first time is not a leak */
	for (int i = 0; i < 100; i++)
		failed += reopen_once() < 0;
	data = memory("VmData");
	for (int i = 0; i < count; i++)
		failed += reopen_once() < 0;
	tell("failed", failed);
	tell("descriptors more", count_descriptors() - before);
	tell("kB of memory more", memory("VmData") - data);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	if (argc < 2) {
		fprintf(stderr, "usage: i2c-program NODE [threads | reopen COUNT]\n");
		return 2;
	}
	node = argv[1];
	if (strcmp(what, "inherited") == 0)
		return inherited(argv[3]);
	if (strcmp(what, "threads") == 0) {
		use_threads();
	} else if (strcmp(what, "reopen") == 0) {
		reopen(atoi(argv[3]));
	} else {
		look_at_node();
		transfer();
		duplicate();
		use_fork();
		use_vfork();
		use_exec();
	}
	return 0;
}
