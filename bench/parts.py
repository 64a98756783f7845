"""The parts of the page, one for each measure: a table of its figures and a plot."""

from collections.abc import Callable, Mapping

from bench.results import OURS
from bench.tables import Found, plot, spread, table

ON_POSTGRES, IN_MEMORY = "oidc-provider in postgres", "oidc-provider in memory"


def ratio(ours: Found, theirs: Found) -> str:
    """Return how many times ours is theirs."""
    return f"{ours['median'] / theirs['median']:.2f}"


def of_rounds(theirs: Found) -> str:
    """Return how many times ours is theirs, as the rounds told; we are once what we are."""
    return f"{theirs['ratio']['median']:.2f}" if "ratio" in theirs else "1.00"


def logins(found: Found, measure: str, unit: str) -> str:
    """Return the table of token requests or of whole logins."""
    names = {OURS: "ZORG-ID", ON_POSTGRES: "oidc-provider, PostgreSQL", IN_MEMORY: "oidc-provider, in memory"}
    head = (
        f"one process each, {unit} a second",
        "rate",
        "ratio",
        "server CPU ms",
        "database CPU ms",
        "half ms",
        "99 % ms",
    )
    rows = [
        (
            shown,
            spread(found[name]["rate"]),
            of_rounds(found[name]),
            spread(found[name]["server_ms"], 2),
            spread(found[name]["database_ms"], 2),
            spread(found[name]["half_ms"]),
            spread(found[name]["most_ms"]),
        )
        for name, shown in names.items()
    ]
    bars = {shown: found[name]["rate"] for name, shown in names.items()}
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    generator = found[OURS]["generator_ms"]["median"]
    text = table(head, rows)
    text += f"\n{versions}. The generator spent {generator:.2f} ms of CPU time for each.\n"
    text += plot(measure, f"{unit} a second", bars)
    return text + (attacks(found["attacks"], names) if measure == "token" else "")


def attacks(told: Found, names: Mapping[str, str]) -> str:
    """Return what came of codes and assertions that were offered twice, at once."""
    head = ("offered twice at the same moment, both accepted", "one code", "one assertion")
    rows = []
    for name, shown in names.items():
        cells = [shown]
        for kind in ("two_with_one_code", "two_with_one_assertion"):
            counts = [one[kind] for one in told[name] if one]
            both, all_of_them = (
                sum(one.get("2", 0) for one in counts),
                sum(sum(one.values()) for one in counts),
            )
            cells.append(f"{both} of {all_of_them}")
        rows.append(cells)
    return f"\n{table(head, rows)}"


def token(found: Found) -> str:
    """Return the part on token requests."""
    return logins(found, "token", "token requests")


def login(found: Found) -> str:
    """Return the part on whole logins."""
    return logins(found, "login", "logins")


def ocsp(found: Found) -> str:
    """Return the part on OCSP."""
    names = {
        OURS: "ZORG-ID, one process",
        "openssl -multi 1": "openssl ocsp -multi 1",
        "openssl -multi 4": "openssl ocsp -multi 4",
        "nginx": "nginx, one worker, a file",
    }
    text = ""
    for way, shown in {"kept": "kept connections", "new": "a new connection each"}.items():
        there = {name: found[way][name] for name in names if name in found[way]}
        rows = [
            (
                names[name],
                spread(one["rate"]),
                of_rounds(one),
                spread(one["cpu_us"]),
                ratio(there[OURS]["cpu_us"], one["cpu_us"]),
                spread(one["half_us"]),
                spread(one["most_us"]),
            )
            for name, one in there.items()
        ]
        text += table((shown, "answers/s", "ratio", "CPU µs", "ratio", "half µs", "99 % µs"), rows)
        bars = {names[name]: one["rate"] for name, one in there.items()}
        generator = there[OURS]["generator_us"]["median"]
        text += plot(f"ocsp-{way}", f"OCSP answers a second, {shown}", bars)
        text += f"\nThe generator spent {generator:.0f} µs of CPU time for each.\n\n"
    versions = found["versions"]
    return f"{text}nginx {versions['nginx']}, OpenSSL {versions['openssl']}.\n"


