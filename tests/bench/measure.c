/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void run_side(struct side *side, unsigned round)
{
	unsigned operations = side->count * (side->worth ? side->worth : 1);

	side->nsec[round] = (double)side->run(side->count) / operations;
}

/* Whoever follows the same one each time would find what that one left in the caches. */
void measure(struct side *const *sides, size_t n_sides, unsigned rounds)
{
	for (size_t i = 0; i < n_sides; i++) {
		sides[i]->nsec = calloc(rounds, sizeof(double));
		if (!sides[i]->nsec)
			give_up("no memory for %u rounds", rounds);
		sides[i]->run(sides[i]->count); /* recognises the chip, fills caches */
	}
	for (unsigned round = 0; round < rounds; round++)
		for (size_t k = 0; k < n_sides; k++) {
			size_t turn = (round + k) % n_sides;

			run_side(sides[round % 2 ? n_sides - 1 - turn : turn], round);
		}
}

static int by_value(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* Between the two nearest values. */
static double quantile(const double *sorted, size_t count, double at)
{
	double position = at * (double)(count - 1);
	size_t below = (size_t)position;
	size_t above = below + 1 < count ? below + 1 : below;

	return sorted[below] + (sorted[above] - sorted[below]) * (position - (double)below);
}

struct spread spread_of(const double *values, size_t count)
{
	double *sorted = malloc(count * sizeof(*sorted));
	struct spread spread;

	if (!sorted)
		give_up("no memory for %zu values", count);
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	spread = (struct spread){.median = quantile(sorted, count, 0.5),
		.low = quantile(sorted, count, 0.25),
		.high = quantile(sorted, count, 0.75)};
	free(sorted);
	return spread;
}

struct spread ratio_of(const struct side *side, const struct side *base, unsigned rounds)
{
	double *ratios = malloc(rounds * sizeof(*ratios));
	struct spread spread;

	if (!ratios)
		give_up("no memory for %u ratios", rounds);
	for (unsigned i = 0; i < rounds; i++)
		ratios[i] = side->nsec[i] / base->nsec[i];
	spread = spread_of(ratios, rounds);
	free(ratios);
	return spread;
}
