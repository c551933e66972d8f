/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An i2c-dev program that knows nothing of brokers: test-shim.c runs it under the shim, one part at
 * a time. It ends with 0, or says which line did not hold and ends with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE "/dev/i2c-7"

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);       \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Exactly -1 and errno; a success leaves errno alone. */
#define FAILS(call, error)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		HOLDS((call) == -1);                                                               \
		HOLDS(errno == (error));                                                           \
	} while (0)

#define GIVES(call, value)                                                                         \
	do {                                                                                       \
		errno = 4711;                                                                      \
		HOLDS((call) == (value));                                                          \
		HOLDS(errno == 4711);                                                              \
	} while (0)

extern int __open_2(const char *path, int flags);
extern ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room);

static int smbus(int fd, int direction, uint8_t command, uint32_t size, union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data arguments = {
		.read_write = (uint8_t)direction, .command = command, .size = size, .data = data};

	return ioctl(fd, I2C_SMBUS, &arguments);
}

static int get(int fd, uint8_t command)
{
	union i2c_smbus_data data = {.block = {0}};

	if (smbus(fd, I2C_SMBUS_READ, command, I2C_SMBUS_BYTE_DATA, &data) < 0)
		return -1;
	return data.byte;
}

static int put(int fd, uint8_t command, uint8_t value)
{
	union i2c_smbus_data data = {.byte = value};

	return smbus(fd, I2C_SMBUS_WRITE, command, I2C_SMBUS_BYTE_DATA, &data);
}

static int opened(void)
{
	int fd = open(NODE, O_RDWR);

	HOLDS(fd >= 0);
	HOLDS(ioctl(fd, I2C_SLAVE, 0x20) == 0);
	return fd;
}

