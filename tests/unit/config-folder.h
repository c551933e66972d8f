/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration for a test: a temporary folder, and the problems the reader told of it. */
#pragma once

#include <stddef.h>

#include "policy/config.h"

struct config_folder {
	char path[64];
};

#define PROBLEMS_MAX 80

struct problems {
	size_t count;
	struct {
		char file[300], why[200];
		int line;
	} items[PROBLEMS_MAX];
};

void folder_make(struct config_folder *folder);
/* name: "devices/x.conf"; folders on the way are made. */
void folder_write(const struct config_folder *folder, const char *name, const char *text);
void folder_write_bytes(
	const struct config_folder *folder, const char *name, const void *bytes, size_t size);
void folder_link(const struct config_folder *folder, const char *name, const char *target);
void folder_remove(const struct config_folder *folder);
/* The path of a file in it; the buffer is static. */
const char *folder_file(const struct config_folder *folder, const char *name);

/* A config_problem; userdata: a struct problems. */
void problems_add(void *userdata, const char *file, int line, const char *why);
/* Fails unless it was told exactly once; line 0: of the file as a whole. */
void problems_expect(const struct problems *problems, const char *file, int line, const char *why);
