/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The moment between recv's two looks at a socket: closed in between, it says end of file. */
#include "client-lib/connection.h"
#include "client-lib/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);

static bool missed;
static bool waiting_forbidden; /* and options are refused */
static int last_flags;

/* As if the other end was closed just after the look for an error. */
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	last_flags = flags;
	assert_true(flags & MSG_DONTWAIT || !waiting_forbidden);
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

/* The first look waits by itself only if no more than the deadline can come of it. */
static void the_socket_waits_within_the_deadline(void **state)
{
	static const struct {
		int patience, left;
		bool waits;
	} cases[] = {{100000, 200000, true}, {100000, 50000, false}, {0, 100000, false},
		{50000, 100000, true}};
	char byte = 'x';
	int sockets[2];

	missed = false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(send(sockets[1], &byte, 1, 0), 1);
		assert_int_equal(link_receive(sockets[0], &byte, 1, cases[i].patience,
					 link_now() + cases[i].left),
			1);
		assert_int_equal(!(last_flags & MSG_DONTWAIT), cases[i].waits);
	}
	/* After that it is the clock that counts. */
	link_let_wait(sockets[0], 20);
	assert_int_equal(link_receive(sockets[0], &byte, 1, 20, link_now() + 20), -ETIMEDOUT);
	close(sockets[0]);
	close(sockets[1]);
}

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);

/* As a program's own filter of system calls may answer. */
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	if (!waiting_forbidden)
		return __real_setsockopt(fd, level, name, value, size);
	errno = EPERM;
	return -1;
}

/* A socket that cannot be told how long to wait is not let wait: that would be for ever. */
static void a_socket_that_takes_no_options_does_not_wait(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/rgbroker-XXXXXX"};
	int door = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct connection connection;
	struct rgbroker_info info;
	uint16_t reason;

	assert_non_null(mkdtemp(address.sun_path));
	strcat(address.sun_path, "/i2c-7");
	assert_int_equal(bind(door, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(door, 1), 0); /* nobody answers */
	connection_init(&connection, address.sun_path, -1, 0, 50);
	missed = false;
	waiting_forbidden = true;
	assert_int_equal(connection_info(&connection, -1, &info, &reason), -ETIMEDOUT);
	waiting_forbidden = false;
	assert_true(last_flags & MSG_DONTWAIT);
	close(connection.descriptor);
	close(door);
	unlink(address.sun_path);
	*strrchr(address.sun_path, '/') = '\0';
	rmdir(address.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unread_is_not_carried_out),
		cmocka_unit_test(read_is_unknown),
		cmocka_unit_test(the_socket_waits_within_the_deadline),
		cmocka_unit_test(a_socket_that_takes_no_options_does_not_wait),
	};

	return cmocka_run_group_tests_name("client-link", tests, NULL, NULL);
}
