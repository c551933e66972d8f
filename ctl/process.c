/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is behind a process number: brokers do not know, their sandbox hides it from them. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

static void read_command(pid_t pid, char *command, size_t size)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(command, (int)size, file))
		snprintf(command, size, "gone");
	command[strcspn(command, "\n")] = '\0';
	make_printable(command, size); /* a process names itself */
	if (file)
		fclose(file);
}

void process_find(pid_t pid, struct process_name *ret_name)
{
	char *unit = NULL;

	*ret_name = (struct process_name){0};
	if (pid <= 0) {
		snprintf(ret_name->command, sizeof(ret_name->command), "of another pid namespace");
		return;
	}
	read_command(pid, ret_name->command, sizeof(ret_name->command));
	/* A user's own unit tells more than user@1000.service, which all of his programs are of. */
	if (sd_pid_get_user_unit(pid, &unit) >= 0 || sd_pid_get_unit(pid, &unit) >= 0)
		snprintf(ret_name->unit, sizeof(ret_name->unit), "%s", unit);
	free(unit);
}

const char *process_text(pid_t pid, char *buffer, size_t size)
{
	struct process_name name;

	process_find(pid, &name);
	snprintf(buffer, size, "pid %d (%s%s%s)", pid, name.command, name.unit[0] ? ", " : "",
		name.unit);
	return buffer;
}

void add_process(json_object *object, pid_t pid, uid_t uid)
{
	struct process_name name;

	process_find(pid, &name);
	json_object_object_add(object, "pid", json_object_new_int(pid));
	json_object_object_add(object, "uid", json_object_new_int64(uid));
	add_text(object, "command", name.command);
	if (name.unit[0])
		add_text(object, "unit", name.unit);
}
