/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/** Connect, blocking. @return the socket; whoever cannot ends with a message. */
int door_connect(const char *path);
