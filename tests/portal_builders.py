"""Lets a test act as a browser of somebody who is logged in at the identity server."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from uuid import uuid4

import httpx

from tests.register_builders import (
    active_card,
    known_person,
    names,
    person_with_role,
    registered_organisation,
)
from zorgid.app import Running
from zorgid.cards.model import Card
from zorgid.kernel.ids import TransactionId
from zorgid.login.model import Completed, Means, MeansUsed, ProvedCard, Purpose
from zorgid.login.sessions import begin_session
from zorgid.organisations.model import Organisation
from zorgid.people.model import Person
from zorgid.roles.model import Role
from zorgid.storage.database import Origin

ORIGIN = Origin("test", "192.0.2.1", "test-node")


@dataclass(frozen=True)
class World:
    """One organisation, its administrator, an employee with a Smartcard, and somebody from elsewhere."""

    organisation: Organisation
    administrator: Person
    holder: Person
    card: Card
    stranger: Person


async def small_world(running: Running) -> World:
    """Put a small world into the database of a platform."""
    async with running.services.database.work(ORIGIN) as work:
        organisation = await registered_organisation(work)
        administrator = await person_with_role(work, Role.administrator, organisation.id)
        holder = await known_person(work, called=names("Joëlle Öztürk-de Bruin", "Öztürk-de Bruin", "Joëlle"))
        card = await active_card(work, holder, organisation)
        elsewhere = await registered_organisation(work, ura="90000383", name="Apotheek Het Anker")
        stranger = await person_with_role(work, Role.administrator, elsewhere.id)
    return World(organisation, administrator, holder, card, stranger)


def browser_at(running: Running, **options: Any) -> httpx.AsyncClient:
    """Return a browser without a session."""
    transport = httpx.ASGITransport(running.main, client=("192.0.2.7", 40000))
    return httpx.AsyncClient(transport=transport, base_url=running.settings.origin, **options)


async def identity_cookie(running: Running, person: Person) -> str:
    """Return the cookie of a fresh session at the identity server, begun with a UZI card."""
    means = Means(
        kind=MeansUsed.uzi_card,
        reference="00" * 32,
        uzi_number="900016528",
        ura="90000382",
        full_name=person.names.full_name,
        level="http://eidas.europa.eu/LoA/high",
    )
    proved = ProvedCard(means, b"certificate", None, "N", "00.000", "", "", "De Linde")
    completed = Completed(TransactionId(uuid4()), Purpose.login, person.id, proved, None, "/")
    async with running.services.database.work(ORIGIN) as work:
        _, cookie = await begin_session(work, completed, former=None)
    return cookie.text_for_wire()


async def logged_in(running: Running, person: Person, **options: Any) -> httpx.AsyncClient:
    """Return a browser in which `person` went through the portal's login."""
    client = browser_at(running, **options)
    client.cookies.set("zid-session", await identity_cookie(running, person))
    answer = await finish_login(client, await client.get("/portal/login"))
    assert answer.status_code == 303, answer.text
    return client


async def finish_login(client: httpx.AsyncClient, sent_away: httpx.Response) -> httpx.Response:
    """Go through the identity server and post its answer to the portal, as a browser without script does."""
    asked = await client.get(sent_away.headers["location"])
    while asked.is_redirect:
        asked = await client.get(asked.headers["location"])
    return await client.post("/portal/signin-oidc", data=fields_of(asked.text))


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the last form on a page."""
    form = page[page.rindex("<form") :]
    hidden = [tag for tag in re.findall(r"<input[^>]*>", form) if 'type="hidden"' in tag]
    return {attribute(tag, "name"): attribute(tag, "value") for tag in hidden}


def attribute(tag: str, name: str) -> str:
    """Return the value of an attribute of a tag."""
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    assert found, tag
    return unescape(found[1])
