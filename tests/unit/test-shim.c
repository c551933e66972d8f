/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The i2c-dev shim: a program that knows nothing of it, against a broker in a thread. */
#include "fake-broker.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BUS 7

static struct fake_broker *fake;
static char sysfs[64];

static void in_sysfs(char *ret_path, size_t size, const char *name)
{
	snprintf(ret_path, size, "%s/%s", sysfs, name);
}

/* Address 0x2e has a driver, 0x20 a device without one. */
static int set_up(void **state)
{
	static const char *const folders[] = {"7-002e", "7-002e/driver", "7-0020"};
	char path[128];

	fake = fake_broker_start(BUS);
	strcpy(sysfs, "/tmp/rgbroker-sysfs-XXXXXX");
	if (mkdtemp(sysfs) == NULL)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		in_sysfs(path, sizeof(path), folders[i]);
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	static const char *const folders[] = {"7-0020", "7-002e/driver", "7-002e", ""};
	char path[128];

	fake_broker_stop(fake);
	for (size_t i = 0; i < 4; i++) {
		in_sysfs(path, sizeof(path), folders[i]);
		rmdir(path);
	}
	return 0;
}

struct child {
	pid_t pid;
	int to;
	int from;
};

static void become(const char *part)
{
	const char *preload = getenv("TEST_PRELOAD");

	setenv("RGBROKER_SOCKET_DIR", fake_broker_directory(fake), 1);
	setenv("RGBROKER_SYSFS_DIR", sysfs, 1);
	setenv("LD_PRELOAD", preload != NULL ? preload : SHIM, 1);
	execl(PROGRAM, PROGRAM, part, (char *)NULL);
	_exit(127);
}

static struct child start(const char *part)
{
	struct child child;
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		become(part);
	}
	close(to[0]);
	close(from[1]);
	child.to = to[1];
	child.from = from[0];
	return child;
}

