/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rgbrokerctl, which root runs, against a broker that was taken over: it ends, keeps within its
 * memory, and puts nothing on root's terminal but printable text.
 */
#include "client-lib/link.h"
#include "ctl/admin.h"
#include "ctl/event.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/must.h"

#define RECEIVES_MAX 200000

static struct input input;

/* --- the broker --- */

static struct {
	struct rgbroker_request request;
	int64_t now;
	unsigned n_receives;
	bool endless; /* once the input has ended it answers as before */
} broker;

int64_t __wrap_link_now(void);
int __wrap_link_connect(const char *path, int64_t deadline);
int __wrap_link_send(int descriptor, const void *message, size_t size, int64_t deadline);
ssize_t __wrap_link_receive(
	int descriptor, void *ret_message, size_t size, int patience, int64_t deadline);

int64_t __wrap_link_now(void)
{
	return broker.now;
}

int __wrap_link_connect(const char *path, int64_t deadline)
{
	uint8_t how = input_byte(&input);

	if (how >= 0xf0)
		return how & 1 ? -ENODEV : -EACCES;
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

int __wrap_link_send(int descriptor, const void *message, size_t size, int64_t deadline)
{
	must(size == sizeof(broker.request), "no request");
	memcpy(&broker.request, message, size);
	must(broker.request.version == RGBROKER_PROTOCOL_VERSION, "its version");
	return 0;
}

/* Mostly in form: what is in it is what matters. */
ssize_t __wrap_link_receive(
	int descriptor, void *ret_message, size_t size, int patience, int64_t deadline)
{
	struct connection_reply reply;
	uint8_t how = input_byte(&input);
	size_t sizes[] = {0, 48, 56, 96, 2112 / 48 * 48, 72, 2112, 144};
	size_t length = sizes[how % 8];

	must(++broker.n_receives < RECEIVES_MAX, "it never ends");
	if (how >= 0xf8)
		return how & 1 ? -EIO : -ECONNRESET;
	if (input_ended(&input) && !broker.endless)
		return -ETIMEDOUT;
	if (input_ended(&input))
		length = sizes[4];
	memset(&reply, 0, sizeof(reply));
	reply.header = (struct rgbroker_reply){.version = RGBROKER_PROTOCOL_VERSION,
		.serial = broker.request.serial,
		.length = (uint16_t)length};
	if ((how & 0x78) == 0x40) { /* a refusal */
		reply.header.reason = input_byte(&input);
		reply.header.result = -(int32_t)input_byte(&input);
	}
	if ((how & 0x78) == 0x48)
		input_bytes(&input, &reply.header, sizeof(reply.header));
	input_bytes(&input, reply.data, length < 200 ? length : 200);
	length += sizeof(reply.header);
	memcpy(ret_message, &reply, length < size ? length : size);
	return (ssize_t)length;
}

/* --- what it asks of the machine --- */

int adapter_list(struct adapter *ret_adapters, size_t size)
{
	ret_adapters[0] = (struct adapter){.number = 7, .class = BUS_SMBUS};
	return 1;
}

int find_bus(const char *text, struct adapter *ret_adapter)
{
	adapter_list(ret_adapter, 1);
	return CTL_OK;
}

bool parse_one(const char *text, unsigned max, uint16_t *ret_value)
{
	*ret_value = 0x70;
	return true;
}

int adapter_find(unsigned number, struct adapter *ret_adapter)
{
	*ret_adapter = (struct adapter){.number = number, .class = BUS_SMBUS};
	return 0;
}

struct systemd *systemd_open(void)
{
	return NULL;
}

void systemd_close(struct systemd *systemd)
{
}

const char *systemd_unit_state(struct systemd *systemd, const char *unit, char *buffer, size_t size)
{
	snprintf(buffer, size, "running");
	return buffer;
}

pid_t systemd_main_pid(struct systemd *systemd, const char *unit)
{
	return 1234;
}

/* The page is the broker's to write. */
int live_read(pid_t pid, struct rgbroker_live *ret_live)
{
	if (input_byte(&input) & 1)
		return -ENOENT;
	input_bytes(&input, ret_live, sizeof(*ret_live));
	return 0;
}

double live_seconds(const struct rgbroker_live *live)
{
	return live->since ? 1.0 : 0;
}

const char *__wrap_process_text(pid_t pid, char *buffer, size_t size);
const char *__wrap_process_text(pid_t pid, char *buffer, size_t size)
{
	snprintf(buffer, size, "pid %d", pid);
	return buffer;
}

void __wrap_add_process(json_object *object, pid_t pid, uid_t uid);
void __wrap_add_process(json_object *object, pid_t pid, uid_t uid)
{
	json_object_object_add(object, "pid", json_object_new_int(pid));
}

/* --- what it says --- */

static void watch_events(bool json)
{
	const struct event_filter filter = {.address = -1, .own = true};

	for (unsigned i = 0; i < 8 && !input_ended(&input); i++) {
		struct rgbroker_event event;

		input_bytes(&input, &event, sizeof(event));
		event_wanted(&filter, &event);
		if (json)
			event_print_json(7, &event);
		else
			event_print(7, &event);
	}
}

static void look_at_chips(bool json)
{
	struct chips chips = chips_find(7, "running", false);

	if (json)
		print_json(chips_json(&chips));
	else if (!chips.error)
		chips_print(&chips, "");
	chips_free(&chips);
}

static void run(uint8_t what)
{
	const struct options options = {.json = what & 1};
	char *words[] = {(char *)(uintptr_t) "7", (char *)(uintptr_t) "0x70", NULL};

	switch (what / 2 % 4) {
	case 0:
		watch_events(options.json);
		break;
	case 1:
		look_at_chips(options.json);
		break;
	case 2:
		verb_status(&options, 0, words);
		break;
	case 3:
		verb_release(&options, 2, words);
		break;
	}
}

static void check_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'), "byte %#x at %zu",
			(uint8_t)text[i], i);
}

static void check_json(const char *text)
{
	json_object *object = json_tokener_parse(text);

	must(object, "no JSON: %s", text);
	json_object_put(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *terminal = stdout;
	char *text = NULL;
	size_t length = 0;
	uint8_t what;

	input = (struct input){data, data + size};
	memset(&broker, 0, sizeof(broker));
	what = input_byte(&input);
	broker.endless = (what & 0xf8) == 0x80;
	stdout = open_memstream(&text, &length);
	must(stdout, "out of memory");
	run(what);
	fclose(stdout);
	stdout = terminal;
	check_text(text, length);
	if (what & 1 && *text == '[')
		check_json(text);
	free(text);
	return 0;
}
