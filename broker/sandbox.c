/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that a serving broker can ask the kernel for. Any other call, or one of these with other
 * arguments, is not carried out and ends the process by SIGSYS: result "signal" (or "core-dump") of
 * the unit, which is started again. Which one it was stands in the kernel's log:
 *
 *   journalctl -b --grep 'comm="rgbrokerd".*syscall='     (`scmp_sys_resolver N` tells the name)
 *
 * Files and sockets are opened before. What is left reaches one bus, those who are connected, and
 * memory; the descriptor of the bus can be handed to nobody, as there is no sendmsg().
 *
 * Arguments behind pointers cannot be looked at: of a transfer the filter sees that it is one.
 */
#include "broker/sandbox.h"

#include "broker/log.h"
#include "broker/process.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/i2c-dev.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef WITHOUT_SANDBOX

/* By meson with b_sanitize or b_coverage: what those link in maps, opens and starts more. */
int sandbox_prepare(void)
{
	return 0;
}

int sandbox_enter(void)
{
	log_line(LOG_WARNING, NULL, "built without the filter of system calls, for tests only");
	return 0;
}

#else

static_assert(sizeof(long) == 8, "32 bit machines have other calls for times and mappings");

#define IS(argument, value) SCMP_CMP(argument, SCMP_CMP_EQ, value)
#define HAS(argument, mask, value) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value)

static const struct {
	int call;
	unsigned count; /* of arguments that are fixed */
	struct scmp_arg_cmp arguments[2];
} allowed[] = {
	/* The bus, and what the kernel knows of memory modules. Not FUNCS, which was asked when it
	 * was opened; not SLAVE_FORCE, TENBIT, PEC, RETRIES and TIMEOUT. */
	{SCMP_SYS(ioctl), 1, {IS(1, I2C_SLAVE)}},
	{SCMP_SYS(ioctl), 1, {IS(1, I2C_SMBUS)}},
	{SCMP_SYS(ioctl), 1, {IS(1, I2C_RDWR)}},
	{SCMP_SYS(pread64)},
	/* Peers. Nobody is sent to but who is connected: clients, journal, systemd. */
	{SCMP_SYS(accept4)},
	{SCMP_SYS(recvmsg), 1, {IS(2, MSG_DONTWAIT)}},
	{SCMP_SYS(sendto), 2, {IS(4, 0), IS(5, 0)}}, /* no address */
	{SCMP_SYS(shutdown), 1, {IS(1, SHUT_RD)}},
	{SCMP_SYS(close)},
	{SCMP_SYS(getsockopt), 2, {IS(1, SOL_SOCKET), IS(2, SO_PEERCRED)}},
	{SCMP_SYS(getsockopt), 2, {IS(1, SOL_SOCKET), IS(2, SO_PEERPIDFD)}},
	{SCMP_SYS(setsockopt), 2, {IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)}},
	{SCMP_SYS(pidfd_open), 1, {IS(1, 0)}}, /* before Linux 6.5; all it tells is an exit */
	/* The event loop: signals and timers are read, clocks are where no vDSO has them. */
	{SCMP_SYS(epoll_ctl)},
	{SCMP_SYS(epoll_pwait2)},
#ifdef __NR_epoll_wait
	{SCMP_SYS(epoll_wait)},
	{SCMP_SYS(poll)},
#else
	{SCMP_SYS(epoll_pwait)},
	{SCMP_SYS(ppoll)},
#endif
	{SCMP_SYS(read)},
	{SCMP_SYS(timerfd_settime)},
	{SCMP_SYS(clock_gettime)},
	{SCMP_SYS(getpid)}, /* whether it was forked, where libsystemd does not keep the number */
	{SCMP_SYS(restart_syscall)}, /* the kernel's own, after SIGCONT in poll() */
	/* Memory for the heap: of no file, and never to be run. */
	{SCMP_SYS(brk)},
	{SCMP_SYS(mmap), 2, {HAS(2, PROT_EXEC, 0), HAS(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}},
	{SCMP_SYS(munmap)},
	/* Lines where there is no journal, and the C library's last words. */
	{SCMP_SYS(writev), 1, {IS(0, STDERR_FILENO)}},
	{SCMP_SYS(exit_group)},
};

/* It has 86 instructions on x86-64; elsewhere some more. */
static struct sock_filter program[512];
static unsigned short n_program;

static int allow_all(scmp_filter_ctx filter)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && r == 0; i++)
		r = seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, allowed[i].call,
			allowed[i].count, allowed[i].arguments);
	return r;
}

/* libseccomp writes programs to files only. */
static int read_program(scmp_filter_ctx filter)
{
	int file = memfd_create("filter", MFD_CLOEXEC);
	int r = file < 0 ? -errno : seccomp_export_bpf(filter, file);

	if (r == 0) {
		ssize_t size = pread(file, program, sizeof(program), 0);

		if (size < 0)
			r = -errno;
		else if (size == 0 || size == sizeof(program))
			r = -ENOSPC;
		else
			n_program = (unsigned short)((size_t)size / sizeof(program[0]));
	}
	if (file >= 0)
		close(file);
	return r;
}

static int failed(int r)
{
	log_line(LOG_ERR, NULL, "the filter of system calls could not be put on: %s", strerror(-r));
	return r;
}

int sandbox_prepare(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	/* NULL most likely as the kernel does not know this action, or nobody may ask it. */
	int r = filter ? allow_all(filter) : -EOPNOTSUPP;

	if (r == 0)
		r = read_program(filter);
	seccomp_release(filter);
	return r < 0 ? failed(r) : 0;
}

int sandbox_enter(void)
{
	const struct sock_fprog whole = {.len = n_program, .filter = program};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) < 0)
		return failed(-errno);
	return 0;
}

#endif
