/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define USAGE "usage: rgbrokerctl [OPTION]... VERB [...]  (--help)"

#define FOLDERS_MAX 8

/* takes: the letters of options that mean something to it, beside --json. */
static const struct verb {
	const char *name;
	int (*run)(const struct options *options, int argc, char **argv);
	const char *takes;
} verbs[] = {
	{"list", verb_list, ""},
	{"show", verb_show, "dcw"},
	{"check", verb_check, "dcelP"},
	{"monitor", verb_monitor, "oVap"},
	{"status", verb_status, ""},
	{"release", verb_release, ""},
	{"devices", verb_devices, "c"},
	{"lint", verb_lint, ""},
	{"audit", verb_audit, ""},
};

static const struct option names[] = {{"json", no_argument, NULL, 'j'},
	{"door", required_argument, NULL, 'd'}, {"config", required_argument, NULL, 'c'},
	{"wake", no_argument, NULL, 'w'}, {"explain", no_argument, NULL, 'e'},
	{"claimed", no_argument, NULL, 'l'}, {"pointer", required_argument, NULL, 'P'},
	{"own", no_argument, NULL, 'o'}, {"verdict", required_argument, NULL, 'V'},
	{"address", required_argument, NULL, 'a'}, {"pid", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};

static int usage(void)
{
	fprintf(stderr, "%s\n", USAGE);
	return CTL_USAGE;
}

/* seen: the letters of all options that were given. */
static int run_verb(const struct options *options, const char *seen, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int code;

		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		if (strspn(seen, verbs[i].takes) != strlen(seen))
			return usage();
		code = verbs[i].run(options, argc - 1, argv + 1);
		return code == CTL_USAGE ? usage() : code;
	}
	return usage();
}

/* Those without an argument. */
static bool take_flag(struct options *options, int option)
{
	bool *flag = option == 'j'   ? &options->json
		     : option == 'w' ? &options->wake
		     : option == 'e' ? &options->explain
		     : option == 'l' ? &options->claimed
		     : option == 'o' ? &options->own
				     : NULL;

	if (flag)
		*flag = true;
	return flag;
}

static bool take_value(struct options *options, int option, const char *value)
{
	const char **text = option == 'd'   ? &options->door
			    : option == 'P' ? &options->pointer
			    : option == 'V' ? &options->verdict
			    : option == 'a' ? &options->address
			    : option == 'p' ? &options->pid
					    : NULL;

	if (text)
		*text = value;
	return text;
}

int main(int argc, char **argv)
{
	const char *folders[FOLDERS_MAX + 1] = {NULL};
	struct options options = {.door = "rgb"};
	char seen[256] = "";
	size_t n_folders = 0, n_seen = 0;

	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		if (option == 'h' || option == 'v') {
			fputs(option == 'h' ? help_text : "rgbrokerctl " RGBROKER_VERSION "\n",
				stdout);
			return CTL_OK;
		}
		if (option == 'c' && n_folders < FOLDERS_MAX)
			folders[n_folders++] = optarg;
		else if (!take_flag(&options, option) && !take_value(&options, option, optarg))
			return usage();
		if (option != 'j' && n_seen < sizeof(seen) - 1)
			seen[n_seen++] = (char)option;
	}
	options.folders = n_folders ? folders : NULL;
	return optind < argc ? run_verb(&options, seen, argc - optind, argv + optind) : usage();
}
