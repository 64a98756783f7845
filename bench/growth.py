"""The parts of the page on growth: what was measured, and what is reckoned from it."""

from collections.abc import Callable, Mapping

from bench import results
from bench.tables import Column, Found, by_count, plot, table

PEOPLE = 1_400_000
"""Who works in Dutch care."""

QUARTER_SECONDS = 15 * 60
WAIT_SECONDS = 20
MOST_STREAMS = 10_000
WORKING_SECONDS = 200 * 8 * 3600
"""Those of a year."""


SERVER = Column("server CPU ms", "server_ms", 2)
DATABASE = Column("database CPU ms", "database_ms", 2)
MOST = Column("99 % ms", "most_ms")


def card_list(found: Found) -> str:
    """Return the part on the list of cards."""
    columns = (Column("first page, ms", "first_ms", 1), Column("a page from the middle, ms", "middle_ms", 1))
    bars = {
        f"{int(count):,} cards, {where}": one[key]
        for count, one in found.items()
        for key, where in (("first_ms", "first page"), ("middle_ms", "from the middle"))
    }
    told = by_count("cards of the organisation", columns, found)
    return told + plot("list", "milliseconds for a page", bars, 1)


def clients(found: Found) -> str:
    """Return the part on clients."""
    columns = (Column("token requests a second", "rate"), SERVER, DATABASE, MOST)
    bars = {f"{int(count):,} clients": one["server_ms"] for count, one in found.items()}
    told = by_count("clients that ask", columns, found)
    return told + plot("clients", "CPU ms of the server for a token request", bars, 2)


def crowd(found: Found) -> str:
    """Return the part on people who log in at the same moment."""
    columns = (Column("logins a second", "rate"), SERVER, DATABASE, Column("half ms", "half_ms"), MOST)
    bars = {f"{count} at once": one["server_ms"] for count, one in found.items()}
    return by_count("at once", columns, found) + plot("crowd", "CPU ms of the server for a login", bars, 2)


def nodes(found: Found) -> str:
    """Return the part on nodes."""
    columns = (Column("logins a second", "rate"), Column("nodes CPU ms", "server_ms", 2), DATABASE, MOST)
    bars = {f"nodes: {count}": one["rate"] for count, one in found.items()}
    return by_count("nodes on one database", columns, found) + plot("nodes", "logins a second", bars)


def revoked(found: Found) -> str:
    """Return the part on a CRL of ever more entries."""
    columns = (
        Column("seconds", "whole_s", 2),
        Column("size, MB", "size_mb", 2, is_alone=True),
        Column("memory at most, MB", "peak_mb"),
    )
    bars = {f"{int(count):,} entries": one["whole_s"] for count, one in found["steps"].items()}
    return by_count("entries", columns, found["steps"]) + plot("revoked", "seconds for a CRL", bars, 2)


def reckoned() -> str:
    """Return what the whole of Dutch care would cost; nothing while measures are missing."""
    kept = {name: results.kept(name) for name in ("login", "ocsp", "waiting", "cards")}
    login, ocsp, waiting, cards = (told["found"] if told else None for told in kept.values())
    if login is None or ocsp is None or waiting is None or cards is None:
        return ""
    rate = PEOPLE / QUARTER_SECONDS
    node, database = (login["zorgid"][key]["median"] / 1000 for key in ("server_ms", "database_ms"))
    proof, proved = (cards[f"login_{key}"]["median"] / 1000 for key in ("server_ms", "database_ms"))
    streams = rate * WAIT_SECONDS
    stream_kb = waiting["room"]["memory_kb"]["most"]
    answer_s = ocsp["kept"]["zorgid"]["cpu_us"]["median"] / 1e6
    card_s = (cards["server_ms"]["median"] + cards["database_ms"]["median"]) / 1000
    rows = [
        (
            f"{PEOPLE:,} people log in at one application each within a quarter of an hour",
            (
                f"{rate:,.0f} logins a second: {rate * node:.0f} cores for nodes,"
                f" {rate * database:.0f} for the database"
            ),
            "CPU of a whole login of somebody who has a session",
        ),
        (
            "the same, when each proves to be there with a card first",
            f"{rate * proof:.0f} cores for nodes, {rate * proved:.0f} for the database",
            "CPU of a login with a new card, one after the other",
        ),
        (
            f"the same people wait {WAIT_SECONDS} seconds each on the login page",
            (
                f"{streams:,.0f} open streams: {streams * stream_kb / 1e6:.1f} GB over all nodes,"
                f" {-(-streams // MOST_STREAMS):.0f} nodes by their limit of {MOST_STREAMS:,}"
            ),
            "memory of a waiting browser, at most",
        ),
        (
            "all their certificates are asked about once in that time",
            f"{rate * answer_s:.2f} cores, once each answer is signed",
            "CPU of an answer over a kept connection",
        ),
        (
            f"{PEOPLE:,} cards are made in a year of 200 days of 8 hours",
            f"{PEOPLE / WORKING_SECONDS * card_s:.3f} cores",
            "CPU of a card, platform and database",
        ),
    ]
    return table(("what", "reckoned", "from"), rows)


PARTS: Mapping[str, Callable[[Found], str]] = {
    "list": card_list,
    "clients": clients,
    "crowd": crowd,
    "nodes": nodes,
}
