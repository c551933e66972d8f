/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * counter BUS ADDRESS THREADS PAUSE_US [read]
 *
 * A program that goes on while brokers and adapters come and go: each thread writes 0, 1, 2 ... as
 * words to the register of its own number, with about that pause in between, and never writes a
 * value again, whatever came of it. All share one handle. SIGTERM ends it. With "read" it reads a
 * byte of the register instead, and counts its reads.
 *
 *   failed THREAD VALUE ERRNO     each failure
 *   again THREAD VALUE            the first success after it
 *   done THREAD VALUES SLOWEST    how many were tried, and milliseconds of the slowest
 */
#include "way.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 16

static atomic_bool ended;
static unsigned pause_us;
static bool reads;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* 0.9 to 1.1 times the pause: what is to collide will. */
static void take_a_break(unsigned *seed)
{
	if (pause_us)
		usleep(pause_us / 10 * 9 + (unsigned)rand_r(seed) % (pause_us / 5 + 1));
}

static void *count(void *argument)
{
	uint8_t thread = *(uint8_t *)argument;
	unsigned seed = thread, value = 0;
	int64_t slowest = 0;
	bool failed = false;

	for (; !atomic_load(&ended) && value <= UINT16_MAX; value++) {
		int64_t began = now_us();
		int r = reads ? way_read(thread) : way_write(thread, (uint16_t)value);
		int64_t took = now_us() - began;

		if (took > slowest)
			slowest = took;
		if (r < 0)
			printf("failed %u %u %s\n", thread, value, strerrorname_np(-r));
		else if (failed)
			printf("again %u %u\n", thread, value);
		failed = r < 0;
		take_a_break(&seed);
	}
	printf("done %u %u %lld\n", thread, value, (long long)slowest / 1000);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc < 5 ? 0 : atoi(argv[3]);
	uint8_t numbers[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	sigset_t end;
	int r, ended_by;

	if (threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: counter BUS ADDRESS THREADS PAUSE_US [read]\n");
		return 2;
	}
	setlinebuf(stdout);
	pause_us = (unsigned)atoi(argv[4]);
	reads = argc > 5 && strcmp(argv[5], "read") == 0;
	r = way_open(atoi(argv[1]), (int)strtol(argv[2], NULL, 0));
	if (r < 0) {
		printf("failed to open: %s\n", strerrorname_np(-r));
		return 1;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, NULL);
	for (int i = 0; i < threads; i++) {
		numbers[i] = (uint8_t)i;
		pthread_create(&ids[i], NULL, count, &numbers[i]);
	}
	sigwait(&end, &ended_by);
	atomic_store(&ended, true);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}
