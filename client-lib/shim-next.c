/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See shim-next.h. */
#include "client-lib/shim-next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>

static struct next_functions functions;
static atomic_bool complete;

/* Two threads may do this at once: they store the same pointers. */
static void resolve(void)
{
#define RESOLVE(type, name, ...) functions.name = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);
	NEXT_FUNCTIONS(RESOLVE)
#undef RESOLVE
	atomic_store_explicit(&complete, true, memory_order_release);
}

const struct next_functions *next(void)
{
	if (!atomic_load_explicit(&complete, memory_order_acquire))
		resolve();
	return &functions;
}

__attribute__((constructor)) static void resolve_early(void)
{
	(void)next(); /* not in a signal handler or a vfork child */
}
