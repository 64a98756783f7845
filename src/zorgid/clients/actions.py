"""What is done with clients: register, change, and look up in a copy in memory, which makes that cheap."""

from typing import Final

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, Event, Subject
from zorgid.clients import rules, store
from zorgid.clients.errors import ClientIdTaken, ClientUnknown
from zorgid.clients.model import Client, ClientId, RedirectPolicy
from zorgid.storage.database import Work

CHANNEL: Final = "clients"
"""Tells the nodes which client changed, by its id."""


async def register_client(
    work: Work, new: Client, *, by: Actor, redirects: RedirectPolicy = RedirectPolicy.https_only
) -> Client:
    """Register a client and return it.

    Raises:
        ClientUnfit, ClientKeysUnfit, RedirectUriUnfit: what cannot be registered.
        ClientIdTaken: the id is registered.
    """
    rules.require_fit_client(new, redirects=redirects)
    if not await store.add(work, new):
        raise ClientIdTaken(client_id=new.id)
    await _tell(work, Event.client_registered, new, by)
    return new


async def change_client(
    work: Work, changed: Client, *, by: Actor, redirects: RedirectPolicy = RedirectPolicy.https_only
) -> Client:
    """Replace the registration of a client, on every node at once, and return it.

    Raises:
        ClientUnfit, ClientKeysUnfit, RedirectUriUnfit: what cannot be registered.
        ClientUnknown: the id is not registered.
    """
    rules.require_fit_client(changed, redirects=redirects)
    if not await store.change(work, changed):
        raise ClientUnknown
    await _tell(work, Event.client_changed, changed, by)
    return changed


async def put_client(
    work: Work, wanted: Client, *, by: Actor, redirects: RedirectPolicy = RedirectPolicy.https_only
) -> Client:
    """Register a client, or replace its registration when the id is known, and return it.

    Raises `ClientUnfit` and its like, as `register_client`.
    """
    act = register_client if await store.one(work, wanted.id) is None else change_client
    return await act(work, wanted, by=by, redirects=redirects)


async def client(work: Work, client_id: ClientId) -> Client:
    """Return the client, from the database. Raises `ClientUnknown`."""
    found = await store.one(work, client_id)
    if found is None:
        raise ClientUnknown
    return found


async def clients(work: Work) -> tuple[Client, ...]:
    """Return all clients by name."""
    return tuple(await store.every(work))


class ClientCache:
    """The clients that this node met, with their parsed keys, for as long as it hears of changes.

    Wire `forget` to the channel `clients`, `start` and `stop` to the listener's coming and going. Without a
    listener every look-up goes to the database.
    """

    def __init__(self) -> None:
        self._kept: dict[ClientId, Client] = {}
        self._is_listening = False
        self._changes_heard = 0

    def kept(self, client_id: ClientId) -> Client | None:
        """Return the client if it is in memory."""
        return self._kept.get(client_id)

    async def client(self, work: Work, client_id: ClientId) -> Client:
        """Return the client. Raises `ClientUnknown`, which is never remembered."""
        kept = self._kept.get(client_id)
        if kept is not None:
            return kept
        heard_before = self._changes_heard
        found = await client(work, client_id)
        # What was read may be older than a change heard of meanwhile.
        if self._is_listening and heard_before == self._changes_heard:
            self._kept[client_id] = found
        return found

    def forget(self, client_id: str) -> None:
        """Drop what changed; the next look-up reads it anew."""
        self._changes_heard += 1
        self._kept.pop(ClientId(client_id), None)

    def start(self) -> None:
        """Begin to keep clients: changes are heard from now on."""
        self._drop_all()
        self._is_listening = True

    def stop(self) -> None:
        """Keep nothing: changes are not heard any more."""
        self._is_listening = False
        self._drop_all()

    def _drop_all(self) -> None:
        self._changes_heard += 1
        self._kept.clear()


async def _tell(work: Work, event: Event, told: Client, by: Actor) -> None:
    facts = {
        "profile": told.profile,
        "redirect_uris": list(told.redirect_uris),
        "keys": sorted(key["kid"] for key in told.jwks["keys"]),
    }
    await record(work, event=event, by=by, on=Subject("client", told.id), facts=facts)
    await work.notify(CHANNEL, told.id)
