/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define ROWS_MAX 32
#define NOTES_MAX 16
#define COLUMNS 5

static struct row {
	char cells[COLUMNS][96];
} rows[ROWS_MAX];
static size_t n_rows;
static char notes[NOTES_MAX][256];
static size_t n_notes;

static const char *const heads[COLUMNS] = {"figure", "median", "quartiles", "aim", ""};

static double rounded(double value, int decimals)
{
	double scale = pow(10, decimals);

	return round(value * scale) / scale;
}

static void judge(const struct figure *figure, char *cell, size_t size)
{
	double value = rounded(figure->value.median, figure->decimals);
	double missed = figure->aim == AT_MOST ? value - figure->limit : figure->limit - value;

	if (missed <= 0)
		snprintf(cell, size, "met");
	else
		snprintf(cell, size, "missed by %.*f", figure->decimals, missed);
}

void table_add(const struct figure *figure)
{
	const struct spread *value = &figure->value;
	const char *space = figure->unit ? " " : "", *unit = figure->unit ? figure->unit : "";
	struct row *row = &rows[n_rows];
	int decimals = figure->decimals;

	if (n_rows++ == ROWS_MAX)
		give_up("the table is full");
	snprintf(row->cells[0], sizeof(row->cells[0]), "%s", figure->what);
	snprintf(row->cells[1], sizeof(row->cells[1]), "%.*f%s%s", decimals, value->median, space,
		unit);
	if (value->low < value->high)
		snprintf(row->cells[2], sizeof(row->cells[2]), "%.*f - %.*f", decimals, value->low,
			decimals, value->high);
	if (figure->aim == NO_AIM)
		return;
	snprintf(row->cells[3], sizeof(row->cells[3]), "%s %.*f%s%s",
		figure->aim == AT_MOST ? "<=" : ">=", decimals, figure->limit, space, unit);
	judge(figure, row->cells[4], sizeof(row->cells[4]));
}

void table_note(const char *format, ...)
{
	va_list arguments;

	if (n_notes == NOTES_MAX)
		give_up("too many notes");
	va_start(arguments, format);
	vsnprintf(notes[n_notes++], sizeof(notes[0]), format, arguments);
	va_end(arguments);
}

/* --- the machine --- */

static void put_cpu(char *ret_text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(ret_text, size, "unknown CPU");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(ret_text, size, "%s", value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void put_machine(char *ret_text, size_t size)
{
	struct utsname kernel;
	char cpu[128], day[16];
	time_t now = time(NULL);

	put_cpu(cpu, sizeof(cpu));
	uname(&kernel);
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&now));
	snprintf(ret_text, size, "%s, %s %s, %s, %s; all on CPU %d", cpu, kernel.sysname,
		kernel.release, COMPILER, day, the_cpu());
}

/* --- printing --- */

static void print_text(void)
{
	int widths[COLUMNS];

	for (size_t k = 0; k < COLUMNS; k++) {
		widths[k] = (int)strlen(heads[k]);
		for (size_t i = 0; i < n_rows; i++)
			if ((int)strlen(rows[i].cells[k]) > widths[k])
				widths[k] = (int)strlen(rows[i].cells[k]);
	}
	for (size_t k = 0; k < COLUMNS; k++)
		printf("%-*s%s", widths[k], heads[k], k + 1 < COLUMNS ? "  " : "\n");
	for (size_t i = 0; i < n_rows; i++)
		for (size_t k = 0; k < COLUMNS; k++)
			printf("%-*s%s", widths[k], rows[i].cells[k],
				k + 1 < COLUMNS ? "  " : "\n");
}

static void write_markdown(FILE *file)
{
	fprintf(file, "|");
	for (size_t k = 0; k < COLUMNS; k++)
		fprintf(file, " %s |", heads[k]);
	fprintf(file, "\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < n_rows; i++) {
		fprintf(file, "|");
		for (size_t k = 0; k < COLUMNS; k++)
			fprintf(file, " %s |", rows[i].cells[k]);
		fprintf(file, "\n");
	}
}

static void write_notes(FILE *file)
{
	char machine[512];

	put_machine(machine, sizeof(machine));
	fprintf(file, "\n");
	for (size_t i = 0; i < n_notes; i++)
		fprintf(file, "%s\n", notes[i]);
	fprintf(file, "Taken on %s. Again: ./check bench\n", machine);
}

void table_print(const char *markdown)
{
	FILE *file;

	print_text();
	write_notes(stdout);
	if (!markdown)
		return;
	file = fopen(markdown, "we");
	if (!file)
		give_up("%s: %m", markdown);
	write_markdown(file);
	write_notes(file);
	if (fclose(file) != 0)
		give_up("%s: %m", markdown);
}
