/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a udev rules file, as far as the question who may open a node needs it. */
#include "ctl/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char text[3];
	enum rule_operator op;
} operators[] = {
	{"==", RULE_IS},
	{"!=", RULE_IS_NOT},
	{"+=", RULE_ADD},
	{"-=", RULE_REMOVE},
	{":=", RULE_SET_FINALLY},
	{"=", RULE_SET},
};

static bool take_operator(char **position, enum rule_operator *ret_operator)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t length = strlen(operators[i].text);

		if (strncmp(*position, operators[i].text, length) != 0)
			continue;
		*ret_operator = operators[i].op;
		/* The key before it ends here. */
		**position = '\0';
		*position += length;
		return true;
	}
	return false;
}

/* "value", e"with escapes" or i"in any case"; the text in between is moved together. */
static bool take_value(char **position, struct rule_token *token)
{
	char *from, *to;

	while (**position && strchr("ei", **position)) {
		token->any_case = token->any_case || **position == 'i';
		(*position)++;
	}
	if (**position != '"')
		return false;
	token->value = to = from = *position + 1;
	for (; *from && *from != '"'; from++) {
		if (from[0] == '\\' && from[1] == '"')
			from++;
		*to++ = *from;
	}
	if (!*from)
		return false;
	*position = from + 1;
	*to = '\0';
	return true;
}

/* KEY or KEY{attribute}; what ends it is overwritten later. */
static bool take_key(char **position, struct rule_token *token)
{
	char *key = *position, *end = key + strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	token->key = key;
	token->attribute = "";
	if (end == key)
		return false;
	if (*end == '{') {
		*end++ = '\0';
		token->attribute = end;
		end = strchr(end, '}');
		if (!end)
			return false;
		*end++ = '\0';
	}
	*position = end;
	return true;
}

static char *skip(char *text, const char *these)
{
	return text + strspn(text, these);
}

static bool take_token(char **position, struct rule_token *token)
{
	char *end;

	if (!take_key(position, token))
		return false;
	end = *position;
	*position = skip(*position, " \t");
	if (!take_operator(position, &token->op))
		return false;
	*end = '\0';
	*position = skip(*position, " \t");
	return take_value(position, token);
}

static void parse(struct rule_line *line)
{
	char *position = skip(line->text, " \t,");

	while (*position && line->n_tokens < RULE_TOKENS_MAX) {
		if (!take_token(&position, &line->tokens[line->n_tokens])) {
			/* udev passes over a whole line of which it does not understand a part. */
			line->n_tokens = 0;
			return;
		}
		line->n_tokens++;
		position = skip(position, " \t,");
	}
}

const struct rule_token *rule_line_find(const struct rule_line *line, const char *key)
{
	for (size_t i = 0; i < line->n_tokens; i++)
		if (strcmp(line->tokens[i].key, key) == 0)
			return &line->tokens[i];
	return NULL;
}

/* Appends; takes the backslash off the end. Whether the line goes on, or a negative errno. */
static int append(char **text, char *piece)
{
	size_t length = strcspn(piece, "\n");
	bool goes_on = length && piece[length - 1] == '\\';
	char *longer;

	piece[goes_on ? length - 1 : length] = '\0';
	if (asprintf(&longer, "%s%s", *text ? *text : "", piece) < 0)
		return -ENOMEM;
	free(*text);
	*text = longer;
	return goes_on;
}

static int add_line(struct rule_file *file, char *text, unsigned first, unsigned last)
{
	struct rule_line *lines = realloc(file->lines, (file->n_lines + 1) * sizeof(*lines));

	if (!lines) {
		free(text);
		return -ENOMEM;
	}
	file->lines = lines;
	lines[file->n_lines] = (struct rule_line){.first = first, .last = last, .text = text};
	parse(&lines[file->n_lines++]);
	return 0;
}

static int read_lines(struct rule_file *file, FILE *stream)
{
	char *piece = NULL, *text = NULL;
	unsigned number = 0, first = 1;
	size_t size = 0;
	int r = 0;

	while (r >= 0 && getline(&piece, &size, stream) >= 0) {
		char *start = skip(piece, " \t");

		number++;
		if (!text)
			first = number;
		/* A comment or a blank neither begins a line nor ends one. */
		if (*start == '#' || *start == '\n')
			continue;
		r = append(&text, start);
		if (r == 0) {
			r = add_line(file, text, first, number);
			text = NULL;
		}
	}
	free(text);
	free(piece);
	return r < 0 ? r : ferror(stream) ? -EIO : 0;
}

int rule_file_read(struct rule_file *file)
{
	FILE *stream = fopen(file->path, "re");
	int r;

	if (!stream)
		return -errno;
	r = read_lines(file, stream);
	fclose(stream);
	return r;
}

void rule_file_free(struct rule_file *file)
{
	for (size_t i = 0; i < file->n_lines; i++)
		free(file->lines[i].text);
	free(file->lines);
	free(file->name);
	free(file->path);
}
