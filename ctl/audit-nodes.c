/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes: of buses and copies of them, of the machine's ports and memory; and doors. */
#include "ctl/audit.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define I2C_MAJOR 89

static void look_at_node(struct audit *audit, const struct adapter *adapter)
{
	char path[32];
	struct rights rights = {.entry = {.severity = audit_locked(adapter) ? FINDING : NOTE,
					.adapter = adapter,
					.path = path},
		.group = NODE_GROUP,
		.mode = 0660};

	audit_node_path(adapter, path, sizeof(path));
	audit_rights(audit, &rights);
}

/* Whom it is open to now is told by the list; this is for whoever logs in next. */
static void look_at_tag(struct audit *audit, const struct adapter *adapter)
{
	char name[16], path[32];
	const struct entry entry = {
		.severity = FINDING, .kind = "tag", .adapter = adapter, .path = path};
	struct udev_device *device;

	snprintf(name, sizeof(name), "i2c-%u", adapter->number);
	audit_node_path(adapter, path, sizeof(path));
	device = udev_device_new_from_subsystem_sysname(audit->udev, "i2c-dev", name);
	if (device && udev_device_has_current_tag(device, "uaccess") > 0)
		audit_close(audit_add(audit, &entry,
				    "%s has udev's tag uaccess: logind opens it to whoever logs in "
				    "at this machine",
				    path),
			"udevadm trigger --settle '%s'", path);
	udev_device_unref(device);
}

static bool has_node(const struct audit *audit, dev_t number, const struct adapter **ret_adapter)
{
	for (size_t i = 0; i < audit->n_adapters; i++) {
		if (number != makedev(I2C_MAJOR, audit->adapters[i].number))
			continue;
		*ret_adapter = &audit->adapters[i];
		return audit_locked(&audit->adapters[i]);
	}
	return false;
}

/* nftw() has no argument of ours. */
static struct audit *walking;

static int look_at_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const struct adapter *adapter;
	const struct entry entry = {.severity = FINDING, .kind = "copy", .path = path};
	struct entry its = entry;
	char node[32];

	if (!S_ISCHR(st->st_mode) || !has_node(walking, st->st_rdev, &adapter))
		return 0;
	audit_node_path(adapter, node, sizeof(node));
	if (strcmp(path, node) == 0)
		return 0;
	its.adapter = adapter;
	audit_close(audit_add(walking, &its,
			    "%s is another node of this bus, which udev does not keep locked (%s, "
			    "mode %04o)",
			    path, user_name(st->st_uid), st->st_mode & 07777),
		"rm '%s'", path);
	return 0;
}

static void look_for_copies(struct audit *audit)
{
	walking = audit;
	if (nftw("/dev", look_at_file, 16, FTW_PHYS | FTW_MOUNT) < 0)
		audit_unseen(audit, "copies of nodes under /dev");
}

/* With these a chipset's SMBus is driven past its driver; OpenRGB's rules open the first. */
static void look_at_machine(struct audit *audit)
{
	static const char *const paths[] = {"/dev/port", "/dev/mem"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct rights rights = {
			.entry = {.severity = FINDING, .path = paths[i]},
			.group = "kmem",
			.mode = 0640,
		};

		audit_rights(audit, &rights);
	}
}

void audit_nodes(struct audit *audit)
{
	for (size_t i = 0; i < audit->n_adapters; i++) {
		const struct adapter *adapter = &audit->adapters[i];

		if (!adapter->class)
			continue;
		look_at_node(audit, adapter);
		if (audit_locked(adapter))
			look_at_tag(audit, adapter);
	}
	look_for_copies(audit);
	look_at_machine(audit);
}

/* Who may replace a door may put his own in its place. */
static void look_at_folder(struct audit *audit, const char *path)
{
	const struct entry entry = {.severity = FINDING, .kind = "folder", .path = path};
	struct stat st;

	if (lstat(path, &st) < 0 || (st.st_uid == 0 && !(st.st_mode & 0022)))
		return;
	audit_close(audit_add(audit, &entry,
			    "doors in %s can be replaced by others than root (%s, mode %04o)", path,
			    user_name(st.st_uid), st.st_mode & 07777),
		"chown root '%s' && chmod go-w '%s'", path, path);
}

static void look_at_door(
	struct audit *audit, const struct adapter *adapter, const char *folder, mode_t mode)
{
	char path[64];
	const struct rights rights = {
		.entry = {.severity = FINDING, .adapter = adapter, .path = path},
		.group = mode == 0660 ? DOOR_GROUP : "root",
		.mode = mode,
	};

	snprintf(path, sizeof(path), "%s/i2c-%u", folder, adapter->number);
	audit_rights(audit, &rights);
}

void audit_doors(struct audit *audit)
{
	look_at_folder(audit, "/run/rgbroker");
	look_at_folder(audit, "/run/rgbroker/admin");
	for (size_t i = 0; i < audit->n_adapters; i++) {
		if (!audit->adapters[i].class)
			continue;
		look_at_door(audit, &audit->adapters[i], "/run/rgbroker", 0660);
		look_at_door(audit, &audit->adapters[i], "/run/rgbroker/admin", 0600);
	}
}
