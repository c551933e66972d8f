/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading one file. */
#include "policy/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

/* What inih's callbacks share; it tells them no line numbers, so the reader counts. */
struct reading {
	FILE *stream;
	const char *file;
	int line;
	bool bad;
	config_key key;
	void *key_userdata;
	config_problem problem;
	void *problem_userdata;
};

static void complain(struct reading *reading, const char *why)
{
	reading->problem(reading->problem_userdata, reading->file, reading->line, why);
	reading->bad = true;
}

/* inih tells a section by its first key only: an unknown one without any would pass unseen. */
static void check_section(struct reading *reading, const char *line)
{
	const char *end;
	char name[256]; /* longer than a line */
	const char *why;

	line += strspn(line, " \t");
	end = strchr(line, ']');
	if (*line != '[' || !end || (size_t)(end - line) > sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1), line + 1);
	why = reading->key(reading->key_userdata, name, NULL, NULL, reading->line);
	if (why)
		complain(reading, why);
}

/* What inih would drop, and a reader might take for part of the rule. */
static bool hides_something(const char *line)
{
	const char *text = line + strspn(line, " \t"), *end = strchr(text, ']');

	if (*text == '#' || *text == ';')
		return false;
	if (*text == '[' && end)
		return end[1 + strspn(end + 1, " \t\r")] != '\0';
	return strstr(text, " ;") || strstr(text, "\t;");
}

/*
 * fgets for inih. A line longer than its buffer would come as two, one with a NUL byte as its head
 * alone, which may allow more than the whole: both are refused instead.
 */
static char *read_line(char *buffer, int size, void *stream)
{
	struct reading *reading = stream;
	int c, count = 0;
	bool nul = false;

	while ((c = getc(reading->stream)) != EOF && c != '\n') {
		if (count < size - 2)
			buffer[count] = (char)c;
		count++;
		nul |= c == '\0';
	}
	if (c == EOF && count == 0)
		return NULL;
	reading->line++;
	if (nul || count > size - 2) {
		complain(reading, nul ? "a NUL byte" : "line longer than 198 characters");
		count = 0;
	}
	buffer[count] = '\0';
	if (count && hides_something(buffer)) {
		complain(reading, "text behind ']', or a comment behind a value: neither counts");
		buffer[0] = '\0';
	}
	check_section(reading, buffer);
	return buffer;
}

static int handle_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct reading *reading = userdata;
	const char *why = reading->key(reading->key_userdata, section, key, value, reading->line);

	if (why)
		complain(reading, why);
	return 1; /* go on: every bad line is told; handler errors are ours, 0 means syntax */
}

bool config_read(const char *file, config_key key, void *key_userdata, config_problem problem,
	void *problem_userdata)
{
	struct reading reading = {.file = file,
		.key = key,
		.key_userdata = key_userdata,
		.problem = problem,
		.problem_userdata = problem_userdata};
	int syntax;

	reading.stream = fopen(file, "re");
	if (!reading.stream) {
		complain(&reading, strerror(errno));
		return false;
	}
	syntax = ini_parse_stream(read_line, &reading, handle_key, &reading);
	if (ferror(reading.stream)) {
		reading.line = 0;
		complain(&reading, "cannot be read to its end");
	}
	fclose(reading.stream);
	if (syntax > 0) {
		reading.line = syntax;
		complain(&reading, "neither [Section], Key=value nor # comment");
	} else if (syntax < 0) {
		reading.line = 0;
		complain(&reading, "out of memory");
	}
	return !reading.bad;
}
