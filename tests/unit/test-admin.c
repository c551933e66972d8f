/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rgbrokerctl makes of answers, and of names, that were made to harm it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client-lib/link.h"
#include "ctl/event.h"

/* systemd is not asked. */
const char *systemd_unit_state(struct systemd *systemd, const char *unit, char *buffer, size_t size)
{
	return buffer;
}

pid_t systemd_main_pid(struct systemd *systemd, const char *unit)
{
	return 0;
}

static void test_printable(void **state)
{
	char ends[8] = "no end", plain[16] = "ene-dram ~!", wild[16] = "\033[2J\n\x7f\xc2\x9b.";

	memset(ends, 'x', sizeof(ends));
	make_printable(ends, sizeof(ends));
	assert_string_equal(ends, "xxxxxxx");
	make_printable(plain, sizeof(plain));
	assert_string_equal(plain, "ene-dram ~!");
	make_printable(wild, sizeof(wild));
	assert_string_equal(wild, "?[2J????.");
}

/* Every process may give itself a name. */
static void test_name_of_a_process(void **state)
{
	struct process_name name;
	char text[192];

	assert_int_equal(prctl(PR_SET_NAME, "\033[2Jx\x9b"), 0);
	process_find(getpid(), &name);
	assert_string_equal(name.command, "?[2Jx?");
	assert_non_null(strstr(process_text(getpid(), text, sizeof(text)), "(?[2Jx?"));
}

/* What is printed while run() runs. */
static char *printed(void (*run)(const struct rgbroker_event *event), const void *event)
{
	FILE *before = stdout;
	char *text = NULL;
	size_t size;

	stdout = open_memstream(&text, &size);
	assert_non_null(stdout);
	run(event);
	fclose(stdout);
	stdout = before;
	return text;
}

static void print_line(const struct rgbroker_event *event)
{
	event_print(7, event);
}

static void print_json_line(const struct rgbroker_event *event)
{
	event_print_json(7, event);
}

/* A door and a device without an end, the next to nothing printable; no time that there is. */
static void test_event(void **state)
{
	struct rgbroker_event event = {.realtime = UINT64_MAX, .length = 255};
	char *text;

	memset(event.door, '\033', sizeof(event.door));
	memset(event.device, 'd', sizeof(event.device));
	text = printed(print_line, &event);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, ", door ???????????????????????????????\n"));
	assert_non_null(strstr(text, ", ddddddddddddddddddddddddddddddd, "));
	free(text);
	text = printed(print_json_line, &event);
	assert_non_null(strstr(text, "\"ddddddddddddddddddddddddddddddd\""));
	free(text);
}

static void test_error(void **state)
{
	char text[16];

	assert_string_equal(error_name(-EIO, text, sizeof(text)), "EIO");
	assert_string_equal(error_name(EIO, text, sizeof(text)), "EIO");
	assert_string_equal(error_name(-4095, text, sizeof(text)), "-4095");
	assert_string_equal(error_name(INT32_MIN, text, sizeof(text)), "-2147483648");
}

/* As many rows as fit, again and again. */
static void answer_for_ever(int fd)
{
	struct rgbroker_request request;
	static struct connection_reply reply;

	while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
		reply.header = (struct rgbroker_reply){.version = RGBROKER_PROTOCOL_VERSION,
			.serial = request.serial,
			.length = 44 * sizeof(struct rgbroker_chip)};
		send(fd, &reply, sizeof(reply.header) + reply.header.length, MSG_NOSIGNAL);
	}
	_exit(0);
}

static void test_rows_without_end(void **state)
{
	struct admin admin = {.deadline = link_now() + 60000};
	struct rgbroker_chip *rows = NULL;
	size_t count = 0;
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		answer_for_ever(pair[1]);
	}
	close(pair[1]);
	admin.descriptor = pair[0];
	assert_int_equal(
		admin_ask_rows(&admin, RGBROKER_CHIPS, sizeof(*rows), &rows, &count), -EPROTO);
	assert_null(rows);
	admin_close(&admin);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_name_of_a_process),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_rows_without_end),
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
