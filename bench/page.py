"""Writes the kept figures into docs/performance.md, between its marks, and plots beside it."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import plots, results
from bench.house import ROOT
from bench.results import Spread

PAGE = ROOT / "docs" / "performance.md"
MARKED = re.compile(r"(<!-- made by make bench: (\w+) -->\n).*?(<!-- until here -->)", re.DOTALL)
Found = Mapping[str, Any]
OURS = "zorgid"
ON_POSTGRES, IN_MEMORY = "oidc-provider in postgres", "oidc-provider in memory"


def write() -> None:
    """Fill every part of the page whose measure has figures; the others stay as they are."""

    def part(match: re.Match[str]) -> str:
        begin, measure, end = match.groups()
        kept = results.kept(measure)
        if kept is None:
            return match.group(0)
        lines = PARTS[measure](kept["found"])
        return f"{begin}\n{lines}\n{machine(kept['machine'])}\n\n{end}"

    PAGE.write_text(MARKED.sub(part, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def machine(told: Found) -> str:
    """Return one sentence on the machine."""
    return (
        f"*{told['at']} UTC; {told['processor']}, {told['cores']} cores, {told['system']}, Python"
        f" {told['python']}; just after the measure {told['busy']:.1f} cores were busy with other work"
        f" (load {told['load']:.1f}).*"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def spread(kept: Found, digits: int = 0) -> str:
    """Return `median (least–most)`."""
    return Spread.read(dict(kept)).text(digits)


def ratio(ours: Found, theirs: Found) -> str:
    """Return how many times ours is theirs."""
    return f"{ours['median'] / theirs['median']:.2f}"


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
            ratio(found[OURS]["rate"], found[name]["rate"]),
            spread(found[name]["server_ms"], 2),
            spread(found[name]["database_ms"], 2),
            spread(found[name]["half_ms"]),
            spread(found[name]["most_ms"]),
        )
        for name, shown in names.items()
    ]
    bars = {shown: found[name]["rate"] for name, shown in names.items()}
    plot(measure, f"{unit} a second", bars)
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    generator = found[OURS]["generator_ms"]["median"]
    text = table(head, rows)
    text += f"\n{versions}. The generator spent {generator:.2f} ms of CPU time for each.\n"
    text += f"\n![plot](performance-{measure}.svg)\n"
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
        "openssl": "openssl ocsp -multi 4",
        "nginx": "nginx, one worker, a file",
    }
    text = ""
    for way, shown in {"kept": "kept connections", "new": "a new connection each"}.items():
        there = {name: one for name, one in found[way].items() if name in names}
        rows = [
            (
                names[name],
                spread(one["rate"]),
                ratio(there[OURS]["rate"], one["rate"]),
                spread(one["cpu_us"]),
                spread(one["half_us"]),
                spread(one["most_us"]),
            )
            for name, one in there.items()
        ]
        text += table((shown, "answers/s", "ratio", "CPU µs", "half µs", "99 % µs"), rows) + "\n"
        plot(
            f"ocsp-{way}",
            f"OCSP answers a second, {shown}",
            {names[name]: one["rate"] for name, one in there.items()},
        )
        text += f"![plot](performance-ocsp-{way}.svg)\n\n"
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
    plot("crl", "seconds for a CRL", {**own, **per_entry}, digits=2)
    head = (f"a CRL of {found['entries']:,} entries", "median (least–most)")
    return f"{table(head, rows)}\n![plot](performance-crl.svg)\n"


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
    plot("waiting", "logins a second", bars)
    return f"{table(('browsers that wait', 'median (least–most)'), rows)}\n![plot](performance-waiting.svg)\n"


def cards(found: Found) -> str:
    """Return the part on making cards."""
    rows = [
        ("CPU of the platform, ms", spread(found["server_ms"])),
        ("CPU of the database, ms", spread(found["database_ms"])),
        ("from the portal's page to the working card, s", spread(found["seconds"], 1)),
    ]
    plot("cards", "CPU ms for each card", {"platform": found["server_ms"], "database": found["database_ms"]})
    head = (f"each of {found['cards']} cards", "median (least–most)")
    return f"{table(head, rows)}\n![plot](performance-cards.svg)\n"


def commands(found: Found) -> str:
    """Return the part on commands."""
    rows = [(f"`{name}`", spread(one["seconds"], 2), spread(one["memory_mb"])) for name, one in found.items()]
    plot("commands", "seconds", {name: one["seconds"] for name, one in found.items()}, digits=2)
    return f"{table(('command', 'seconds', 'memory at most, MB'), rows)}\n![plot](performance-commands.svg)\n"


def plot(name: str, title: str, bars: Mapping[str, Found], digits: int = 0) -> None:
    """Write the plot of one measure beside the page."""
    file = Path(PAGE.parent / f"performance-{name}.svg")
    file.write_text(
        plots.bars(title, {label: Spread.read(dict(one)) for label, one in bars.items()}, digits=digits)
    )


PARTS: Mapping[str, Callable[[Found], str]] = {
    "token": token,
    "login": login,
    "ocsp": ocsp,
    "crl": crl,
    "waiting": waiting,
    "cards": cards,
    "commands": commands,
}
