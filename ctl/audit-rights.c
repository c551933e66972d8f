/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may open a path, beside those who shall: by owner, mode and access control list. */
#include "ctl/audit.h"

#include <acl/libacl.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>

struct look {
	struct audit *audit;
	const struct rights *rights;
	struct stat st;
	bool masked;
	acl_permset_t mask;
};

/* i2c-dev asks nothing when told to write through a descriptor opened for reading: either is all.
 */
static bool opens(const struct look *look, acl_entry_t entry, bool under_mask)
{
	acl_permset_t set;
	bool read, write;

	if (acl_get_permset(entry, &set) < 0)
		return true;
	read = acl_get_perm(set, ACL_READ) > 0;
	write = acl_get_perm(set, ACL_WRITE) > 0;
	if (under_mask && look->masked) {
		read = read && acl_get_perm(look->mask, ACL_READ) > 0;
		write = write && acl_get_perm(look->mask, ACL_WRITE) > 0;
	}
	return read || write;
}

static bool group_writes(const struct look *look, acl_entry_t entry)
{
	acl_permset_t set;

	return acl_get_permset(entry, &set) == 0 && acl_get_perm(set, ACL_WRITE) > 0;
}

static json_object *tell(
	const struct look *look, const char *kind, const char *who, const char *how)
{
	const struct rights *rights = look->rights;
	struct entry entry = rights->entry;
	json_object *object;

	entry.kind = kind;
	object = audit_add(look->audit, &entry, "%s is open to %s (%s)", entry.path, who, how);
	if (entry.severity != NOTE)
		audit_close(object, "setfacl -b '%s' && chown root:%s '%s' && chmod %04o '%s'",
			entry.path, rights->group, entry.path, rights->mode, entry.path);
	return object;
}

static void tell_user(const struct look *look, const char *kind, uid_t uid, const char *how)
{
	char who[80];
	json_object *object;

	snprintf(who, sizeof(who), "user %s", user_name(uid));
	object = tell(look, kind, who, how);
	audit_text(object, "who", user_name(uid));
}

static void tell_group(const struct look *look, const char *kind, gid_t gid, const char *how)
{
	json_object *members = group_members(gid), *object;
	char who[512];

	snprintf(who, sizeof(who), "group %s, in which there is: %s", group_name(gid),
		join_names(members));
	object = tell(look, kind, who, how);
	audit_text(object, "who", group_name(gid));
	json_object_object_add(object, "members", members);
}

static bool is_meant(const struct look *look, gid_t gid)
{
	struct group *group = getgrnam(look->rights->group);

	return gid == 0 || (group && group->gr_gid == gid);
}

static void look_at_group(const struct look *look, acl_entry_t entry)
{
	bool may_write = (look->rights->mode & S_IWGRP) != 0;

	if (!is_meant(look, look->st.st_gid))
		tell_group(look, "group", look->st.st_gid, "its group");
	else if (!may_write && group_writes(look, entry) && look->st.st_gid != 0)
		tell_group(look, "group", look->st.st_gid, "for writing, by its mode");
}

static void look_at_named(const struct look *look, acl_entry_t entry, acl_tag_t tag)
{
	const id_t *id = acl_get_qualifier(entry);

	if (!id)
		return;
	if (tag == ACL_USER && *id != 0)
		tell_user(look, "acl-user", *id, "by its access control list");
	/* On a bus that is left as found the brokers come in this way. */
	if (tag == ACL_GROUP && !is_meant(look, *id))
		tell_group(look, "acl-group", *id, "by its access control list");
	acl_free((void *)(uintptr_t)id);
}

static void look_at_entry(const struct look *look, acl_entry_t entry)
{
	acl_tag_t tag;

	if (acl_get_tag_type(entry, &tag) < 0 || tag == ACL_MASK)
		return;
	if (!opens(look, entry, tag != ACL_USER_OBJ && tag != ACL_OTHER))
		return;
	if (tag == ACL_USER_OBJ && look->st.st_uid != 0)
		tell_user(look, "owner", look->st.st_uid, "its owner");
	else if (tag == ACL_GROUP_OBJ)
		look_at_group(look, entry);
	else if (tag == ACL_OTHER)
		tell(look, "world", "everybody", "by its mode");
	else if (tag != ACL_USER_OBJ)
		look_at_named(look, entry, tag);
}

static void find_mask(struct look *look, acl_t acl)
{
	acl_entry_t entry;
	acl_tag_t tag;

	for (int which = ACL_FIRST_ENTRY; acl_get_entry(acl, which, &entry) == 1;
		which = ACL_NEXT_ENTRY)
		if (acl_get_tag_type(entry, &tag) == 0 && tag == ACL_MASK)
			look->masked = acl_get_permset(entry, &look->mask) == 0;
}

void audit_rights(struct audit *audit, const struct rights *rights)
{
	struct look look = {.audit = audit, .rights = rights};
	const char *path = rights->entry.path;
	acl_entry_t entry;
	acl_t acl;

	if (lstat(path, &look.st) < 0) {
		if (errno != ENOENT)
			audit_unseen(audit, "%s: %s", path, strerror(errno));
		return;
	}
	/* Without a list it is made up from the mode. */
	acl = acl_get_file(path, ACL_TYPE_ACCESS);
	if (!acl) {
		audit_unseen(audit, "the access control list of %s: %s", path, strerror(errno));
		return;
	}
	find_mask(&look, acl);
	for (int which = ACL_FIRST_ENTRY; acl_get_entry(acl, which, &entry) == 1;
		which = ACL_NEXT_ENTRY)
		look_at_entry(&look, entry);
	acl_free(acl);
}