static void part_open(void)
{
	const char *volatile nowhere = NULL;
	int lowest = open("/dev/null", O_RDONLY);
	int fd;

	close(lowest);
	GIVES(fd = open(NODE, O_RDWR), lowest);
	HOLDS((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
	close(fd);
	GIVES(fd = openat(AT_FDCWD, NODE, O_RDWR | O_CLOEXEC), lowest);
	HOLDS(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	GIVES(fd = __open_2(NODE, O_RDWR), lowest);
	GIVES(ioctl(fd, I2C_SLAVE, 0x20), 0);
	close(fd);
	GIVES(fd = open64(NODE, O_RDWR), lowest);
	close(fd);
	FAILS(open("/dev/i2c-8", O_RDWR), ENOENT);
	FAILS(open("/dev/i2c-07", O_RDWR), ENOENT);
	FAILS(open("/dev/i2c-7x", O_RDWR), ENOENT);
	FAILS(open("/dev/i2c/7", O_RDWR), ENOENT); /* devfs' name, which no kernel has any more */
	FAILS(open(NODE, O_RDWR | O_DIRECTORY), ENOTDIR);
	FAILS(open(NODE, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	FAILS(open(nowhere, O_RDWR), EFAULT);
}

static void part_slave(void)
{
	int fd = open(NODE, O_RDWR);
	unsigned long functionality = 0;

	HOLDS(get(fd, 1) == 0); /* address 0, as i2c-dev has it */
	FAILS(ioctl(fd, I2C_SLAVE, 0x80), EINVAL);
	FAILS(get(fd, 1), EBUSY);
	GIVES(ioctl(fd, I2C_SLAVE, 0x20), 0);
	GIVES(get(fd, 1), 0);
	FAILS(ioctl(fd, I2C_SLAVE, 0x2e), EBUSY); /* a driver is bound there */
	FAILS(put(fd, 1, 5), EBUSY);
	FAILS(write(fd, "x", 1), EBUSY);
	FAILS(ioctl(fd, I2C_SLAVE_FORCE, 0x20), EPERM);
	GIVES(ioctl(fd, I2C_SLAVE, 0x10), 0); /* denied chips look absent, not closed */
	FAILS(get(fd, 1), EACCES);
	GIVES(ioctl(fd, I2C_SLAVE, 0x77), 0);
	FAILS(get(fd, 1), ENXIO);
	GIVES(ioctl(fd, I2C_TENBIT, 0), 0);
	FAILS(ioctl(fd, I2C_TENBIT, 1), EOPNOTSUPP);
	GIVES(ioctl(fd, I2C_PEC, 0), 0);
	FAILS(ioctl(fd, I2C_PEC, 1), EOPNOTSUPP);
	FAILS(ioctl(fd, I2C_RETRIES, 3), EPERM);
	FAILS(ioctl(fd, I2C_TIMEOUT, -1L), EINVAL);
	FAILS(ioctl(fd, TCGETS, &functionality), ENOTTY);
	FAILS(ioctl(fd, FIONREAD, &functionality), ENOTTY);
	FAILS(ioctl(fd, 0x07ff, 0), ENOTTY);
	GIVES(ioctl(fd, FIOCLEX), 0);
	HOLDS(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	GIVES(ioctl(fd, I2C_FUNCS, &functionality), 0);
	HOLDS(functionality & I2C_FUNC_SMBUS_BYTE_DATA);
	HOLDS(!(functionality & I2C_FUNC_SMBUS_PEC));
	FAILS(ioctl(fd, I2C_FUNCS, NULL), EFAULT);
}

static void part_smbus(void)
{
	int fd = opened();
	union i2c_smbus_data data = {.block = {3, 'a', 'b', 'c'}};
	union i2c_smbus_data expected;

	GIVES(smbus(fd, I2C_SMBUS_WRITE, 0, I2C_SMBUS_QUICK, NULL), 0);
	GIVES(smbus(fd, I2C_SMBUS_READ, 0, I2C_SMBUS_QUICK, NULL), 0);
	GIVES(smbus(fd, I2C_SMBUS_WRITE, 9, I2C_SMBUS_BYTE, NULL), 0);
	GIVES(smbus(fd, I2C_SMBUS_WRITE, 16, I2C_SMBUS_BLOCK_DATA, &data), 0);
	GIVES(get(fd, 18), 'c');
	/* All 34 bytes come back, the unused ones as zeros. */
	memset(&data, 0xff, sizeof(data));
	memset(&expected, 0, sizeof(expected));
	memcpy(expected.block, "\4abc", 4);
	GIVES(smbus(fd, I2C_SMBUS_READ, 16, I2C_SMBUS_BLOCK_DATA, &data), 0);
	HOLDS(memcmp(&data, &expected, sizeof(data)) == 0);
	/* Here the unused ones keep what the program had there. */
	memset(&data, 0xee, sizeof(data));
	memset(&expected, 0xee, sizeof(expected));
	data.block[0] = 2;
	memcpy(expected.block, "\2ab", 3);
	GIVES(smbus(fd, I2C_SMBUS_READ, 16, I2C_SMBUS_I2C_BLOCK_DATA, &data), 0);
	HOLDS(memcmp(&data, &expected, sizeof(data)) == 0);
	memset(&data, 0xee, sizeof(data));
	GIVES(smbus(fd, I2C_SMBUS_READ, 16, I2C_SMBUS_I2C_BLOCK_BROKEN, &data), 0);
	HOLDS(data.block[0] == 32 && data.block[3] == 'c' && data.block[33] == 0);
	memset(&data, 0xee, sizeof(data));
	GIVES(smbus(fd, I2C_SMBUS_READ, 16, I2C_SMBUS_BYTE_DATA, &data), 0);
	HOLDS(data.block[0] == 'a' && data.block[1] == 0xee);
	data.word = 0x1234;
	GIVES(smbus(fd, I2C_SMBUS_WRITE, 40, I2C_SMBUS_WORD_DATA, &data), 0);
	GIVES(get(fd, 40), 0x34);
	memset(&data, 0xee, sizeof(data));
	GIVES(smbus(fd, I2C_SMBUS_READ, 40, I2C_SMBUS_WORD_DATA, &data), 0);
	HOLDS(data.word == 0x1234 && data.block[2] == 0xee);
	FAILS(smbus(fd, I2C_SMBUS_READ, 0, 9, &data), EINVAL);
	FAILS(smbus(fd, 2, 0, I2C_SMBUS_BYTE_DATA, &data), EINVAL);
	FAILS(smbus(fd, I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE, NULL), EINVAL);
	FAILS(smbus(fd, I2C_SMBUS_READ, 0, I2C_SMBUS_PROC_CALL, &data), EOPNOTSUPP);
	FAILS(smbus(fd, I2C_SMBUS_WRITE, 0, I2C_SMBUS_BLOCK_PROC_CALL, &data), EOPNOTSUPP);
	data.block[0] = 33;
	FAILS(smbus(fd, I2C_SMBUS_WRITE, 0, I2C_SMBUS_BLOCK_DATA, &data), EINVAL);
	FAILS(smbus(fd, I2C_SMBUS_WRITE, 0, I2C_SMBUS_I2C_BLOCK_DATA, &data), EINVAL);
	FAILS(smbus(fd, I2C_SMBUS_READ, 0, I2C_SMBUS_I2C_BLOCK_DATA, &data), EINVAL);
}

static void part_rdwr(void)
{
	int fd = opened();
	uint8_t write_data[] = {5, 'x', 'y'}, pointer = 5, back[3] = {0xee, 0xee, 0xee};
	struct i2c_msg messages[9] = {
		{.addr = 0x21, .len = 3, .buf = write_data},
		{.addr = 0x21, .len = 1, .buf = &pointer},
		{.addr = 0x21, .flags = I2C_M_RD, .len = 2, .buf = back},
	};
	struct i2c_rdwr_ioctl_data arguments = {messages, 3};
	static uint8_t large[1025];

	FAILS(ioctl(fd, I2C_SLAVE, 0x2e), EBUSY); /* messages have their own addresses */
	GIVES(ioctl(fd, I2C_RDWR, &arguments), 3);
	HOLDS(memcmp(back, "xy\xee", 3) == 0);
	arguments.nmsgs = 0;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EINVAL);
	arguments.nmsgs = 9;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EINVAL);
	arguments.nmsgs = 1;
	messages[0].flags = I2C_M_TEN;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EOPNOTSUPP);
	messages[0].flags = I2C_M_RD | I2C_M_RECV_LEN;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EOPNOTSUPP);
	messages[0].flags = 0;
	messages[0].addr = 0x80;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EINVAL);
	messages[0].addr = 0x21;
	messages[0].buf = large;
	messages[0].len = 1025;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EINVAL);
	messages[0].len = 1024;
	GIVES(ioctl(fd, I2C_RDWR, &arguments), 1);
	messages[0].buf = NULL;
	FAILS(ioctl(fd, I2C_RDWR, &arguments), EFAULT);
	FAILS(ioctl(fd, I2C_RDWR, NULL), EFAULT);
}

