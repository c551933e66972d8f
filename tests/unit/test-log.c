/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal and systemd are sent, byte for byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/log.h"
#include "broker/notify.h"

static int journal[2]; /* ours, the log's */

int __real_datagram_connect(const char *path);
int __wrap_datagram_connect(const char *path);
int __wrap_datagram_connect(const char *path)
{
	if (strcmp(path, "/run/systemd/journal/socket") != 0)
		return __real_datagram_connect(path);
	return journal[1];
}

static int open_journal(void **state)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, journal), 0);
	log_open(7);
	return 0;
}

static const char *received(int fd)
{
	static char text[4096];
	ssize_t size = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void test_an_entry(void **state)
{
	const char *fields[] = {"RGBROKER_DOOR=rgb", "RGBROKER_PEER_PID=7", NULL};

	log_line(LOG_NOTICE, fields, "refused %s", "it");
	assert_string_equal(received(journal[0]),
		"MESSAGE=refused it\nPRIORITY=5\nSYSLOG_IDENTIFIER=test-log\nRGBROKER_BUS=7\n"
		"RGBROKER_DOOR=rgb\nRGBROKER_PEER_PID=7\n");
	log_line(LOG_ERR, NULL, "%s", "");
	assert_string_equal(received(journal[0]),
		"MESSAGE=\nPRIORITY=3\nSYSLOG_IDENTIFIER=test-log\nRGBROKER_BUS=7\n");
}

/* Whoever can put a line break into a name must not write fields of his own. */
static void test_a_line_break_begins_no_field(void **state)
{
	const char *fields[] = {"RGBROKER_DOOR=a\nPRIORITY=0", NULL};

	log_line(LOG_INFO, fields, "one\ntwo\n_UID=0\n");
	assert_string_equal(received(journal[0]),
		"MESSAGE=one two _UID=0 \nPRIORITY=6\nSYSLOG_IDENTIFIER=test-log\nRGBROKER_BUS=7\n"
		"RGBROKER_DOOR=a PRIORITY=0\n");
}

static void test_what_does_not_fit(void **state)
{
	const char *fields[] = {NULL, "RGBROKER_DOOR=rgb", NULL};
	char wanted[1024], large[3000];

	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	memcpy(large, "LARGE=", 6);
	fields[0] = large;
	log_line(LOG_INFO, fields, "%s", large);
	snprintf(wanted, sizeof(wanted),
		"MESSAGE=%.639s\nPRIORITY=6\nSYSLOG_IDENTIFIER=test-log\nRGBROKER_BUS=7\nRGBROKER_"
		"DOOR=rgb\n",
		large);
	assert_string_equal(received(journal[0]), wanted);
}

static void test_without_a_journal(void **state)
{
	int stderr_was = dup(STDERR_FILENO), pipes[2];
	char text[64] = "";

	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	shutdown(journal[1], SHUT_RDWR); /* it has gone since */
	log_line(LOG_INFO, NULL, "still %s", "told");
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	assert_int_equal(read(pipes[0], text, sizeof(text)), strlen("still told\n"));
	assert_string_equal(text, "still told\n");
}

/* systemd's sockets have a path or, in containers, an abstract name. */
static void is_notified(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, name);
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open();
	notify("STATUS=well");
	assert_string_equal(received(fd), "STATUS=well");
	close(fd);
	unlink(name);
}

static void test_notifications(void **state)
{
	char folder[] = "/tmp/rgbroker-test-XXXXXX", name[64];

	notify("READY=1"); /* nobody wants to know, and that is no failure */
	assert_non_null(mkdtemp(folder));
	snprintf(name, sizeof(name), "%s/notify", folder);
	is_notified(name);
	rmdir(folder);
	snprintf(name, sizeof(name), "@rgbroker-test-%d", (int)getpid());
	is_notified(name);
}

static void test_no_such_socket(void **state)
{
	char name[256];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(datagram_connect(name), -ENAMETOOLONG);
	assert_int_equal(datagram_connect("/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entry),
		cmocka_unit_test(test_a_line_break_begins_no_field),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_without_a_journal),
		cmocka_unit_test(test_notifications),
		cmocka_unit_test(test_no_such_socket),
	};

	return cmocka_run_group_tests_name("log", tests, open_journal, NULL);
}
