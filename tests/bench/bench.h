/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs. Every figure is a ratio of two ways of doing the same, taken in one run: short
 * rounds in which each way has its turn, on the same CPUs, and the median over the rounds with its
 * quartiles. Nothing here fails because something is slow: it fails if it could not be measured.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/daemon/ring.h"

#define BENCH_BUS 7
#define BENCH_CHIP 0x70       /* an ENE controller, as the shipped files know it */
#define BENCH_OTHER_CHIP 0x71 /* another: who writes to one has it to himself */
#define BENCH_COMMAND 0xa0    /* what is read of it again and again, and what it answers */
#define BENCH_VALUE 0

/* --- measure.c --- */

struct spread {
	double median, low, high; /* low, high: the quartiles */
};

/* One way of doing something. */
struct side {
	uint64_t (*run)(unsigned count); /* that often; nanoseconds it took, or ends the program */
	unsigned count;                  /* in each round */
	unsigned worth;                  /* operations in each of them; 0: 1 */
	double *nsec;                    /* of one operation, by round; measure() allocates it */
};

uint64_t now_nsec(void);
/* Each side once in each round, in changing order. */
void measure(struct side *const *sides, size_t n_sides, unsigned rounds);
struct spread spread_of(const double *values, size_t count);
/* Round by round, what side costs as a multiple of what base costs. */
struct spread ratio_of(const struct side *side, const struct side *base, unsigned rounds);

/* --- place.c --- */

/* This process and all that it will start: asker and asked, of every side. See README.md. */
void stay_on_one_cpu(void);
int the_cpu(void);
/* A child that ends with this process. */
pid_t fork_child(void);
void end_child(pid_t pid);
__attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format, ...);

/* --- table.c --- */

enum aim { NO_AIM, AT_MOST, AT_LEAST };

/* decimals: how many are told, and counted when the aim is judged. NULL unit: a bare ratio. */
struct figure {
	const char *what;
	struct spread value;
	const char *unit;
	int decimals;
	enum aim aim;
	double limit;
};

void table_add(const struct figure *figure);
void table_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* To the terminal, and as Markdown into a file if one is named. */
void table_print(const char *markdown);

/* --- what is measured --- */

/* The broker that is asked: the shipped files, and a door where librgbroker and the shim find it.
 */
struct bench {
	struct ring ring;
	char directory[64], path[80];
};
extern struct bench bench;

void bench_open(void);
void bench_close(void);

void echo_open(void);
uint64_t echo_run(unsigned count);
void echo_close(void);

void library_open(void);
uint64_t library_run(unsigned count);
uint64_t library_with_calls_run(unsigned count);
uint64_t batch_run(unsigned count); /* one of BENCH_BATCH operations is one */
uint64_t library_frame_run(unsigned count);
uint64_t batch_frame_run(unsigned count);
void library_close(void);
#define BENCH_BATCH 32

void shim_open(void);
uint64_t shim_run(unsigned count);
uint64_t shim_frame_run(unsigned count);
void shim_close(void);

void bus_message_open(void);
uint64_t bus_message_run(unsigned count);
void bus_message_close(void);

/* By the simulated bus's own code, in this process. */
void direct_open(void);
int direct_read(void);
uint64_t direct_frame_run(unsigned count);

void crowd_measure(void);

/* The broker that nobody asks, from here on. */
void idle_begin(void);
void idle_end(void);
