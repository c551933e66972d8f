/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users and groups by name, and who is in ours. */
#include "ctl/audit.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

const char *user_name(uid_t uid)
{
	static char number[16];
	struct passwd *user = getpwuid(uid);

	snprintf(number, sizeof(number), "%u", uid);
	return user ? user->pw_name : number;
}

const char *group_name(gid_t gid)
{
	static char number[16];
	struct group *group = getgrgid(gid);

	snprintf(number, sizeof(number), "%u", gid);
	return group ? group->gr_name : number;
}

static bool contains(json_object *names, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(names); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(names, i)), name) == 0)
			return true;
	return false;
}

json_object *group_members(gid_t gid)
{
	json_object *names = json_object_new_array();
	struct group *group = getgrgid(gid);

	for (char **name = group ? group->gr_mem : NULL; name && *name; name++)
		json_object_array_add(names, json_object_new_string(*name));
	setpwent();
	for (struct passwd *user; (user = getpwent());)
		if (user->pw_gid == gid && !contains(names, user->pw_name))
			json_object_array_add(names, json_object_new_string(user->pw_name));
	endpwent();
	return names;
}

const char *join_names(json_object *names)
{
	static char text[256];
	size_t used = 0;

	snprintf(text, sizeof(text), "nobody");
	for (size_t i = 0; i < json_object_array_length(names) && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
			json_object_get_string(json_object_array_get_idx(names, i)));
	return text;
}

/* A member's first group cannot be taken from him, only replaced. */
static void close_membership(json_object *entry, const char *name, gid_t gid)
{
	struct passwd *user = getpwnam(name);

	if (user && user->pw_gid == gid)
		audit_close(entry, "usermod --gid users '%s'", name);
	else
		audit_close(entry, "gpasswd --delete '%s' " NODE_GROUP, name);
}

static void tell_member(struct audit *audit, const char *name, gid_t gid)
{
	const struct entry entry = {.severity = FINDING, .kind = "member"};
	json_object *object = audit_add(audit, &entry,
		"user %s is in the group " NODE_GROUP ", which may open every locked node; only "
		"brokers belong there",
		name);

	audit_text(object, "who", name);
	close_membership(object, name, gid);
}

/* A running broker's own user; systemd shows its group as a user, too. */
static bool is_dynamic(struct audit *audit, const char *name)
{
	return audit->systemd &&
	       sd_bus_call_method(audit->systemd, "org.freedesktop.systemd1",
		       "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		       "LookupDynamicUserByName", NULL, NULL, "s", name) >= 0;
}

static void look_at_node_group(struct audit *audit, const struct group *group)
{
	gid_t gid = group->gr_gid;
	json_object *members = group_members(gid);

	for (size_t i = 0; i < json_object_array_length(members); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(members, i));

		if (!is_dynamic(audit, name))
			tell_member(audit, name, gid);
	}
	json_object_put(members);
}

static void look_at_door_group(struct audit *audit, const struct group *group)
{
	const struct entry entry = {.severity = NOTE, .kind = "may-use-broker"};
	json_object *members = group_members(group->gr_gid), *object;

	if (json_object_array_length(members) == 0) {
		json_object_put(members);
		return;
	}
	object = audit_add(audit, &entry,
		"may ask the brokers to light LEDs, as members of the group " DOOR_GROUP ": %s",
		join_names(members));
	json_object_object_add(object, "members", members);
}

void audit_groups(struct audit *audit)
{
	struct group *group = getgrnam(NODE_GROUP);

	if (group)
		look_at_node_group(audit, group);
	group = getgrnam(DOOR_GROUP);
	if (group)
		look_at_door_group(audit, group);
}
