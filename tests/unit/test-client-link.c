/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The moment between recv's two looks at a socket: closed in between, it says end of file. */
#include "client-lib/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);

static bool missed;

/* As if the other end was closed just after the look for an error. */
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	return missed ? 0 : __real_recv(fd, buffer, size, flags);
}

static int fate(bool read_first)
{
	char byte = 'x';
	int sockets[2];
	ssize_t r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	assert_int_equal(send(sockets[0], &byte, 1, 0), 1);
	if (read_first)
		assert_int_equal(__real_recv(sockets[1], &byte, 1, 0), 1);
	close(sockets[1]);
	r = link_receive(sockets[0], &byte, 1, 0, link_now() + 1000);
	close(sockets[0]);
	return (int)r;
}

static void unread_is_not_carried_out(void **state)
{
	missed = false;
	assert_int_equal(fate(false), -ECONNRESET);
	missed = true;
	assert_int_equal(fate(false), -ECONNRESET);
}

static void read_is_unknown(void **state)
{
	missed = false;
	assert_int_equal(fate(true), -EIO);
	missed = true;
	assert_int_equal(fate(true), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unread_is_not_carried_out),
		cmocka_unit_test(read_is_unknown),
	};

	return cmocka_run_group_tests_name("client-link", tests, NULL, NULL);
}