static void part_read_write(void)
{
	int fd = opened();
	char back[4] = {0};
	static char large[1025];

	GIVES(write(fd, "\5abc", 4), 4);
	GIVES(write(fd, "\5", 1), 1);
	GIVES(read(fd, back, 2), 2);
	HOLDS(strcmp(back, "ab") == 0);
	GIVES(__read_chk(fd, back, 1, sizeof(back)), 1);
	HOLDS(back[0] == 'c');
	FAILS(read(fd, large, 1025), EINVAL);
	FAILS(write(fd, large, 1025), EINVAL);
	GIVES(write(fd, large, 1024), 1024);
	GIVES(write(fd, NULL, 0), 0);
	close(fd);
	fd = open(NODE, O_RDONLY);
	ioctl(fd, I2C_SLAVE, 0x20);
	FAILS(write(fd, "\5", 1), EBADF);
	GIVES(read(fd, back, 1), 1);
	close(fd);
	fd = open(NODE, O_WRONLY);
	ioctl(fd, I2C_SLAVE, 0x20);
	FAILS(read(fd, back, 1), EBADF);
	GIVES(write(fd, "\5", 1), 1);
}

static void part_faults(void)
{
	int fd = opened();
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(
		NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union i2c_smbus_data *across = (union i2c_smbus_data *)(pages + page - 10);

	mprotect(pages + page, (size_t)page, PROT_NONE);
	FAILS(ioctl(fd, I2C_SMBUS, (void *)8), EFAULT);
	FAILS(smbus(fd, I2C_SMBUS_READ, 1, I2C_SMBUS_BYTE_DATA, (void *)8), EFAULT);
	FAILS(smbus(fd, I2C_SMBUS_WRITE, 1, I2C_SMBUS_BYTE_DATA, (void *)8), EFAULT);
	FAILS(smbus(fd, I2C_SMBUS_READ, 1, I2C_SMBUS_BLOCK_DATA, across), EFAULT);
	FAILS(smbus(fd, I2C_SMBUS_WRITE, 1, I2C_SMBUS_BLOCK_DATA, across), EFAULT);
	GIVES(smbus(fd, I2C_SMBUS_READ, 1, I2C_SMBUS_BYTE_DATA, across), 0);
	FAILS(read(fd, pages + page - 1, 2), EFAULT);
	FAILS(write(fd, pages + page - 1, 2), EFAULT);
	mprotect(pages + page, (size_t)page, PROT_READ);
	FAILS(read(fd, pages + page - 1, 2), EFAULT);
	GIVES(write(fd, pages + page - 1, 2), 2);
}

static void part_dup(void)
{
	int fd = opened();
	int other = dup(fd);

	GIVES(ioctl(other, I2C_SLAVE, 0x21), 0);
	GIVES(put(fd, 1, 0x5a), 0); /* one open file, one address */
	close(fd);
	GIVES(get(other, 1), 0x5a);
	HOLDS(dup2(other, 50) == 50);
	GIVES(get(50, 1), 0x5a);
	close(other);
	close(50);
	FAILS(get(50, 1), EBADF);
	HOLDS(dup2(STDERR_FILENO, 50) == 50);
	FAILS(get(50, 1), ENOTTY);
}

static void waited(pid_t pid)
{
	int status;

	HOLDS(waitpid(pid, &status, 0) == pid);
	HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void in_child(void (*run)(int fd), int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(fd);
		_exit(0);
	}
	waited(pid);
}

static void expect_seven(int fd)
{
	GIVES(get(fd, 1), 7);
}

/* The broker goes to sleep when told so by a byte; the test program then sees nothing of it. */
static void tell_to_sleep(void)
{
	char answer;

	HOLDS(write(STDOUT_FILENO, "s", 1) == 1);
	HOLDS(read(STDIN_FILENO, &answer, 1) == 1);
}

static void part_restart(void)
{
	int fd = opened();
	int other = dup(fd);
	struct stat before, after;

	HOLDS(put(fd, 1, 7) == 0);
	HOLDS(fstat(fd, &before) == 0);
	tell_to_sleep();
	GIVES(get(fd, 1), 7); /* the address is still known */
	HOLDS(fstat(fd, &after) == 0);
	HOLDS(before.st_ino != after.st_ino);
	GIVES(get(other, 1), 7);
	HOLDS(fstat(other, &before) == 0);
	HOLDS(before.st_ino == after.st_ino);
	in_child(expect_seven, fd); /* and on the new socket, for those who inherit it */
	GIVES(ioctl(other, I2C_SLAVE, 0x21), 0);
	GIVES(put(fd, 1, 8), 0);
	GIVES(ioctl(fd, I2C_SLAVE, 0x21), 0);
	GIVES(get(other, 1), 8); /* both numbers are one file again */
	tell_to_sleep();
	close(fd);
	GIVES(get(other, 1), 8);
}

static void use_otherwise(int fd)
{
	GIVES(get(fd, 1), 7);
	GIVES(ioctl(fd, I2C_SLAVE, 0x22), 0);
	GIVES(put(fd, 1, 9), 0);
}

static void part_fork(void)
{
	int fd = opened();

	HOLDS(put(fd, 1, 7) == 0);
	in_child(use_otherwise, fd);
	GIVES(get(fd, 1), 7); /* not 0x22's */
}

static const char *self;

static void part_exec(void)
{
	int fd = opened();
	char number[16];
	pid_t pid;

	HOLDS(put(fd, 1, 7) == 0);
	snprintf(number, sizeof(number), "%d", fd);
	pid = vfork();
	if (pid == 0) {
		execl(self, self, "inherited", number, (char *)NULL);
		_exit(1);
	}
	waited(pid);
	/* A vfork child that uses the descriptor itself, in our memory. */
	pid = vfork();
	if (pid == 0)
		_exit(get(fd, 1) == 7 && ioctl(fd, I2C_SLAVE, 0x22) == 0 && put(fd, 1, 3) == 0 ? 0
											       : 1);
	waited(pid);
	GIVES(get(fd, 1), 7);
	execl(self, self, "inherited", number, (char *)NULL);
	HOLDS(!"exec");
}

/* Behind exec: no open() here, and the address is the one set before. */
static void part_inherited(int fd)
{
	char back;

	GIVES(get(fd, 1), 7);
	GIVES(write(fd, "\1", 1), 1);
	GIVES(read(fd, &back, 1), 1);
	HOLDS(back == 7);
}

static void part_close_range(void)
{
	int fd = opened();

	HOLDS(close_range((unsigned)fd, ~0u, 0) == 0);
	FAILS(get(fd, 1), EBADF);
	HOLDS(opened() == fd);
	GIVES(get(fd, 1), 0);
}

static void part_many(void)
{
	int kept = opened();

	HOLDS(put(kept, 1, 7) == 0);
	for (int i = 0; i < 2000; i++) {
		int fd = opened();

		HOLDS(i % 100 != 0 || get(fd, 1) == 7);
		close(fd);
	}
	GIVES(get(kept, 1), 7);
}

/* The table holds 1024; one more is one too many, until one is closed. */
static void part_full(void)
{
	struct rlimit limit;
	int first = open(NODE, O_RDWR);
	int last = first;

	HOLDS(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	HOLDS(limit.rlim_max >= 2000 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int i = 1; i < 1024; i++)
		HOLDS((last = open(NODE, O_RDWR)) >= 0);
	FAILS(open(NODE, O_RDWR), EMFILE);
	close(last);
	GIVES(open(NODE, O_RDWR), last);
	GIVES(get(first, 1), 0);
	GIVES(get(last, 1), 0);
}

static void *thread(void *argument)
{
	uint8_t address = (uint8_t)(intptr_t)argument;

	for (int i = 0; i < 200; i++) {
		int fd = open(NODE, O_RDWR);

		HOLDS(ioctl(fd, I2C_SLAVE, address) == 0);
		GIVES(put(fd, 1, (uint8_t)(address + i)), 0);
		GIVES(get(fd, 1), (uint8_t)(address + i));
		close(fd);
	}
	return NULL;
}

static void use_and_open(int fd)
{
	HOLDS(ioctl(fd, I2C_SLAVE, 0x40) == 0);
	GIVES(get(fd, 9), 0);
	GIVES(get(opened(), 9), 0);
}

/* Forking meanwhile: whatever lock a thread holds, the child does not wait for it. */
static void part_threads(void)
{
	pthread_t threads[8];
	int fd = opened();

	for (intptr_t i = 0; i < 8; i++)
		HOLDS(pthread_create(&threads[i], NULL, thread, (void *)(0x21 + i)) == 0);
	for (int i = 0; i < 30; i++)
		in_child(use_and_open, fd);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

static int in_handler;

static void on_alarm(int number)
{
	int saved_errno = errno;

	GIVES(get(in_handler, 1), 7);
	errno = saved_errno;
}

/* A handler that uses the descriptor of the call it interrupts. */
static void part_signals(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 150}, {0, 150}};
	struct itimerval never = {{0, 0}, {0, 0}};

	in_handler = opened();
	HOLDS(put(in_handler, 1, 7) == 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 1000; i++)
		HOLDS(get(in_handler, 1) == 7);
	setitimer(ITIMER_REAL, &never, NULL);
}

static void check_status(const struct stat *status)
{
	HOLDS(S_ISCHR(status->st_mode));
	HOLDS((status->st_mode & 07777) == 0660);
	HOLDS(status->st_rdev == makedev(89, 7));
}

static void part_status(void)
{
	struct stat status;
	struct statx status_x;
	int fd;

	GIVES(stat(NODE, &status), 0);
	check_status(&status);
	GIVES(lstat(NODE, &status), 0);
	check_status(&status);
	GIVES(fstatat(AT_FDCWD, NODE, &status, 0), 0);
	check_status(&status);
	GIVES(stat64(NODE, (struct stat64 *)&status), 0);
	check_status(&status);
	GIVES(statx(AT_FDCWD, NODE, 0, STATX_BASIC_STATS, &status_x), 0);
	HOLDS(S_ISCHR(status_x.stx_mode) && status_x.stx_rdev_minor == 7);
	FAILS(stat("/dev/i2c-8", &status), ENOENT);
	GIVES(access(NODE, R_OK | W_OK), 0);
	GIVES(access(NODE, F_OK), 0);
	GIVES(faccessat(AT_FDCWD, NODE, R_OK, AT_EACCESS), 0);
	GIVES(eaccess(NODE, R_OK), 0);
	FAILS(access(NODE, X_OK), EACCES);
	FAILS(access("/dev/i2c-8", F_OK), ENOENT);
	fd = opened();
	GIVES(fstat(fd, &status), 0);
	check_status(&status);
	GIVES(fstatat(fd, "", &status, AT_EMPTY_PATH), 0);
	check_status(&status);
}

/* Everything that is not an i2c node is as ever, before and after one was opened. */
static void part_others(void)
{
	for (int round = 0; round < 2; round++) {
		int ends[2], sockets[2], waiting = 0;
		struct stat status;
		char back[4] = {0};

		HOLDS(pipe(ends) == 0);
		GIVES(write(ends[1], "abc", 3), 3);
		GIVES(ioctl(ends[0], FIONREAD, &waiting), 0);
		HOLDS(waiting == 3);
		GIVES(read(ends[0], back, 3), 3);
		HOLDS(strcmp(back, "abc") == 0);
		FAILS(ioctl(ends[0], I2C_SLAVE, 0x20), ENOTTY);
		HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) == 0);
		GIVES(write(sockets[0], "abc", 3), 3);
		GIVES(read(sockets[1], back, 3), 3);
		GIVES(fstat(sockets[0], &status), 0);
		HOLDS(S_ISSOCK(status.st_mode));
		FAILS(ioctl(sockets[0], I2C_SLAVE, 0x20), ENOTTY);
		FAILS(read(-1, back, 1), EBADF);
		FAILS(ioctl(-1, I2C_SLAVE, 0x20), EBADF);
		FAILS(open("/nonexistent", O_RDONLY), ENOENT);
		GIVES(stat("/", &status), 0);
		HOLDS(S_ISDIR(status.st_mode));
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		FAILS(write(ends[1], "abc", 3), EPIPE);
		close(opened());
	}
}

