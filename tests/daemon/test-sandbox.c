/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A broker that has been taken over: the bus makes it ask the kernel for all there is, call by call
 * and ioctl by ioctl. What is not left to it ends it, before anything has happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"

#define CALLS_END 600        /* the numbers beyond those that Linux has given out */
#define OTHER_ABI (1U << 30) /* on x86-64 the same calls again, with 32 bit pointers */
#define HIGH (1L << 32)      /* what the kernel does not look at */
#define PEERPIDFD 77         /* SO_PEERPIDFD, Linux 6.5 */
#define SNDBUFFORCE 32       /* SO_SNDBUFFORCE */

struct call {
	long number, arguments[6];
	long result; /* that the kernel carried it out is seen by what it finds wrong */
};

/* One of each that is left, with what does no harm. */
static const struct call left[] = {
	{SYS_ioctl, {-1, I2C_SLAVE, 0x20}, -EBADF},
	{SYS_ioctl, {-1, I2C_SMBUS}, -EBADF},
	{SYS_ioctl, {-1, I2C_RDWR}, -EBADF},
	{SYS_pread64, {-1}, -EBADF},
	{SYS_accept4, {-1}, -EBADF},
	{SYS_recvmsg, {-1, 0, MSG_DONTWAIT}, -EBADF},
	{SYS_sendto, {-1}, -EBADF},
	{SYS_shutdown, {-1, SHUT_RD}, -EBADF},
	{SYS_close, {-1}, -EBADF},
	{SYS_getsockopt, {-1, SOL_SOCKET, SO_PEERCRED}, -EBADF},
	{SYS_getsockopt, {-1, SOL_SOCKET, PEERPIDFD}, -EBADF},
	{SYS_setsockopt, {-1, SOL_SOCKET, SO_SNDBUF}, -EBADF},
	{SYS_pidfd_open, {-1}, -EINVAL},
	{SYS_epoll_ctl, {-1}, -EFAULT},
	{SYS_epoll_pwait2, {-1, 0, 1}, -EBADF},
	{SYS_epoll_wait, {-1, 0, 1}, -EBADF},
	{SYS_poll, {0}, 0},
	{SYS_read, {-1}, -EBADF},
	{SYS_timerfd_settime, {-1}, -EFAULT},
	{SYS_clock_gettime, {CLOCK_MONOTONIC}, -EFAULT},
	{SYS_restart_syscall, {0}, -EINTR},
	{SYS_mmap, {0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1}, -EINVAL},
	{SYS_munmap, {1}, -EINVAL},
	{SYS_writev, {STDERR_FILENO}, 0},
	/* what these answer stands below */
	{SYS_brk},
	{SYS_getpid},
	{SYS_exit_group},
};

