/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint: device and door files before they are put where brokers look. */
#include "ctl/lint.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is found in one file and its drop-ins. */
struct findings {
	json_object *problems, *warnings, *summary;
};

static void add(json_object *list, const char *file, int line, const char *why)
{
	json_object *entry = json_object_new_object();

	add_text(entry, "file", file);
	add_number(entry, "line", (uint64_t)line);
	add_text(entry, "why", why);
	json_object_array_add(list, entry);
}

static void add_problem(void *userdata, const char *file, int line, const char *why)
{
	add(((struct findings *)userdata)->problems, file, line, why);
}

static void add_warning(void *userdata, const char *file, int line, const char *why)
{
	add(((struct findings *)userdata)->warnings, file, line, why);
}

static bool lies_in_doors(const char *file)
{
	char *path = realpath(file, NULL);
	bool doors = path && strcmp(basename(dirname(path)), "doors") == 0;

	free(path);
	return doors;
}

static bool has_door_section(const char *file)
{
	FILE *stream = fopen(file, "re");
	char line[256];
	bool found = false;

	while (stream && !found && fgets(line, sizeof(line), stream))
		found = strncmp(line + strspn(line, " \t"), "[Door]", strlen("[Door]")) == 0;
	if (stream)
		fclose(stream);
	return found;
}

static void lint_door(const char *name, char *const *files, struct findings *findings)
{
	static const char *const transfers[] = {"nothing", "read-only", "read-write"};
	static const struct policy no_devices;
	struct door door;

	if (!door_load(&door, name, files, &no_devices, add_problem, findings))
		return;
	add_text(findings->summary, "transfer", transfers[door.transfer]);
	json_object_object_add(findings->summary, "inspect", json_object_new_boolean(door.inspect));
	json_object_object_add(findings->summary, "release", json_object_new_boolean(door.release));
	free(door.name);
}

static void lint_device(const char *name, char *const *files, struct findings *findings)
{
	struct device *device = device_load(name, files, add_problem, findings);

	if (!device)
		return;
	lint_warn(device, add_warning, findings);
	json_object_put(findings->summary);
	findings->summary = lint_summary(device);
	device_free(device);
}

static void lint_files(const char *file, struct findings *findings)
{
	char **files = config_with_drop_ins(file);
	char *copy = strdup(file);
	char *name = copy ? basename(copy) : NULL, *dot = name ? strrchr(name, '.') : NULL;

	if (!files || !name) {
		add_problem(findings, file, 0, strerror(errno));
	} else {
		if (!dot || strcmp(dot, ".conf") != 0)
			add_warning(
				findings, file, 0, "brokers read files whose names end in .conf");
		else
			*dot = '\0';
		if (lies_in_doors(file) || has_door_section(file))
			lint_door(name, files, findings);
		else
			lint_device(name, files, findings);
	}
	free(copy);
	config_free_files(files);
}

static void print_entries(json_object *list, const char *what)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *entry = json_object_array_get_idx(list, i);
		int line = json_object_get_int(json_object_object_get(entry, "line"));

		printf("%s:", get_text(entry, "file"));
		if (line)
			printf("%d:", line);
		printf(" %s%s\n", what, get_text(entry, "why"));
	}
}

static void print_summary(const char *file, json_object *summary)
{
	if (json_object_object_get(summary, "transfer"))
		printf("%s: a door: Transfer=%s, Inspect=%s, Release=%s\n", file,
			get_text(summary, "transfer"), get_text(summary, "inspect"),
			get_text(summary, "release"));
	else
		printf("%s: %s, at %s\n"
		       "  recognised by %s reads; [Detect] lines: %s of reads, %s of writes;\n"
		       "  once recognised: %s of reads, %s of writes; registers behind a "
		       "pointer: %s read, %s written\n",
			file, get_text(summary, "description"), get_text(summary, "addresses"),
			get_text(summary, "fingerprint_reads"), get_text(summary, "detect_reads"),
			get_text(summary, "detect_writes"), get_text(summary, "control_reads"),
			get_text(summary, "control_writes"), get_text(summary, "registers_read"),
			get_text(summary, "registers_written"));
}

/* Whether the broker would take it. */
static bool lint(const char *file, json_object *all)
{
	struct findings findings = {
		json_object_new_array(), json_object_new_array(), json_object_new_object()};
	json_object *object = json_object_new_object();
	bool good;

	lint_files(file, &findings);
	good = json_object_array_length(findings.problems) == 0;
	if (!all) {
		print_entries(findings.problems, "");
		print_entries(findings.warnings, "warning: ");
		if (good)
			print_summary(file, findings.summary);
	}
	add_text(object, "file", file);
	json_object_object_add(object, "good", json_object_new_boolean(good));
	json_object_object_add(object, "problems", findings.problems);
	json_object_object_add(object, "warnings", findings.warnings);
	json_object_object_add(object, "allows", findings.summary);
	if (all)
		json_object_array_add(all, object);
	else
		json_object_put(object);
	return good;
}

int verb_lint(const struct options *options, int argc, char **argv)
{
	json_object *all;
	bool good = true;

	if (argc == 0)
		return CTL_USAGE;
	all = options->json ? json_object_new_array() : NULL;
	for (int i = 0; i < argc; i++)
		good &= lint(argv[i], all);
	if (all)
		print_json(all);
	return good ? CTL_OK : CTL_REFUSED;
}
