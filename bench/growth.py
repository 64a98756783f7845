"""The parts of the page on growth: what was measured, and what is reckoned from it."""

from collections.abc import Callable, Mapping

from bench import results
from bench.tables import Found, plot, spread, table

PEOPLE = 1_400_000
"""Who works in Dutch care."""

QUARTER_SECONDS = 15 * 60
WAIT_SECONDS = 20
MOST_STREAMS = 10_000
WORKING_SECONDS = 200 * 8 * 3600
"""Those of a year."""


def card_list(found: Found) -> str:
    """Return the part on the list of cards."""
    rows = [
        (f"{int(count):,}", spread(one["first_ms"], 1), spread(one["middle_ms"], 1))
        for count, one in found.items()
    ]
    bars = {
        f"{int(count):,} cards, {where}": one[key]
        for count, one in found.items()
        for key, where in (("first_ms", "first page"), ("middle_ms", "from the middle"))
    }
    head = ("cards of the organisation", "first page, ms", "a page from the middle, ms")
    return table(head, rows) + plot("list", "milliseconds for a page", bars, 1)


def clients(found: Found) -> str:
    """Return the part on clients."""
    rows = [
        (
            f"{int(count):,}",
            spread(one["rate"]),
            spread(one["server_ms"], 2),
            spread(one["database_ms"], 2),
            spread(one["most_ms"]),
        )
        for count, one in found.items()
    ]
    head = ("clients that ask", "token requests a second", "server CPU ms", "database CPU ms", "99 % ms")
    bars = {f"{int(count):,} clients": one["server_ms"] for count, one in found.items()}
    return table(head, rows) + plot("clients", "CPU ms of the server for a token request", bars, 2)


def crowd(found: Found) -> str:
    """Return the part on people who log in at the same moment."""
    rows = [
        (
            count,
            spread(one["rate"]),
            spread(one["server_ms"], 2),
            spread(one["database_ms"], 2),
            spread(one["half_ms"]),
            spread(one["most_ms"]),
        )
        for count, one in found.items()
    ]
    head = ("at once", "logins a second", "server CPU ms", "database CPU ms", "half ms", "99 % ms")
    bars = {f"{count} at once": one["server_ms"] for count, one in found.items()}
    return table(head, rows) + plot("crowd", "CPU ms of the server for a login", bars, 2)


def nodes(found: Found) -> str:
    """Return the part on nodes."""
    rows = [
        (
            f"{count}",
            spread(one["rate"]),
            spread(one["server_ms"], 2),
            spread(one["database_ms"], 2),
            spread(one["most_ms"]),
        )
        for count, one in found.items()
    ]
    head = ("nodes on one database", "logins a second", "nodes CPU ms", "database CPU ms", "99 % ms")
    return table(head, rows) + plot(
        "nodes", "logins a second", {f"nodes: {count}": one["rate"] for count, one in found.items()}
    )


def revoked(found: Found) -> str:
    """Return the part on a CRL of ever more entries."""
    rows = [
        (
            f"{int(count):,}",
            spread(one["whole_s"], 2),
            f"{one['size_mb']['median']:.2f}",
            spread(one["peak_mb"]),
        )
        for count, one in found["steps"].items()
    ]
    bars = {f"{int(count):,} entries": one["whole_s"] for count, one in found["steps"].items()}
    head = ("entries", "seconds", "size, MB", "memory at most, MB")
    return table(head, rows) + plot("revoked", "seconds for a CRL", bars, 2)


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
