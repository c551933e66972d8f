/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client-lib/link.h"
#include "client-lib/reply.h"

#define ADMIN_DIRECTORY "/run/rgbroker/admin"
#define ROWS_MAX (ADDRESSES * POLICY_DEVICES_MAX) /* each chip being of each family */

int admin_open(struct admin *ret_admin, unsigned bus, int timeout_ms)
{
	int64_t deadline = link_now() + timeout_ms;
	char path[64];
	int r;

	snprintf(path, sizeof(path), ADMIN_DIRECTORY "/i2c-%u", bus);
	r = link_connect(path, deadline);
	*ret_admin = (struct admin){.bus = bus, .descriptor = r, .deadline = deadline};
	return r < 0 ? r : 0;
}

bool admin_may(unsigned bus)
{
	char path[64];

	snprintf(path, sizeof(path), ADMIN_DIRECTORY "/i2c-%u", bus);
	return access(path, W_OK) == 0 || errno != EACCES;
}

void admin_close(struct admin *admin)
{
	if (admin->descriptor >= 0)
		close(admin->descriptor);
	admin->descriptor = -1;
}

int admin_ask(
	struct admin *admin, uint16_t opcode, uint32_t context, struct connection_reply *ret_reply)
{
	struct connection_request request = {.header = {.version = RGBROKER_PROTOCOL_VERSION,
						     .opcode = opcode,
						     .serial = ++admin->serial,
						     .context = context}};
	ssize_t length;
	int r = link_send(
		admin->descriptor, &request.header, sizeof(request.header), admin->deadline);

	if (r < 0)
		return r;
	length = link_receive(admin->descriptor, ret_reply, sizeof(*ret_reply), 0, admin->deadline);
	if (length < 0)
		return (int)length;
	if (reply_judge(&request, ret_reply, (size_t)length) != REPLY_OURS)
		return -EPROTO;
	return ret_reply->header.result;
}

int admin_ask_rows(
	struct admin *admin, uint16_t opcode, size_t row_size, void *ret_rows, size_t *ret_count)
{
	static struct connection_reply reply;
	uint8_t *rows = NULL, *grown;
	size_t count = 0;
	int r;

	while ((r = admin_ask(admin, opcode, (uint32_t)count, &reply)) == 0) {
		size_t more = reply.header.length / row_size;

		if (!more)
			break;
		if (count + more > ROWS_MAX) {
			r = -EPROTO;
			break;
		}
		grown = realloc(rows, (count + more) * row_size);
		if (!grown) {
			r = -ENOMEM;
			break;
		}
		rows = grown;
		memcpy(rows + count * row_size, reply.data, more * row_size);
		count += more;
	}
	if (r < 0) {
		free(rows);
		return r;
	}
	*(void **)ret_rows = rows;
	*ret_count = count;
	return 0;
}

const char *admin_why_not(unsigned bus, int error, char *buffer, size_t size)
{
	switch (error) {
	case -EACCES:
		snprintf(buffer, size,
			"only root may ask it, through " ADMIN_DIRECTORY "/i2c-%u: try sudo", bus);
		break;
	case -ENODEV:
		snprintf(buffer, size,
			"nobody listens at " ADMIN_DIRECTORY
			"/i2c-%u: see systemctl status 'rgbroker-admin@%u.socket'",
			bus, bus);
		break;
	case -EPROTO:
		snprintf(buffer, size,
			"it is of another version than rgbrokerctl: systemctl restart "
			"'rgbroker@%u.service'",
			bus);
		break;
	case -ETIMEDOUT:
		snprintf(buffer, size,
			"it does not answer: rgbrokerctl status %u tells what it waits for", bus);
		break;
	default:
		snprintf(buffer, size, "%s", strerror(-error));
		break;
	}
	return buffer;
}

const char *broker_state(struct systemd *systemd, unsigned bus, char *buffer, size_t size)
{
	char unit[64];

	snprintf(unit, sizeof(unit), "rgbroker@%u.service", bus);
	systemd_unit_state(systemd, unit, buffer, size);
	if (strcmp(buffer, "dead") == 0)
		snprintf(buffer, size, "asleep");
	return buffer;
}

/* One that stops would be started again by who connects now; one that starts is waited for. */
bool broker_awake(const char *state)
{
	return strcmp(state, "running") == 0;
}

pid_t broker_pid(struct systemd *systemd, unsigned bus)
{
	char unit[64];

	snprintf(unit, sizeof(unit), "rgbroker@%u.service", bus);
	return systemd_main_pid(systemd, unit);
}
