/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As little as a program of somebody else's needs, built against what the development package
 * holds: which buses there are, and their names; and what is said of one that there is not. See
 * program-builds.
 */
#include <rgbroker.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	struct rgbroker *bus;
	char name[48];
	int buses[16], count, i, error;

	count = rgbroker_list(buses, 16);
	printf("buses: %d\n", count);
	for (i = 0; i < count && i < 16; i++) {
		error = rgbroker_open(&bus, buses[i]);
		if (error == 0 && rgbroker_name(bus, name, sizeof(name)) == 0)
			printf("i2c-%d: %s\n", buses[i], name);
		if (error == 0)
			rgbroker_close(bus);
	}
	error = rgbroker_open(&bus, 9999);
	printf("i2c-9999: %s: %s\n", strerror(-error),
		rgbroker_reason_text(rgbroker_last_reason()));
	return 0;
}