def crl(found: Found) -> str:
    """Return the part on the CRL."""
    rows = [
        ("read, put together, signed, stored: seconds", spread(found["whole_s"], 2)),
        ("of which putting together", spread(found["build_s"], 3)),
        ("memory at most, MB", spread(found["peak_mb"])),
        ("of which for the list, MB", spread(found["added_mb"])),
        ("size, MB", f"{found['size_mb']:.0f}"),
        *(
            (f"the library's builder, {int(count):,} entries, seconds", spread(one, 2))
            for count, one in found["library_s"].items()
        ),
    ]
    per_entry = {f"library, {int(count):,} entries": one for count, one in found["library_s"].items()}
    own = {f"ZORG-ID, {found['entries']:,} entries": found["whole_s"]}
    drawn = plot("crl", "seconds for a CRL", {**own, **per_entry}, digits=2)
    head = (f"a CRL of {found['entries']:,} entries", "median (least–most)")
    return table(head, rows) + drawn


def waiting(found: Found) -> str:
    """Return the part on browsers that wait."""
    room = found["room"]
    rows = [
        ("logins a second, nobody waiting", spread(found["alone"]["rate"])),
        (f"logins a second beside {found['browsers']:,} event streams", spread(found["beside"]["rate"])),
        ("ratio", ratio(found["beside"]["rate"], found["alone"]["rate"])),
        ("99 % of logins within, ms, alone", spread(found["alone"]["most_ms"])),
        ("99 % of logins within, ms, beside", spread(found["beside"]["most_ms"])),
        # memory that was freed after one round serves the next, so that the most is what it costs
        ("memory of each waiting browser at most, kB", f"{room['memory_kb']['most']:.0f}"),
        ("cores that server and database use while all only wait", spread(room["idle_cpu"], 2)),
        (f"of {found['woken']} commits, half heard by their browser within, ms", spread(room["half_ms"], 1)),
        ("99 % within, ms", spread(room["most_ms"], 1)),
    ]
    bars = {
        "nobody waiting": found["alone"]["rate"],
        f"{found['browsers']:,} waiting": found["beside"]["rate"],
    }
    head = ("browsers that wait", "median (least–most)")
    return table(head, rows) + plot("waiting", "logins a second", bars)


def cards(found: Found) -> str:
    """Return the part on making cards."""
    rows = [
        ("CPU of the platform, ms", spread(found["server_ms"])),
        ("CPU of the database, ms", spread(found["database_ms"])),
        ("from the portal's page to the working card, s", spread(found["seconds"], 1)),
        ("a login with it at a care application: CPU of the platform, ms", spread(found["login_server_ms"])),
        ("CPU of the database, ms", spread(found["login_database_ms"])),
    ]
    bars = {
        "making a card, platform": found["server_ms"],
        "making a card, database": found["database_ms"],
        "a login with it, platform": found["login_server_ms"],
        "a login with it, database": found["login_database_ms"],
    }
    head = (f"each of {found['cards']} cards", "median (least–most)")
    return table(head, rows) + plot("cards", "CPU ms", bars)


def commands(found: Found) -> str:
    """Return the part on commands."""
    rows = [(f"`{name}`", spread(one["seconds"], 2), spread(one["memory_mb"])) for name, one in found.items()]
    bars = {name: one["seconds"] for name, one in found.items()}
    return table(("command", "seconds", "memory at most, MB"), rows) + plot("commands", "seconds", bars, 2)


def reader(found: Found) -> str:
    """Return the part on commands to a card through the PC/SC service."""
    bars = {f"acknowledged {name}": one for name, one in found.items()}
    head = ("100 commands to the virtual card", "ms")
    rows = [(name, spread(one)) for name, one in bars.items()]
    return table(head, rows) + plot("reader", "milliseconds for 100 commands", bars)


def pieces(found: Found) -> str:
    """Return the part on what the platform does itself in place of a library."""
    rows = [
        (
            name,
            spread(one[OURS]["ms"], 1),
            spread(one["library"]["ms"], 1),
            ratio(one[OURS]["rate"], one["library"]["rate"]),
        )
        for name, one in found.items()
    ]
    bars = {
        f"{name}, {whose}": one[who]["ms"]
        for name, one in found.items()
        for who, whose in ((OURS, "ours"), ("library", "library"))
    }
    head = ("piece of work", "ours, ms", "library, ms", "times as quick")
    return table(head, rows) + plot("pieces", "milliseconds", bars)


PARTS: Mapping[str, Callable[[Found], str]] = {
    "token": token,
    "login": login,
    "ocsp": ocsp,
    "crl": crl,
    "waiting": waiting,
    "cards": cards,
    "commands": commands,
    "pieces": pieces,
    "reader": reader,
}
