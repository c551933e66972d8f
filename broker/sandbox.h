/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The broker's own filter of system calls, from the time on when clients are listened to. Whoever
 * adds something that needs another call, or a file or socket, opens it before that.
 */
#pragma once

/*
 * Make the filter, before anything else: what memory that takes the device files get. 0 or a
 * negative errno, told in the journal.
 */
int sandbox_prepare(void);

/*
 * Leave this process the calls that sandbox.c lists, for good. 0 or a negative errno, told in the
 * journal: then nobody must be served.
 */
int sandbox_enter(void);
