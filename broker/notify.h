/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd is told of this service. As sd_notify(3), on a socket that is opened once: the
 * sandbox opens none.
 */
#pragma once

#include <stdbool.h>

/* Before the first notify(). Where there is no NOTIFY_SOCKET, nobody is told anything. */
void notify_open(void);
/* state: "READY=1" and its likes, see sd_notify(3). Nothing depends on its arrival. */
void notify(const char *state);
/* The same, but systemd, which may be busy, is not waited for. False: it has not been told. */
bool notify_at_once(const char *state);

/*
 * A datagram socket connected to a path, "@NAME" for an abstract one. The descriptor, which is
 * closed on exec, or a negative errno.
 */
int datagram_connect(const char *path);
