/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that the shim replaces, as the next library has them. */
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#define NEXT_FUNCTIONS(X)                                                                          \
	X(int, open, const char *, int, ...)                                                       \
	X(int, open64, const char *, int, ...)                                                     \
	X(int, openat, int, const char *, int, ...)                                                \
	X(int, openat64, int, const char *, int, ...)                                              \
	X(int, __open_2, const char *, int)                                                        \
	X(int, __open64_2, const char *, int)                                                      \
	X(int, __openat_2, int, const char *, int)                                                 \
	X(int, __openat64_2, int, const char *, int)                                               \
	X(int, ioctl, int, unsigned long, ...)                                                     \
	X(ssize_t, read, int, void *, size_t)                                                      \
	X(ssize_t, __read_chk, int, void *, size_t, size_t)                                        \
	X(ssize_t, write, int, const void *, size_t)                                               \
	X(int, access, const char *, int)                                                          \
	X(int, faccessat, int, const char *, int, int)                                             \
	X(int, eaccess, const char *, int)                                                         \
	X(int, euidaccess, const char *, int)                                                      \
	X(int, stat, const char *, struct stat *)                                                  \
	X(int, lstat, const char *, struct stat *)                                                 \
	X(int, fstat, int, struct stat *)                                                          \
	X(int, fstatat, int, const char *, struct stat *, int)                                     \
	X(int, statx, int, const char *, int, unsigned, struct statx *)

struct next_functions {
#define MEMBER(type, name, ...) type (*name)(__VA_ARGS__);
	NEXT_FUNCTIONS(MEMBER)
#undef MEMBER
};

/** Looked up when the library is loaded, or at the first call if another library's constructor
 *  is faster. None of them is missing in glibc >= 2.33. */
const struct next_functions *next(void);
