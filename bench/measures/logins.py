"""Token requests, and whole logins of people who have a session, beside oidc-provider."""

import contextlib
from collections.abc import Iterator
from typing import Any

from bench import results
from bench.contestants import Contestant, applications, ours, provider, versions
from bench.generator import REPLAYS, Generator, job
from bench.house import House, house
from bench.relying_party import Application, claims_of
from bench.results import OURS, Round, ratios, spreads
from bench.turns import in_turns

CONNECTIONS = 64
"""As many as a proxy in front keeps busy with one process at the peak of a morning."""

WARMING_UP = 300
COUNTS = {"token": 2000, "login": 1000}
"""Requests, or logins, a run: few enough that all codes are redeemed within their minute."""


def run_token(runs: int) -> None:
    """Measure token requests with private_key_jwt and PKCE, and keep the findings."""
    measure("token", runs)


def run_login(runs: int) -> None:
    """Measure whole logins, from the authorisation request to userinfo, and keep the findings."""
    measure("login", runs)


def measure(what: str, runs: int) -> None:
    """Let each contestant do the same, in turns, and keep the findings."""
    clients = applications()
    attacks: dict[str, list[dict[str, Any]]] = {}
    with house(what) as made, contestants(made, clients) as all_of_them:

        def ask(one: Contestant, number: int) -> Round:
            # a peer lets all of a person's later logins wait for consent after one replayed code
            may_attack = what == "token" and (one.name == OURS or number == runs)
            count = COUNTS[what] if number else WARMING_UP
            seen, attacked = once(made, one, clients, what=what, count=count, may_attack=may_attack)
            attacks.setdefault(one.name, []).append(attacked)
            return seen

        told = in_turns(all_of_them, runs, ask)
    compared = ratios(told)
    found = {
        name: spreads(rounds) | ({"ratio": compared[name]} if name in compared else {})
        for name, rounds in told.items()
    }
    results.keep(what, {"versions": versions(), "attacks": attacks, **found}, compared)
    for name, one in found.items():
        print(
            f"{what}, {name}: {one['rate'].text()} a second; CPU {one['server_ms'].text(2)} ms server"
            f" + {one['database_ms'].text(2)} ms database"
        )


@contextlib.contextmanager
def contestants(made: House, clients: list[Application]) -> Iterator[list[Contestant]]:
    """Run all of them at once; only one is asked at a time."""
    with (
        ours(made, clients) as platform,
        provider(made, clients, keeps="postgres") as durable,
        provider(made, clients, keeps="memory") as forgetful,
    ):
        yield [platform, durable, forgetful]


def once(
    made: House, one: Contestant, clients: list[Application], *, what: str, count: int, may_attack: bool
) -> tuple[Round, dict[str, Any]]:
    """Let one contestant do its work once; check it; return what it took and how it withstood attacks."""
    order = job(one.place, clients, one.cookies, what=what, count=count, connections=CONNECTIONS)
    with Generator(order) as generator:
        seen, tokens = load(one, generator, count)
        attacked = generator.attack() if may_attack else {}
        if one.name == OURS:
            check_audit(made, tokens)
            check_attacks(attacked)
    return seen, attacked


def load(one: Contestant, generator: Generator, count: int) -> tuple[Round, list[str]]:
    """Let a generator do its work; return what it took, and the access tokens, no two the same."""
    before = one.cpu()
    seen = generator.run()
    server, database = (after - start for after, start in zip(one.cpu(), before, strict=True))
    assert seen["answers"] == seen["distinct_tokens"] == count
    return {
        "rate": count / seen["seconds"],
        "server_ms": server / count * 1000,
        "database_ms": database / count * 1000,
        "half_ms": seen["half_ms"],
        "most_ms": seen["most_ms"],
        "generator_ms": seen["generator_cpu_s"] / count * 1000,
    }, seen["access_tokens"]


def check_audit(made: House, access_tokens: list[str]) -> None:
    """Every token that came over the wire stands once in the table and in the audit log; no code gave two."""
    ids = [claims_of(token)["jti"] for token in access_tokens]
    ((tokens, entries),) = made.ask(
        """
        select (select count(*) from oidc_token where jti = any(%s)),
               (select count(*) from audit_entry where event = 'tokens-issued' and facts ->> 'jti' = any(%s))
        """,
        ids,
        ids,
    )
    assert tokens == entries == len(ids), (tokens, entries, len(ids))
    ((twice,),) = made.ask(
        "select count(*) from (select from oidc_token group by grant_id having count(*) > 1) as doubled"
    )
    assert twice == 0


def check_attacks(attacked: dict[str, Any]) -> None:
    """Nothing that was used counts again, and of two at once exactly one wins."""
    if not attacked:
        return
    assert set(attacked["codes_again"]) == {"401"}, attacked  # its assertion was seen before, the code too
    assert set(attacked["assertions_again"]) == {"401"}, attacked
    assert attacked["two_with_one_code"].keys() == {"1"}, attacked
    assert attacked["two_with_one_assertion"].keys() == {"1"}, attacked
    assert sum(attacked["codes_again"].values()) == REPLAYS