static void finish(struct child child)
{
	int status;

	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	close(child.to);
	close(child.from);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void passes(void **state)
{
	finish(start(*state));
}

/* Wait until the program asks for it, then do it, then let it go on. */
static void when_asked(struct child child, void (*act)(struct fake_broker *))
{
	char byte;

	assert_int_equal(read(child.from, &byte, 1), 1);
	act(fake);
	assert_int_equal(write(child.to, &byte, 1), 1);
}

static void restart(void **state)
{
	struct child child = start("restart");

	when_asked(child, fake_broker_sleep);
	when_asked(child, fake_broker_sleep);
	finish(child);
	/* Two numbers, one connection each time; and one of the child. */
	assert_int_equal(fake_broker_connections(fake), 4);
}

static void sleep_and_lose_the_pointer(struct fake_broker *broker)
{
	const enum fake_action actions[] = {FAKE_POINTER};

	fake_broker_sleep(broker);
	fake_broker_script(broker, 1, actions);
}

static void pointer(void **state)
{
	struct child child = start("pointer");
	size_t last;

	when_asked(child, sleep_and_lose_the_pointer);
	finish(child);
	last = fake_broker_requests(fake) - 1;
	assert_int_equal(last, 3);
	assert_int_equal(
		fake_broker_request(fake, last - 1).operations[0].kind, RGBROKER_WORD_DATA);
	assert_int_equal(fake_broker_request(fake, last).header.context, child.pid);
}

static void gone(void **state)
{
	struct child child = start("gone");

	when_asked(child, fake_broker_unplug);
	finish(child);
}

/* Each process has its own connection: replies cannot be taken by the wrong one. */
static void processes_have_their_own_connections(void **state)
{
	finish(start(*state));
	for (size_t i = 0; i < fake_broker_requests(fake); i++)
		for (size_t j = 0; j < i; j++) {
			struct fake_record one = fake_broker_request(fake, i);
			struct fake_record other = fake_broker_request(fake, j);

			assert_int_equal(one.client == other.client, one.peer == other.peer);
		}
}

/* exec keeps the pid, so that one is not among them. */
static void behind_exec(void **state)
{
	finish(start("exec"));
	for (size_t i = 0; i < fake_broker_requests(fake); i++) {
		struct fake_record record = fake_broker_request(fake, i);

		assert_int_equal(record.header.context, record.peer);
	}
	assert_int_equal(fake_broker_connections(fake), 4);
}

/* How many system calls a part makes in all, its start included. */
static int system_calls(const char *part, bool preloaded)
{
	pid_t pid = fork();
	int status, stops = 0;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		if (preloaded)
			become(part);
		execl(PROGRAM, PROGRAM, part, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		stops++;
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return stops / 2; /* entry and exit */
}

/* Loading it costs some; each of the thousand writes costs nothing. */
static void untouched_programs_pay_nothing(void **state)
{
	int without = system_calls("writes", false);
	int with = system_calls("writes", true);

	assert_true(without >= 1000);
	assert_in_range(with - without, 0, 100);
}

/* Lines of a command's output; the caller frees. */
static char *output(const char *command)
{
	size_t size = 0;
	char *text = NULL;
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	assert_true(getdelim(&text, &size, '\0', pipe) > 0);
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static void the_shim_exports_what_it_replaces(void **state)
{
	static const char expected[] =
		"__fxstat __fxstat64 __fxstatat __fxstatat64 __lxstat __lxstat64 __open64_2 "
		"__open_2 __openat64_2 __openat_2 __read_chk __xstat __xstat64 access eaccess "
		"euidaccess faccessat fstat fstat64 fstatat fstatat64 ioctl lstat lstat64 open "
		"open64 openat openat64 read stat stat64 statx write ";
	char *symbols = output("nm -D --defined-only '" SHIM
			       "' | awk '{ print $3 }' | LC_ALL=C sort | tr '\\n' ' '");

	assert_string_equal(symbols, expected);
	free(symbols);
}

/* No call to what it replaces, nothing that allocates, prints or ends the program. */
static void the_shim_needs_little(void **state)
{
	static const char *const forbidden[] = {" open", " read@", " write@", " ioctl", " stat",
		" fstat", " access", " faccessat", " malloc", " calloc", " free@", " printf",
		" fprintf", " exit", " abort", " opendir", " syslog"};
	char *symbols = output("nm -D --undefined-only '" SHIM "' | awk '{ printf \" %s\", $2 }'");

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_null(strstr(symbols, forbidden[i]));
	assert_non_null(strstr(symbols, " recv"));
	free(symbols);
}

static void the_library_exports_its_map(void **state)
{
	char *symbols =
		output("nm -D --defined-only '" LIBRARY
		       "' | sed -n 's/.* T \\(.*\\)@@LIBRGBROKER_0$/\\1/p' | LC_ALL=C sort");
	char *map = output("sed -n 's/^\t\\(rgbroker_.*\\);$/\\1/p' '" MAP "' | LC_ALL=C sort");
	char *header = output("grep -o 'rgbroker_[a-z0-9_]*(' '" HEADER
			      "' | grep -v '_op(' | tr -d '(' | LC_ALL=C sort -u");

	assert_string_equal(symbols, map);
	assert_string_equal(header, map);
	free(symbols);
	free(map);
	free(header);
}

static void run_launcher(int expected, const char *arguments)
{
	char command[512];
	int status;

	snprintf(command, sizeof(command), "sh '%s' %s >/dev/null 2>&1", LAUNCHER, arguments);
	status = system(command);
	assert_int_equal(WEXITSTATUS(status), expected);
}

static void the_launcher(void **state)
{
	char *preload;

	run_launcher(2, "");
	run_launcher(0, "--help");
	run_launcher(127, "/nonexistent/program");
	run_launcher(126, "/etc/passwd");
	run_launcher(3, "sh -c 'exit 3'");
	preload = output("LD_PRELOAD= sh '" LAUNCHER "' /bin/echo 2>/dev/null; "
			 "LD_PRELOAD=libc.so.6 sh '" LAUNCHER
			 "' sh -c 'printf %s \"$LD_PRELOAD\"' 2>/dev/null");
	assert_non_null(strstr(preload, "/i2c-dev.so:libc.so.6"));
	free(preload);
}

static char names[][16] = {"open", "slave", "smbus", "rdwr", "read-write", "faults", "dup",
	"close-range", "many", "threads", "status", "others", "writes", "fork", "full", "signals"};

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	struct rlimit limit;

	const struct CMUnitTest tests[] = {
		{"open", passes, set_up, tear_down, names[0]},
		{"slave", passes, set_up, tear_down, names[1]},
		{"smbus", passes, set_up, tear_down, names[2]},
		{"rdwr", passes, set_up, tear_down, names[3]},
		{"read_write", passes, set_up, tear_down, names[4]},
		{"faults", passes, set_up, tear_down, names[5]},
		{"dup", passes, set_up, tear_down, names[6]},
		{"close_range", passes, set_up, tear_down, names[7]},
		{"many", passes, set_up, tear_down, names[8]},
		{"full", passes, set_up, tear_down, names[14]},
		{"signals", passes, set_up, tear_down, names[15]},
		{"threads", passes, set_up, tear_down, names[9]},
		{"status", passes, set_up, tear_down, names[10]},
		{"others", passes, set_up, tear_down, names[11]},
		{"writes", passes, set_up, tear_down, names[12]},
		{"fork", processes_have_their_own_connections, set_up, tear_down, names[13]},
		TEST(behind_exec),
		TEST(restart),
		TEST(pointer),
		TEST(gone),
		TEST(untouched_programs_pay_nothing),
		cmocka_unit_test(the_shim_exports_what_it_replaces),
		cmocka_unit_test(the_shim_needs_little),
		cmocka_unit_test(the_library_exports_its_map),
		cmocka_unit_test(the_launcher),
	};

	/* The broker has the other end of all that a program opens. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	return cmocka_run_group_tests_name("shim", tests, NULL, NULL);
}