/* The same calls for something else. */
static const struct call others[] = {
	{SYS_ioctl, {-1, I2C_SLAVE | HIGH, 0x20}},
	{SYS_ioctl, {-1, 0x5412}}, /* TIOCSTI: type on a terminal */
	{SYS_ioctl, {-1, 0x541c}}, /* TIOCLINUX */
	{SYS_ioctl, {-1, 0x5421}}, /* FIONBIO */
	{SYS_ioctl, {-1, 0x8901}}, /* FIOSETOWN: whom signals go to */
	{SYS_ioctl, {-1, 0x8913}}, /* SIOCGIFFLAGS */
	{SYS_recvmsg, {-1, 0, 0}},
	{SYS_recvmsg, {-1, 0, MSG_DONTWAIT | MSG_PEEK}},
	{SYS_sendto, {-1, 0, 0, 0, 1, 0}}, /* an address */
	{SYS_sendto, {-1, 0, 0, 0, HIGH, 0}},
	{SYS_sendto, {-1, 0, 0, 0, 0, 16}},
	{SYS_shutdown, {-1, SHUT_WR}},
	{SYS_shutdown, {-1, SHUT_RDWR}},
	{SYS_getsockopt, {-1, SOL_SOCKET, SO_TYPE}},
	{SYS_getsockopt, {-1, 0, SO_PEERCRED}},
	{SYS_setsockopt, {-1, SOL_SOCKET, SO_RCVBUF}},
	{SYS_setsockopt, {-1, SOL_SOCKET, SO_PASSCRED}},
	{SYS_setsockopt, {-1, SOL_SOCKET, SNDBUFFORCE}},
	{SYS_setsockopt, {-1, 0, SO_SNDBUF}},
	{SYS_pidfd_open, {1, O_NONBLOCK}},
	{SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{SYS_mmap, {0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE, 3}}, /* of a file */
	{SYS_mmap, {0, 4096, PROT_READ, MAP_SHARED, 3}},
	{SYS_writev, {STDIN_FILENO}},
	{SYS_writev, {STDOUT_FILENO}},
	{SYS_writev, {3}},
	{SYS_writev, {STDERR_FILENO | HIGH}},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Whoever asks is answered, or not: in the middle of it the broker makes the call. */
static struct answer ask_for(struct ring *ring, const struct call *call)
{
	struct batch batch = batch_write(1, 0x40, 0, 0);
	struct answer answer;
	int fd;

	if (!ring->pid)
		ring_start(ring);
	fd = peer_connect(ring, "rgb");
	atomic_store(&ring->bus->count, 0);
	ring->bus->call.number = call->number;
	memcpy(ring->bus->call.arguments, call->arguments, sizeof(call->arguments));
	ring->bus->call.result = -ENOSYS;
	atomic_store(&ring->bus->call.armed, 1);
	answer = peer_ask(fd, &batch);
	close(fd);
	return answer;
}

static void ends_the_broker(struct ring *ring, const struct call *call)
{
	struct answer answer = ask_for(ring, call);
	int status = answer.size > 0 ? 0 : ring_wait(ring);

	if (answer.size > 0 || status != -SIGSYS || atomic_load(&ring->bus->count))
		fail_msg("call %ld with %#lx, %#lx, %#lx, %#lx answered %ld; the broker ended with "
			 "%d, "
			 "the bus saw %u operations",
			call->number, call->arguments[0], call->arguments[1], call->arguments[2],
			call->arguments[3], ring->bus->call.result, status,
			atomic_load(&ring->bus->count));
}

/*
 * uretprobe and uprobe of x86-64: since Linux 6.14 no filter sees them. From anywhere but the
 * kernel's own trampoline they end the process as well, by SIGILL.
 */
static bool is_trampoline(long number)
{
	return number == 335 || number == 336;
}

static bool is_left(long number)
{
	for (size_t i = 0; i < LENGTH(left); i++)
		if (left[i].number == number)
			return true;
	return false;
}

static void test_what_is_left(void **state)
{
	const struct call leave = {SYS_exit_group, {0}};
	const struct call heap = {SYS_brk, {0}}, self = {SYS_getpid, {0}};
	struct ring *ring = *state;

	for (size_t i = 0; left[i].number != SYS_brk; i++) {
		assert_done(ask_for(ring, &left[i]));
		if (ring->bus->call.result != left[i].result)
			fail_msg("call %ld answered %ld", left[i].number, ring->bus->call.result);
	}
	assert_done(ask_for(ring, &heap));
	assert_true(ring->bus->call.result > 0);
	assert_done(ask_for(ring, &self));
	assert_int_equal(ring->bus->call.result, ring->pid);
	assert_int_equal(ask_for(ring, &leave).size, 0);
	assert_int_equal(ring_wait(ring), 0);
}

static void test_every_other_call(void **state)
{
	for (long number = 0; number < CALLS_END; number++)
		if (!is_left(number) && !is_trampoline(number))
			ends_the_broker(*state, &(struct call){number});
}

#ifdef __x86_64__
static void test_calls_of_another_abi(void **state)
{
	for (size_t i = 0; i < LENGTH(left); i++) {
		struct call call = left[i];

		call.number |= OTHER_ABI;
		ends_the_broker(*state, &call);
	}
	ends_the_broker(*state, &(struct call){SYS_openat | OTHER_ABI});
	ends_the_broker(*state, &(struct call){-1});
}
#endif

static void test_every_other_request(void **state)
{
	for (long request = 0x700; request < 0x740; request++)
		if (request != I2C_SLAVE && request != I2C_SMBUS && request != I2C_RDWR)
			ends_the_broker(*state, &(struct call){SYS_ioctl, {-1, request}});
}

static void test_other_arguments(void **state)
{
	for (size_t i = 0; i < LENGTH(others); i++)
		ends_the_broker(*state, &others[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_left),
		TEST(test_every_other_call),
#ifdef __x86_64__
		TEST(test_calls_of_another_abi),
#endif
		TEST(test_every_other_request),
		TEST(test_other_arguments),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
