"""How cost grows: a list with its cards, a token request with the clients, a login with the nodes."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg
from tests.register_builders import actor, known_person, registered_organisation

from bench import results
from bench.contestants import Contestant, applications, ours, registration
from bench.generator import Generator, job
from bench.house import ORIGIN, House, house
from bench.measures.logins import CONNECTIONS, WARMING_UP, load
from bench.processes import cpu_seconds
from bench.relying_party import Application
from bench.results import OURS, Round, Rounds, ratios, spreads
from bench.turns import in_turns
from zorgid.audit.model import SYSTEM
from zorgid.cards import actions as cards
from zorgid.cards.model import PageKey
from zorgid.clients.actions import register_client
from zorgid.kernel.ids import CardId, OrganisationId
from zorgid.people.model import MeansPolicy, Person
from zorgid.roles.actions import grant_role
from zorgid.roles.model import Role
from zorgid.storage.database import Work
from zorgid.storage.embedded import SUPERUSER

CARDS = (1_000, 100_000, 1_000_000)
PAGES = 40
CLIENTS = (10, 1_000, 10_000)
CROWDS = (1, 16, 64, 256)
TOKENS = 1_000
LOGINS = 400
"""Logins at each node in a round."""

FILL = """
    with numbered as (
        select number, gen_random_uuid() as id from generate_series(%(first)s::int, %(last)s::int) as number
    ), made as (
        insert into card (id, number, chip_serial, kind, holder_id, made_for, state, level, made_at,
            valid_until, changed_at)
        select id, lpad(number::text, 10, '0'), number::text, 'virtual-extended', gen_random_uuid(),
            %(organisation_id)s, 'active', 'high', now(), now() + interval '3 years', now()
        from numbered
    )
    insert into card_link (id, card_id, organisation_id, linked_at)
    select gen_random_uuid(), id, %(organisation_id)s, now() - number * interval '1 second' from numbered
"""


@dataclass(frozen=True)
class Step:
    """Something that is measured in turns: so many clients in use, or so many nodes."""

    name: str
    size: int


@dataclass(frozen=True)
class Organisation(Step):
    """An organisation with so many cards, and who manages it."""

    id: OrganisationId
    manager: Person
    middle: PageKey


def run_cards(runs: int) -> None:
    """Measure the first page of organisations' cards and one from the middle, and keep the findings."""
    with house("growing") as made:
        organisations, first = [], 1
        for ura, size in enumerate(CARDS, 90_000_400):
            organisations.append(_organisation(made, str(ura), first, size))
            first += size

        def ask(one: Organisation, _number: int) -> Round:
            return asyncio.run(_look(made, one))

        told = in_turns(organisations, runs, ask)
    results.keep("list", {count: spreads(rounds) for count, rounds in told.items()})
    for count, rounds in told.items():
        one = spreads(rounds)
        print(
            f"list of {int(count):,} cards: first page {one['first_ms'].text(1)} ms, from the middle"
            f" {one['middle_ms'].text(1)} ms"
        )


