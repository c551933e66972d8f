/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the benchmark tells i2c-program what to do, over its standard input and output. */
#pragma once

#include <stdint.h>

enum task { TASK_READS, TASK_FRAMES };

struct task_order {
	uint32_t task;
	uint32_t count;
};

struct task_done {
	uint64_t nsec;
};
