/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that have a node open. A right taken away does not close what is open. */
#include "ctl/audit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <systemd/sd-login.h>

#define I2C_MAJOR 89

/* One process that holds one node, however often. */
struct holder {
	pid_t pid;
	uid_t uid;
	char command[64];
	char *unit; /* NULL: of none */
};

/* Asked only once a holder is found: before, a broker might start in between. */
static bool is_broker(struct audit *audit, const struct adapter *adapter, pid_t pid)
{
	char unit[64], *path = NULL;
	uint32_t main_pid = 0;

	snprintf(unit, sizeof(unit), "rgbroker@%u.service", adapter->number);
	if (audit->systemd &&
		sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0)
		sd_bus_get_property_trivial(audit->systemd, "org.freedesktop.systemd1", path,
			"org.freedesktop.systemd1.Service", "MainPID", NULL, 'u', &main_pid);
	free(path);
	return main_pid == (uint32_t)pid;
}

static void read_command(struct holder *holder)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", holder->pid);
	file = fopen(path, "re");
	if (!file || !fgets(holder->command, sizeof(holder->command), file))
		strcpy(holder->command, "?");
	holder->command[strcspn(holder->command, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* A service is stopped as a whole, or its manager starts it again. */
static void close_holder(json_object *entry, const struct holder *holder)
{
	const char *end = holder->unit ? strrchr(holder->unit, '.') : NULL;

	if (end && strcmp(end, ".service") == 0 && strncmp(holder->unit, "user@", 5) != 0)
		audit_close(entry, "systemctl stop '%s'", holder->unit);
	else
		audit_close(entry, "kill %d", holder->pid);
}

static void tell(struct audit *audit, const struct adapter *adapter, const struct holder *holder)
{
	char path[32];
	const struct entry entry = {.severity = audit_locked(adapter) ? FINDING : NOTE,
		.kind = "process",
		.adapter = adapter,
		.path = path};
	json_object *object;

	audit_node_path(adapter, path, sizeof(path));
	object = audit_add(audit, &entry, "%s is open in process %d (%s) of user %s, %s%s", path,
		holder->pid, holder->command, user_name(holder->uid),
		holder->unit ? "unit " : "which is of no unit", holder->unit ? holder->unit : "");
	audit_number(object, "pid", holder->pid);
	audit_number(object, "uid", holder->uid);
	audit_text(object, "command", holder->command);
	if (holder->unit)
		audit_text(object, "unit", holder->unit);
	if (entry.severity == FINDING)
		close_holder(object, holder);
}

static void look_at_holder(struct audit *audit, const struct adapter *adapter, pid_t pid, int proc)
{
	struct holder holder = {.pid = pid};
	struct stat st;

	if (is_broker(audit, adapter, pid) || fstat(proc, &st) < 0)
		return;
	holder.uid = st.st_uid;
	read_command(&holder);
	if (sd_pid_get_unit(pid, &holder.unit) < 0)
		holder.unit = NULL;
	tell(audit, adapter, &holder);
	free(holder.unit);
}

static const struct adapter *find_adapter(const struct audit *audit, const struct stat *st)
{
	if (!S_ISCHR(st->st_mode) || major(st->st_rdev) != I2C_MAJOR)
		return NULL;
	for (size_t i = 0; i < audit->n_adapters; i++)
		if (audit->adapters[i].number == minor(st->st_rdev))
			return audit->adapters[i].class ? &audit->adapters[i] : NULL;
	return NULL;
}

static void look_at_files(struct audit *audit, pid_t pid, DIR *files)
{
	bool seen[AUDIT_ADAPTERS_MAX] = {false};

	for (struct dirent *file; (file = readdir(files));) {
		const struct adapter *adapter;
		struct stat st;

		/* The file behind the link, in whatever mount namespace it was opened. */
		if (fstatat(dirfd(files), file->d_name, &st, 0) < 0)
			continue;
		adapter = find_adapter(audit, &st);
		if (!adapter || seen[adapter - audit->adapters])
			continue;
		seen[adapter - audit->adapters] = true;
		look_at_holder(audit, adapter, pid, dirfd(files));
	}
}

void audit_holders(struct audit *audit)
{
	DIR *all = opendir("/proc"), *files;

	for (struct dirent *process; all && (process = readdir(all));) {
		pid_t pid = (pid_t)atoi(process->d_name);
		char path[32];

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		files = opendir(path);
		if (!files && (errno == EACCES || errno == EPERM))
			audit_unseen(
				audit, "what other users' processes have open (run it as root)");
		if (!files)
			continue;
		look_at_files(audit, pid, files);
		closedir(files);
	}
	if (!all)
		audit_unseen(audit, "/proc: %s", strerror(errno));
	else
		closedir(all);
}
