/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handles: open, close, ask what is behind them. The manual is rgbroker.h. */
#include "client-lib/library.h"

#include "client-lib/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Asked for once, as a system call is some percent of a request. initial-exec: the general model
 * may allocate at a thread's first use.
 */
static _Thread_local uint32_t thread_number __attribute__((tls_model("initial-exec")));

uint32_t library_context(void)
{
	if (thread_number == 0)
		thread_number = (uint32_t)gettid();
	return thread_number;
}

/* The one thread of a new process has another number. */
static void forget_thread_number(void)
{
	thread_number = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_thread_number);
}

static int open_path(struct rgbroker **ret_handle, const char *path)
{
	struct rgbroker *handle;
	int r;

	if (strlen(path) >= sizeof(handle->connection.path))
		return -ENAMETOOLONG;
	handle = malloc(sizeof(*handle));
	if (handle == NULL)
		return -ENOMEM;
	connection_init(&handle->connection, path, -1, 0, timeout_from_environment());
	r = connection_open(&handle->connection);
	if (r < 0)
		free(handle);
	else
		*ret_handle = handle;
	return r;
}

EXPORT int rgbroker_open_path(struct rgbroker **ret_handle, const char *path)
{
	int saved_errno = errno;
	int r = -EINVAL;

	if (ret_handle != NULL && path != NULL)
		r = open_path(ret_handle, path);
	errno = saved_errno;
	return library_result(r, r < 0 ? CONNECTION_LOCAL : 0);
}

EXPORT int rgbroker_open(struct rgbroker **ret_handle, int bus)
{
	char path[sizeof(((struct connection *)0)->path)];
	int r = -EINVAL;

	if (bus >= 0)
		r = socket_path(path, sizeof(path), socket_directory(), bus);
	if (r < 0)
		return library_result(r, CONNECTION_LOCAL);
	return rgbroker_open_path(ret_handle, path);
}

EXPORT void rgbroker_close(struct rgbroker *handle)
{
	int saved_errno = errno;

	if (handle == NULL)
		return;
	close(handle->connection.descriptor);
	pthread_mutex_destroy(&handle->connection.lock);
	free(handle);
	errno = saved_errno;
}

EXPORT int rgbroker_set_timeout(struct rgbroker *handle, int milliseconds)
{
	if (handle == NULL || milliseconds < 1)
		return library_result(-EINVAL, CONNECTION_LOCAL);
	atomic_store(&handle->connection.timeout_ms, milliseconds);
	return library_result(0, 0);
}

static int ask_info(struct rgbroker *handle, struct rgbroker_info *ret_info)
{
	uint16_t reason;
	int r = connection_info(&handle->connection, -1, ret_info, &reason);

	return library_result(r, reason);
}

EXPORT int rgbroker_functionality(struct rgbroker *handle, unsigned long *ret_functionality)
{
	struct rgbroker_info info;
	int r;

	if (handle == NULL || ret_functionality == NULL)
		return library_result(-EINVAL, CONNECTION_LOCAL);
	r = ask_info(handle, &info);
	if (r == 0)
		*ret_functionality = info.functionality;
	return r;
}

EXPORT int rgbroker_name(struct rgbroker *handle, char *ret_name, size_t size)
{
	struct rgbroker_info info;
	size_t length;
	int r;

	if (handle == NULL || ret_name == NULL || size == 0)
		return library_result(-EINVAL, CONNECTION_LOCAL);
	r = ask_info(handle, &info);
	if (r < 0)
		return r;
	length = strlen(info.name);
	if (length >= size)
		length = size - 1;
	memcpy(ret_name, info.name, length);
	ret_name[length] = '\0';
	return 0;
}
