/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define USAGE "usage: rgbrokerctl [--json] [--door NAME] [--config FOLDER]... VERB [...]  (--help)"

#define FOLDERS_MAX 8

static const char help[] =
	USAGE "\n\n"
	      "  list                       every I2C adapter, its class and its broker\n"
	      "  show BUS                   what may be done at which address\n"
	      "  check BUS ADDRESS OPERATION [COMMAND [DATA...]]\n"
	      "                             whether one operation would be allowed, and why\n"
	      "  audit                      what else is open to a bus, and how to close it\n\n"
	      "BUS is N or i2c-N. OPERATION is read_ or write_ and one of quick, byte, byte_data,\n"
	      "word_data, block_data, i2c_block, i2c. Data are bytes in wire order; reads of\n"
	      "i2c_block and i2c take how many bytes are wanted instead.\n\n"
	      "  --json           one JSON object on standard output\n"
	      "  --door NAME      for whoever comes through that door (rgb)\n"
	      "  --config FOLDER  read devices/ and doors/ there, not in the system's folders\n\n"
	      "check ends with 0: allowed, 1: refused, 3: allowed once the broker itself has\n"
	      "recognised the chip. 2: wrong words, 4: no such bus or not to be read.\n"
	      "audit ends with 0: nothing is open (notes and advice do not count), 1: findings,\n"
	      "4: none, but not everything could be seen, as when not run by root.\n";

static const struct {
	const char *name;
	int (*run)(const struct options *options, int argc, char **argv);
} verbs[] = {
	{"list", verb_list},
	{"show", verb_show},
	{"check", verb_check},
	{"audit", verb_audit},
};

static int usage(void)
{
	fprintf(stderr, "%s\n", USAGE);
	return CTL_USAGE;
}

static int run_verb(const struct options *options, int argc, char **argv)
{
	int code;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[0], verbs[i].name) != 0)
			continue;
		code = verbs[i].run(options, argc - 1, argv + 1);
		return code == CTL_USAGE ? usage() : code;
	}
	return usage();
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"json", no_argument, NULL, 'j'},
		{"door", required_argument, NULL, 'd'}, {"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {0}};
	const char *folders[FOLDERS_MAX + 1] = {NULL};
	struct options options = {.door = "rgb"};
	size_t n_folders = 0;

	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'd':
			options.door = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return CTL_OK;
		case 'v':
			puts("rgbrokerctl " RGBROKER_VERSION);
			return CTL_OK;
		default:
			if (option != 'c' || n_folders == FOLDERS_MAX)
				return usage();
			folders[n_folders++] = optarg;
		}
	}
	options.folders = n_folders ? folders : NULL;
	return optind < argc ? run_verb(&options, argc - optind, argv + optind) : usage();
}
