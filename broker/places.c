/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Places for connections. Nobody is turned away: where there is none left, the connection goes that
 * was not used for longest, of who has the most. Its peer is told as by a broker that stops, and
 * connects again when it has something to ask.
 */
#include "broker/broker.h"

#include <stdlib.h>

struct account *account_join(struct account *account)
{
	account->clients++;
	return account;
}

struct account *account_enter(struct broker *broker, uid_t uid, bool shared)
{
	struct account *account = broker->accounts;

	while (shared && account && !(account->shared && account->uid == uid))
		account = account->next;
	if (shared && account)
		return account_join(account);
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	*account = (struct account){.uid = uid,
		.shared = shared,
		.cost = TURN_COST,
		.next = broker->accounts,
		.link = &broker->accounts};
	if (account->next)
		account->next->link = &account->next;
	broker->accounts = account;
	turn_enter(broker, account);
	return account_join(account);
}

void account_leave(struct broker *broker, struct account *account)
{
	if (--account->clients > 0)
		return;
	turn_leave(broker, account);
	*account->link = account->next;
	if (account->next)
		account->next->link = account->link;
	free(account);
}

static unsigned clients_of_user(const struct broker *broker, uid_t uid)
{
	unsigned clients = 0;

	for (const struct account *account = broker->accounts; account; account = account->next)
		if (account->uid == uid)
			clients += account->clients;
	return clients;
}

/* Of the user with the most, the account with the most. */
static const struct account *largest(const struct broker *broker)
{
	const struct account *found = NULL;
	unsigned most = 0;

	for (const struct account *account = broker->accounts; account; account = account->next) {
		unsigned clients = clients_of_user(broker, account->uid);

		if (clients < most || (clients == most && account->clients <= found->clients))
			continue;
		most = clients;
		found = account;
	}
	return found;
}

/* account: NULL: of all. Who watches does not ask, and would be the first to go. */
static struct client *longest_unused(struct broker *broker, const struct account *account,
	const struct client *newcomer, bool administrators)
{
	struct client *found = NULL;

	for (struct client *client = broker->clients; client; client = client->next) {
		const struct door *door = client->listener->door;

		if (account && client->process->account != account)
			continue;
		if (client == newcomer || client->monitors ||
			(door && door->inspect && !administrators))
			continue;
		if (!found || client->used <= found->used)
			found = client; /* of those that never asked, the oldest */
	}
	return found;
}

static struct client *who_goes(struct broker *broker, struct client *newcomer)
{
	struct client *found;
	struct account *account = newcomer->process->account;

	if (account->clients > CLIENTS_OF_ONE_MAX) {
		if (!account->told)
			log_peer(newcomer, LOG_NOTICE,
				"it has %u connections, as many as may be: from here on the one "
				"that it has not used for longest is closed for each new one",
				CLIENTS_OF_ONE_MAX);
		account->told = true;
		return longest_unused(broker, account, newcomer, true);
	}
	if (broker->status.clients <= CLIENTS_MAX)
		return NULL;
	found = longest_unused(broker, largest(broker), newcomer, false);
	if (!found)
		found = longest_unused(broker, NULL, newcomer, false);
	return found ? found : newcomer;
}

void place_taken(struct broker *broker)
{
	struct client *goes = who_goes(broker, broker->clients);

	if (!goes)
		return;
	broker->status.evicted++;
	client_drain(goes);
}
