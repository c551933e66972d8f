/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that systemd can activate: takes the listening socket it is passed, lets one peer in
 * after the other, and answers each message with one byte.
 */
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD 3 /* SD_LISTEN_FDS_START, without the library's start-up */

int main(void)
{
	char message[4096];
	int peer;

	while ((peer = accept(LISTEN_FD, NULL, NULL)) >= 0) {
		while (recv(peer, message, sizeof(message), 0) > 0)
			if (send(peer, message, 1, MSG_NOSIGNAL) != 1)
				break;
		close(peer);
	}
	return 1;
}
