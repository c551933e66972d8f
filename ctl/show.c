/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* show: the addresses of a bus as i2cdetect draws them, with what is allowed where. */
#include "ctl/admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct view {
	struct adapter adapter;
	struct policy policy;
	const struct door *door;
	struct facts facts;
	char broker[32]; /* its state */
	struct chips chips;
};

/* What the rules make of one address; the numbers grow with what is possible. */
enum possible { NO, QUICK_ONLY, ONCE_RECOGNISED, YES };

struct cell {
	enum possible read, write;
};

static void judge_rule(
	const struct view *view, const struct rule *rule, uint8_t address, struct cell *cell)
{
	static const enum possible by_verdict[] = {[VERDICT_ALLOWED] = YES,
		[VERDICT_REFUSED] = NO,
		[VERDICT_NEEDS_FACT] = ONCE_RECOGNISED};
	bool quick = rule->kind == RGBROKER_QUICK;
	struct example example;
	struct judgement judgement;
	enum possible now, *side;

	example_of_rule(rule, address, &example);
	judgement = policy_judge(&view->policy, &(struct caller){.door = view->door}, &view->facts,
		&example.operation, example.data);
	now = by_verdict[judgement.verdict];
	if (quick && now == YES)
		now = QUICK_ONLY;
	/* A quick "read" is a bit sent to the chip. */
	side = rule->read && !quick ? &cell->read : &cell->write;
	if (now > *side)
		*side = now;
}

static struct cell look(const struct view *view, uint8_t address)
{
	struct cell cell = {NO, NO};

	for (size_t i = 0; i < view->policy.n_devices; i++) {
		const struct device *device = view->policy.devices[i];

		if (!bitmap_has(device->addresses, address))
			continue;
		for (size_t k = 0; k < device->n_rules; k++)
			judge_rule(view, &device->rules[k], address, &cell);
	}
	return cell;
}

static void cell_text(const struct view *view, uint8_t address, char text[3])
{
	struct cell cell = look(view, address);

	text[0] = "--rr"[cell.read];
	text[1] = "-q?w"[cell.write];
	if (cell.read == ONCE_RECOGNISED && cell.write == NO)
		text[1] = '?';
	text[2] = '\0';
	if (view->facts.owner[address] == OWNER_KERNEL)
		strcpy(text, "UU");
}

static void print_map(const struct view *view)
{
	char text[3];

	printf("     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f\n");
	for (unsigned address = 0; address < ADDRESSES; address++) {
		cell_text(view, (uint8_t)address, text);
		if (address % 16 == 0)
			printf("%02x:", address);
		printf(" %s%s", text, address % 16 == 15 ? "\n" : "");
	}
	printf("\n--  refused     r-  may be read     rw  read and written\n"
	       "UU  a kernel driver has it      r?  written once the chip is recognised\n"
	       "                                rq  not written, but asked for by a quick "
	       "command\n");
}

static void print_devices(const struct view *view)
{
	char text[512], driver[64];

	for (size_t i = 0; i < view->policy.n_devices; i++) {
		const struct device *device = view->policy.devices[i];

		printf("\n%s: %s\n  at %s, from %s\n", device->name, device->description,
			addresses_text(device, text, sizeof(text)), device->file);
		if (!view->door || !(view->door->devices & (UINT64_C(1) << i)))
			printf("  (not through this door)\n");
		for (size_t k = 0; k < device->n_rules; k++)
			printf("  %-11s %s\n",
				device->rules[k].after_recognition ? "recognised:" : "always:",
				device->rules[k].text);
	}
	for (unsigned address = 0, first = 1; address < ADDRESSES; address++) {
		if (!find_driver(&view->adapter, address, driver, sizeof(driver)))
			continue;
		printf("%s  0x%02x %s\n", first ? "\nKernel drivers:\n" : "", address, driver);
		first = 0;
	}
}

static void print_chips(const struct view *view)
{
	char why[160];

	if (view->chips.error == -EAGAIN)
		printf("\nBroker: %s%s\n", view->broker,
			strcmp(view->broker, "asleep") == 0
				? ", recognises no chip, and nobody holds one"
				: "");
	else if (view->chips.error)
		printf("\nRecognised chips are not told: %s\n",
			admin_why_not(view->adapter.number, view->chips.error, why, sizeof(why)));
	else
		printf("\nRecognised chips:%s\n", view->chips.count ? "" : " none yet");
	chips_print(&view->chips, "  ");
}

