/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a line of a rules file holds for a device: what udev would find, from the same sources.
 */
#include "ctl/audit.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* "a|b*|" */
static bool matches_any(const char *patterns, const char *value, int flags)
{
	char one[256];

	for (;;) {
		size_t length = strcspn(patterns, "|");

		if (length < sizeof(one)) {
			memcpy(one, patterns, length);
			one[length] = '\0';
			if (fnmatch(one, value, flags) == 0)
				return true;
		}
		if (!patterns[length])
			return false;
		patterns += length + 1;
	}
}

static enum match compare(const struct rule_token *token, const char *value)
{
	bool same =
		matches_any(token->value, value ? value : "", token->any_case ? FNM_CASEFOLD : 0);

	return same == (token->op == RULE_IS) ? MATCH_YES : MATCH_NO;
}

/* What is not there is unlike everything. Blanks at the end count only if the pattern has some. */
static enum match compare_attribute(const struct rule_token *token, struct udev_device *device)
{
	const char *value = udev_device_get_sysattr_value(device, token->attribute);
	size_t length = strlen(token->value);
	char text[256];

	if (!value)
		return token->op == RULE_IS_NOT ? MATCH_YES : MATCH_NO;
	if (length && strchr(" \t", token->value[length - 1]))
		return compare(token, value);
	length = strlen(value);
	while (length && strchr(" \t\n", value[length - 1]))
		length--;
	if (length >= sizeof(text))
		return MATCH_MAYBE;
	memcpy(text, value, length);
	text[length] = '\0';
	return compare(token, text);
}

static bool is_match(const struct rule_token *token)
{
	return token->op == RULE_IS || token->op == RULE_IS_NOT;
}

static bool is(const struct rule_token *token, const char *key)
{
	return strcmp(token->key, key) == 0;
}

/* These look at the device and at what it hangs on, and must all hold for the same one. */
static bool is_of_parents(const struct rule_token *token)
{
	return is(token, "KERNELS") || is(token, "SUBSYSTEMS") || is(token, "DRIVERS") ||
	       is(token, "ATTRS") || is(token, "TAGS");
}

static enum match match_parent_token(const struct rule_token *token, struct udev_device *parent)
{
	if (is(token, "KERNELS"))
		return compare(token, udev_device_get_sysname(parent));
	if (is(token, "SUBSYSTEMS"))
		return compare(token, udev_device_get_subsystem(parent));
	if (is(token, "DRIVERS"))
		return compare(token, udev_device_get_driver(parent));
	if (is(token, "ATTRS"))
		return compare_attribute(token, parent);
	return MATCH_MAYBE;
}

static enum match match_tag(const struct rule_token *token)
{
	/* 73-seat-late and its likes carry out what another line has said. */
	return strcmp(token->value, "uaccess") == 0 ? MATCH_NO : MATCH_MAYBE;
}

/* Properties are those of the device's last event. Those with a dot are not kept. */
static enum match match_property(const struct rule_token *token, struct udev_device *device)
{
	if (token->attribute[0] == '.')
		return MATCH_MAYBE;
	return compare(token, udev_device_get_property_value(device, token->attribute));
}

static enum match match_token(
	const struct rule_token *token, struct udev_device *device, const char *action)
{
	if (is(token, "KERNEL"))
		return compare(token, udev_device_get_sysname(device));
	if (is(token, "SUBSYSTEM"))
		return compare(token, udev_device_get_subsystem(device));
	if (is(token, "ACTION"))
		return compare(token, action);
	if (is(token, "ATTR"))
		return compare_attribute(token, device);
	if (is(token, "ENV"))
		return match_property(token, device);
	if (is(token, "TAG"))
		return match_tag(token);
	/* A network interface's. A DRIVER is the parents' matter, a node has none. */
	if (is(token, "DRIVER"))
		return compare(token, NULL);
	return MATCH_MAYBE;
}

static enum match match_one_parent(const struct rule_line *line, struct udev_device *parent)
{
	enum match all = MATCH_YES;

	for (size_t i = 0; i < line->n_tokens; i++) {
		enum match one = MATCH_YES;

		if (is_match(&line->tokens[i]) && is_of_parents(&line->tokens[i]))
			one = match_parent_token(&line->tokens[i], parent);
		if (one < all)
			all = one;
	}
	return all;
}

static enum match match_parents(const struct rule_line *line, struct udev_device *device)
{
	enum match best = MATCH_NO;

	for (; device && best != MATCH_YES; device = udev_device_get_parent(device)) {
		enum match one = match_one_parent(line, device);

		if (one > best)
			best = one;
	}
	return best;
}

enum match rule_line_match(
	const struct rule_line *line, struct udev_device *device, const char *action)
{
	enum match all = MATCH_YES;

	for (size_t i = 0; i < line->n_tokens && all != MATCH_NO; i++) {
		const struct rule_token *token = &line->tokens[i];
		enum match one = MATCH_YES;

		if (is_match(token) && !is_of_parents(token))
			one = match_token(token, device, action);
		if (one < all)
			all = one;
	}
	if (all != MATCH_NO) {
		enum match parents = match_parents(line, device);

		if (parents < all)
			all = parents;
	}
	return all;
}
