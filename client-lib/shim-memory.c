/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's memory, which the kernel would reach with copy_from_user() and copy_to_user(): a
 * bad pointer is -EFAULT, not a crash. Each page is probed by a call that fails for other reasons.
 */
#include "client-lib/shim.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u /* the smallest there is */
#define KERNEL_SIGSET 8u
#define NO_SUCH_OPERATION -1

/* What our own frame lies in, is there: most programs have their data some bytes above it. */
static bool is_stack(uintptr_t address)
{
	return (address ^ (uintptr_t)__builtin_frame_address(0)) < PAGE;
}

/* Does the address fault? The kernel reads the new mask before it looks at what to do with it. */
static bool can_read(uintptr_t address)
{
	uintptr_t aligned = address & ~(uintptr_t)(KERNEL_SIGSET - 1);

	if (aligned == 0)
		return false; /* "no mask", and nothing that anybody has */
	return syscall(SYS_rt_sigprocmask, NO_SUCH_OPERATION, aligned, NULL, KERNEL_SIGSET) == 0 ||
	       errno != EFAULT;
}

/* Stores one byte, that the caller overwrites. */
static bool can_write(int fd, uintptr_t address)
{
	socklen_t size = 1;

	return getpeername(fd, (struct sockaddr *)address, &size) == 0 || errno != EFAULT;
}

bool shim_readable(const void *memory, size_t size)
{
	uintptr_t begin = (uintptr_t)memory;

	if (size > UINTPTR_MAX - begin)
		return false;
	for (uintptr_t at = begin; at < begin + size; at = (at | (PAGE - 1)) + 1)
		if (!is_stack(at) && !can_read(at))
			return false;
	return true;
}

int shim_copy_in(void *ret_copy, const void *from, size_t size)
{
	if (!shim_readable(from, size))
		return -EFAULT;
	memcpy(ret_copy, from, size);
	return 0;
}

int shim_copy_out(int fd, void *to, const void *from, size_t size)
{
	uintptr_t begin = (uintptr_t)to;

	if (size > UINTPTR_MAX - begin)
		return -EFAULT;
	for (uintptr_t at = begin; at < begin + size; at = (at | (PAGE - 1)) + 1)
		if (!is_stack(at) && !can_write(fd, at))
			return -EFAULT;
	if (size > 0)
		memcpy(to, from, size);
	return 0;
}