static json_object *address_json(const struct view *view, uint8_t address)
{
	static const char *const names[] = {"no", "quick", "once recognised", "yes"};
	const struct floor_row *row = floor_find(view->adapter.class, address);
	struct cell cell = look(view, address);
	json_object *object = json_object_new_object();
	char text[8], driver[64];

	snprintf(text, sizeof(text), "0x%02x", address);
	json_object_object_add(object, "address", json_object_new_string(text));
	json_object_object_add(object, "read", json_object_new_string(names[cell.read]));
	json_object_object_add(object, "write", json_object_new_string(names[cell.write]));
	if (row)
		json_object_object_add(object, "floor", json_object_new_string(row->why));
	if (find_driver(&view->adapter, address, driver, sizeof(driver)))
		json_object_object_add(object, "driver", json_object_new_string(driver));
	return object;
}

static json_object *device_json(const struct device *device)
{
	json_object *object = json_object_new_object(), *rules = json_object_new_array();
	char text[512];

	json_object_object_add(object, "name", json_object_new_string(device->name));
	json_object_object_add(object, "description", json_object_new_string(device->description));
	json_object_object_add(object, "file", json_object_new_string(device->file));
	json_object_object_add(object, "addresses",
		json_object_new_string(addresses_text(device, text, sizeof(text))));
	for (size_t k = 0; k < device->n_rules; k++) {
		json_object *rule = json_object_new_object();

		json_object_object_add(rule, "rule", json_object_new_string(device->rules[k].text));
		json_object_object_add(rule, "line", json_object_new_int(device->rules[k].line));
		json_object_object_add(rule, "after_recognition",
			json_object_new_boolean(device->rules[k].after_recognition));
		json_object_array_add(rules, rule);
	}
	json_object_object_add(object, "rules", rules);
	return object;
}

static int show_json(const struct view *view)
{
	json_object *object = json_object_new_object();
	json_object *addresses = json_object_new_array(), *devices = json_object_new_array();

	for (unsigned address = 0; address < ADDRESSES; address++)
		json_object_array_add(addresses, address_json(view, (uint8_t)address));
	for (size_t i = 0; i < view->policy.n_devices; i++)
		json_object_array_add(devices, device_json(view->policy.devices[i]));
	json_object_object_add(object, "bus", json_object_new_int((int)view->adapter.number));
	json_object_object_add(object, "name", json_object_new_string(view->adapter.name));
	json_object_object_add(
		object, "class", json_object_new_string(bus_class_name(view->adapter.class)));
	add_text(object, "broker", view->broker);
	json_object_object_add(object, "chips", chips_json(&view->chips));
	json_object_object_add(object, "addresses", addresses);
	json_object_object_add(object, "devices", devices);
	return print_json(object);
}

static void show_text(const struct options *options, const struct view *view)
{
	printf("i2c-%u: %s, class %s, door %s%s\n", view->adapter.number, view->adapter.name,
		bus_class_name(view->adapter.class), options->door,
		view->door ? "" : " (which has no file: it gives no rights)");
	if (!view->adapter.class)
		printf("not brokered: %s\n", view->adapter.why);
	printf("\n");
	print_map(view);
	if (view->adapter.class)
		print_chips(view);
	print_devices(view);
}

/* A bus of no class has no broker. */
static void find_chips(const struct options *options, struct view *view)
{
	struct systemd *systemd = systemd_open();
	unsigned bus = view->adapter.number;

	view->chips.error = -EAGAIN;
	broker_state(systemd, bus, view->broker, sizeof(view->broker));
	if (view->adapter.class)
		view->chips = chips_find(bus, view->broker, options->wake);
	if (options->wake)
		broker_state(systemd, bus, view->broker, sizeof(view->broker));
	systemd_close(systemd);
}

int verb_show(const struct options *options, int argc, char **argv)
{
	struct view view = {0};
	int code = argc == 1 ? find_bus(argv[0], &view.adapter) : CTL_USAGE;

	if (code == CTL_OK)
		code = load_policy(options, &view.adapter, &view.policy);
	if (code != CTL_OK)
		return code;
	view.door = policy_find_door(&view.policy, options->door);
	find_owners(&view.adapter, &view.facts);
	find_chips(options, &view);
	if (options->json)
		code = show_json(&view);
	else
		show_text(options, &view);
	chips_free(&view.chips);
	policy_free(&view.policy);
	return code;
}
