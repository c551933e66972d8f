/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a line of another package's rules comes to.
 *
 * LOCK_RULES set owner, group and mode finally: nothing behind them changes these, and nothing
 * before them does unless it is final too. Programs that rules have run are run when all rules have
 * been read and udev has given the node its mode, in the order of the rules; `setfacl -b` of ours
 * is one of them. The tag uaccess is carried out by such a "program" of 73-seat-late. Taking the
 * tag away before does not keep it from that: udev before 253 remembers a tag for ever there
 * (systemd pull request 25869). What logind goes by, whenever somebody logs in, is whether the tag
 * is there in the end: LAST_RULES.
 */
#include "ctl/audit.h"

#include <stdlib.h>
#include <string.h>

#define SEAT_RULES "73-seat-late.rules"

static bool is(const struct rule_token *token, const char *key)
{
	return strcmp(token->key, key) == 0;
}

static bool sets(const struct rule_token *token)
{
	return token->op == RULE_SET || token->op == RULE_ADD || token->op == RULE_SET_FINALLY;
}

static bool is_before(const char *file_name, const char *other)
{
	return strcmp(file_name, other) < 0;
}

/* A name that is not there, or one that is yet to be put in, is another one. */
static bool gives_away(const struct rule_token *token, enum target target)
{
	char *end;
	unsigned long mode = strtoul(token->value, &end, 8);

	if (is(token, "MODE"))
		return *end || (mode & 0006) != 0;
	if (strcmp(token->value, "root") == 0 || strcmp(token->value, "0") == 0)
		return false;
	if (is(token, "GROUP"))
		return strcmp(token->value, target == TARGET_MACHINE ? "kmem" : NODE_GROUP) != 0;
	return true;
}

/* Final before ours could be. */
static bool comes_first(const char *file_name, const struct rule_token *token)
{
	return token->op == RULE_SET_FINALLY && is_before(file_name, LOCK_RULES);
}

static struct ruling judge_rights(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	if (!ours->lock)
		return (struct ruling){EFFECT_OPENS, token, LOCK_RULES " are not in force"};
	if (comes_first(file_name, token))
		return (struct ruling){EFFECT_OPENS, token, "final, before " LOCK_RULES};
	return (struct ruling){EFFECT_TAKEN_BACK, token, "overruled by " LOCK_RULES};
}

/* Whether a list that the rules of that file bring about is taken off again. */
static bool is_cleared(const struct lock_rules *ours, const char *file_name)
{
	return is_before(file_name, ours->clears);
}

static struct ruling judge_tag(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	if (!ours->last)
		return (struct ruling){EFFECT_OPENS, token, LAST_RULES " are not in force"};
	if (!is_before(file_name, LAST_RULES))
		return (struct ruling){EFFECT_OPENS, token,
			"after " LAST_RULES "; logind goes by it at the next login"};
	if (!is_cleared(ours, SEAT_RULES) && !ours->alone)
		return (struct ruling){
			EFFECT_OPENS, token, "carried out by " SEAT_RULES ", and not undone"};
	return (struct ruling){EFFECT_TAKEN_BACK, token, "taken away by " LAST_RULES};
}

static bool changes_mode(const char *command)
{
	return strstr(command, "chmod") || strstr(command, "chown") || strstr(command, "chgrp");
}

static struct ruling judge_list(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	if (is_cleared(ours, file_name) && token->op != RULE_SET_FINALLY)
		return (struct ruling){
			EFFECT_TAKEN_BACK, token, "undone by a setfacl -b behind it"};
	return (struct ruling){EFFECT_OPENS, token, "not undone by any setfacl -b behind it"};
}

/* What is not added with += takes away what was added before, or keeps all from being added. */
static bool drops_ours(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	return is_cleared(ours, file_name) ? token->op == RULE_SET_FINALLY : token->op != RULE_ADD;
}

/* "program", also where nothing is said, or "builtin"; of these only one matters. */
static struct ruling judge_run(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	bool builtin = strcmp(token->attribute, "builtin") == 0;

	if (ours->alone && !comes_first(file_name, token))
		return (struct ruling){builtin ? EFFECT_NONE : EFFECT_TAKEN_BACK, token,
			"not run: " LOCK_RULES " let nothing run but their own"};
	if (!builtin && changes_mode(token->value))
		return (struct ruling){EFFECT_OPENS, token,
			"run after udev has given the node its mode, which nothing sets again"};
	if (builtin ? strcmp(token->value, "uaccess") == 0
		    : strstr(token->value, "setfacl") != NULL)
		return judge_list(ours, file_name, token);
	if (drops_ours(ours, file_name, token))
		return (struct ruling){EFFECT_OPENS, token,
			"not added with +=: keeps setfacl -b from being run, so that rights given "
			"to people stay"};
	if (builtin)
		return (struct ruling){EFFECT_NONE, token, ""};
	return (struct ruling){EFFECT_UNKNOWN, token, "see what it does to the node"};
}

static bool is_uaccess(const struct rule_token *token)
{
	return is(token, "TAG") && sets(token) && strcmp(token->value, "uaccess") == 0;
}

static bool is_right(const struct rule_token *token, enum target target)
{
	return (is(token, "MODE") || is(token, "GROUP") || is(token, "OWNER")) && sets(token) &&
	       gives_away(token, target);
}

static struct ruling judge_locked(
	const struct lock_rules *ours, const char *file_name, const struct rule_token *token)
{
	if (is_right(token, TARGET_LOCKED))
		return judge_rights(ours, file_name, token);
	if (is_uaccess(token))
		return judge_tag(ours, file_name, token);
	if (is(token, "RUN") && sets(token))
		return judge_run(ours, file_name, token);
	return (struct ruling){EFFECT_NONE, token, ""};
}

/* Nothing of ours stands against it. */
static struct ruling judge_open(const struct rule_token *token, enum target target)
{
	const char *why = target == TARGET_MACHINE ? "nothing takes it back" : "left as found";
	bool opens = is_right(token, target) || is_uaccess(token);

	if (is(token, "RUN") && sets(token))
		opens = changes_mode(token->value) || strstr(token->value, "setfacl") ||
			strcmp(token->value, "uaccess") == 0;
	return (struct ruling){opens ? EFFECT_OPENS : EFFECT_NONE, token, why};
}

struct ruling rule_line_judge(const struct lock_rules *ours, const char *file_name,
	const struct rule_line *line, enum target target)
{
	struct ruling worst = {EFFECT_NONE, NULL, ""};

	for (size_t i = 0; i < line->n_tokens; i++) {
		const struct rule_token *token = &line->tokens[i];
		struct ruling one = target == TARGET_LOCKED ? judge_locked(ours, file_name, token)
							    : judge_open(token, target);

		if (one.effect > worst.effect)
			worst = one;
	}
	return worst;
}