/* How many system calls a thousand small writes take is counted by test-shim.c. */
static void part_writes(void)
{
	int fd = open("/dev/null", O_WRONLY);

	for (int i = 0; i < 1000; i++)
		HOLDS(write(fd, "x", 1) == 1);
}

static void part_pointer(void)
{
	int fd = open(NODE, O_RDWR);
	union i2c_smbus_data data = {.word = 0x1080};

	HOLDS(ioctl(fd, I2C_SLAVE, 0x70) == 0);
	HOLDS(smbus(fd, I2C_SMBUS_WRITE, 0, I2C_SMBUS_WORD_DATA, &data) == 0);
	tell_to_sleep();
	GIVES(put(fd, 4, 5), 0);
}

static void part_gone(void)
{
	int fd = opened();

	GIVES(get(fd, 1), 0); /* it has been accepted by now */
	tell_to_sleep();
	FAILS(get(fd, 1), ENODEV);
	FAILS(get(fd, 1), ENODEV);
	FAILS(open(NODE, O_RDWR), ENOENT);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{"open", part_open},
	{"slave", part_slave},
	{"smbus", part_smbus},
	{"rdwr", part_rdwr},
	{"read-write", part_read_write},
	{"faults", part_faults},
	{"dup", part_dup},
	{"restart", part_restart},
	{"fork", part_fork},
	{"exec", part_exec},
	{"close-range", part_close_range},
	{"many", part_many},
	{"full", part_full},
	{"signals", part_signals},
	{"threads", part_threads},
	{"status", part_status},
	{"others", part_others},
	{"writes", part_writes},
	{"pointer", part_pointer},
	{"gone", part_gone},
};

int main(int argc, char **argv)
{
	self = argv[0];
	alarm(20); /* a test that hangs has failed */
	if (argc == 3 && strcmp(argv[1], "inherited") == 0) {
		part_inherited(atoi(argv[2]));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(parts[i].name, argv[1]) != 0)
			continue;
		parts[i].run();
		return 0;
	}
	return 2;
}