def _organisation(made: House, ura: str, first: int, size: int) -> Organisation:
    """Return an organisation with so many cards, numbered from `first`."""
    found: list[tuple[OrganisationId, Person]] = []

    async def settle(work: Work) -> None:
        organisation = await registered_organisation(work, ura=ura)
        manager = await known_person(work, ura=ura)
        await grant_role(
            work,
            person_id=manager.id,
            role=Role.manager,
            organisation_id=organisation.id,
            policy=MeansPolicy.one_kind,
            by=SYSTEM,
        )
        found.append((organisation.id, manager))

    made.in_work(settle)
    ((organisation_id, manager),) = found
    _fill(made, organisation_id, first, first + size - 1)
    return Organisation(str(size), size, organisation_id, manager, _key_of(made, organisation_id, size // 2))


def _fill(made: House, organisation_id: OrganisationId, first: int, last: int) -> None:
    """Write cards and their links straight into the tables."""
    with psycopg.connect(made.postgres.url(role=SUPERUSER), autocommit=True) as connection:
        connection.execute(
            "set session_replication_role = replica"
        )  # no look at the other table for each row
        connection.execute(FILL, {"first": first, "last": last, "organisation_id": organisation_id})
        connection.execute("vacuum analyze card")
        connection.execute("vacuum analyze card_link")


def _key_of(made: House, organisation_id: OrganisationId, position: int) -> PageKey:
    """Return the key of the card that stands there in the list."""
    ((linked_at, card_id),) = made.ask(
        "select linked_at, card_id from card_link where organisation_id = %s"
        " order by linked_at desc, card_id desc offset %s limit 1",
        organisation_id,
        position,
    )
    assert isinstance(linked_at, datetime)
    assert isinstance(card_id, UUID)
    return PageKey(linked_at, CardId(card_id))


async def _look(made: House, one: Organisation) -> Round:
    """Return the median milliseconds of a page, with the look at the right and the audit row."""
    told: dict[str, float] = {}
    async with made.database() as (database, _):
        for name, after in {"first_ms": None, "middle_ms": one.middle}.items():
            spent = []
            for _ in range(PAGES):
                begun = time.perf_counter()
                async with database.work(ORIGIN) as work:
                    page = await cards.cards_of_organisation(
                        work, organisation_id=one.id, by=actor(one.manager), after=after
                    )
                spent.append((time.perf_counter() - begun) * 1000)
                assert page.next is not None
            told[name] = statistics.median(spent)
    return told


def run_clients(runs: int) -> None:
    """Measure token requests of few and of many clients, of which all are registered; keep the findings."""
    few = applications()
    more = [Application.new(number) for number in range(len(few), CLIENTS[-1])]
    with house("growing") as made, ours(made, few) as one:

        async def register(work: Work) -> None:
            for each in more:
                await register_client(work, registration(each), by=SYSTEM)

        made.in_work(register)
        everybody = [*few, *more]

        def ask(step: Step, number: int) -> Round:
            order = job(
                one.place,
                everybody[: step.size],
                one.cookies,
                what="token",
                count=TOKENS if number else WARMING_UP,
                connections=CONNECTIONS,
            )
            with Generator(order) as generator:
                return load(one, generator, order["count"])[0]

        told = in_turns([Step(str(count), count) for count in CLIENTS], runs, ask)
    results.keep(
        "clients",
        {count: spreads(rounds) for count, rounds in told.items()},
        ratios({OURS: told[str(CLIENTS[-1])], f"{CLIENTS[0]} clients": told[str(CLIENTS[0])]}),
    )
    for count, rounds in told.items():
        shown = spreads(rounds)
        print(
            f"{int(count):,} clients: {shown['rate'].text()} token requests a second;"
            f" CPU {shown['server_ms'].text(2)} ms"
        )


def run_crowd(runs: int) -> None:
    """Measure whole logins of few and of many at once, and keep the findings."""
    clients = applications()
    with house("growing") as made, ours(made, clients) as one:

        def ask(step: Step, number: int) -> Round:
            count = LOGINS if number else WARMING_UP
            order = job(one.place, clients, one.cookies, what="login", count=count, connections=step.size)
            with Generator(order) as generator:
                return load(one, generator, count)[0]

        told = in_turns([Step(str(count), count) for count in CROWDS], runs, ask)
    compared: Rounds = {OURS: told[str(CROWDS[-1])], f"{CROWDS[0]} at once": told[str(CROWDS[0])]}
    results.keep("crowd", {count: spreads(rounds) for count, rounds in told.items()}, ratios(compared))
    for count, rounds in told.items():
        shown = spreads(rounds)
        print(
            f"{count} at once: {shown['rate'].text()} logins a second; CPU {shown['server_ms'].text(2)} ms"
            f" + {shown['database_ms'].text(2)} ms database"
        )


def run_nodes(runs: int) -> None:
    """Measure whole logins at one node, and at two nodes at once on one database; keep the findings."""
    clients = applications()
    with house("growing") as made, ours(made, clients) as first, second_node(made, first) as second:

        def ask(step: Step, number: int) -> Round:
            nodes = [first, second][: step.size]
            return _at_once(made, nodes, clients, LOGINS if number else WARMING_UP)

        told = in_turns([Step("1", 1), Step("2", 2)], runs, ask)
    compared: Rounds = {OURS: told["2"], "one node": told["1"]}
    results.keep("nodes", {count: spreads(rounds) for count, rounds in told.items()}, ratios(compared))
    for count, rounds in told.items():
        shown = spreads(rounds)
        print(
            f"{count} nodes: {shown['rate'].text()} logins a second; CPU {shown['server_ms'].text(2)} ms"
            f" + {shown['database_ms'].text(2)} ms database"
        )


@contextlib.contextmanager
def second_node(made: House, first: Contestant) -> Iterator[Contestant]:
    """Run another node beside the first, on the same database."""
    with made.running("beside") as server:

        def cpu() -> tuple[float, float]:
            return server.cpu_seconds(), cpu_seconds(made.postgres_id)

        place = replace(first.place, port=server.port)
        yield replace(first, place=place, cpu=cpu, process_id=server.process_id)


def _at_once(made: House, nodes: list[Contestant], clients: list[Application], count: int) -> Round:
    """Let people log in at all nodes at once; return what that took for each login."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(nodes)) as threads:
        generators = [
            stack.enter_context(
                Generator(
                    job(one.place, clients, one.cookies, what="login", count=count, connections=CONNECTIONS)
                )
            )
            for one in nodes
        ]
        before = [one.cpu()[0] for one in nodes], cpu_seconds(made.postgres_id)
        seen = list(threads.map(Generator.run, generators))
        servers = sum(one.cpu()[0] - start for one, start in zip(nodes, before[0], strict=True))
        database = cpu_seconds(made.postgres_id) - before[1]
    tokens = {token for one in seen for token in one["access_tokens"]}
    assert len(tokens) == count * len(nodes)
    return {
        "rate": len(tokens) / max(one["seconds"] for one in seen),
        "server_ms": servers / len(tokens) * 1000,
        "database_ms": database / len(tokens) * 1000,
        "most_ms": max(one["most_ms"] for one in seen),
    }
