"""`zorgid-desktop report`: what this computer knows of readers, cards and modules, for the support desk.

No PIN is asked, and no value of a key is read. Whose cards they are stays out unless asked for: names, labels
and serial numbers are personal data.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zorgid_desktop import APP_VERSION
from zorgid_desktop.build import FLAVOUR

if TYPE_CHECKING:
    from cardkit.pcsc.service import Service
    from cardkit.pkcs11.places import Modules
    from zorgid_desktop.flow.asking import Said

Facts = dict[str, Any]


def add_report(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the others."""
    command = commands.add_parser("report", help="schrijf op wat deze computer van paslezers en kaarten weet")
    command.add_argument("--output", type=Path, help="schrijf het in dit bestand")
    command.add_argument(
        "--with-names", action="store_true", help="ook van wie de kaarten zijn: namen, labels en nummers"
    )


def write_report(options: argparse.Namespace) -> int:
    """Write the report as JSON, to the output or to a file; 1 when the file cannot be written."""
    text = json.dumps(report(with_names=options.with_names), ensure_ascii=False, indent=2) + "\n"
    if options.output is None:
        sys.stdout.write(text)
        return 0
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415 - `--help` needs none of it

    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError:
        _show(Said("report-not-written", {"file": options.output}))
        return 1
    _show(Said("report-written", {"file": options.output}))
    return 0


def report(*, with_names: bool, now: datetime | None = None) -> Facts:
    """Return the report. `now` is aware; without it, the clock's."""
    from zorgid_desktop.modules import modules_for  # noqa: PLC0415 - `--help` needs none of it

    return {
        "made_at": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
        "app": {"version": APP_VERSION, "build": str(FLAVOUR)},
        "system": {"name": platform.platform(), "python": platform.python_version()},
        "with_names": with_names,
        "pcsc": _pcsc(with_names=with_names),
        "modules": _modules(modules_for(os.environ), with_names=with_names),
    }


def _pcsc(*, with_names: bool) -> Facts:
    """Return the readers of the PC/SC service, with what each card said first and what PIV finds on it."""
    from cardkit.errors import CardError  # noqa: PLC0415 - late, as all that knows of readers
    from cardkit.pcsc.service import load_binding, reader_service  # noqa: PLC0415

    try:
        with reader_service(load_binding()) as service:
            atrs = {name: _atr(service, name) for name in service.readers()}
    except CardError as error:
        return {"trouble": type(error).__name__}
    return {"readers": [_reader(name, atr, with_names=with_names) for name, atr in sorted(atrs.items())]}


def _atr(service: "Service", name: str) -> str | None:
    return service.atr(name).hex() or None


def _reader(name: str, atr: str | None, *, with_names: bool) -> Facts:
    facts: Facts = {"name": name, "atr": atr}
    return facts if atr is None else {**facts, "piv": _piv(name, with_names=with_names)}


def _piv(name: str, *, with_names: bool) -> Facts:
    from cardkit.errors import CardError  # noqa: PLC0415
    from cardkit.facts import certificate_facts  # noqa: PLC0415
    from cardkit.pcsc import PcscReader  # noqa: PLC0415
    from cardkit.readers import PivReader  # noqa: PLC0415

    try:
        with PivReader(PcscReader(name)).open_card() as card:
            facts: Facts = {
                "firmware": card.firmware,
                "capabilities": sorted(card.capabilities),
                "pin_tries_left": card.pin_tries_left(),
                "certificates": [
                    {"slot": one.slot, **certificate_facts(one.certificate, with_names=with_names)}
                    for one in card.read_certificates()
                ],
            }
            return {**facts, "serial": card.read_serial()} if with_names else facts
    except CardError as error:
        return {"trouble": type(error).__name__}


def _modules(chosen: "Modules", *, with_names: bool) -> list[Facts]:
    return [
        {"file": path, "is_named": chosen.are_named, **_module(path, with_names=with_names)}
        for path in chosen.paths
    ]


def _module(path: str, *, with_names: bool) -> Facts:
    from cardkit.errors import CardError, ModuleUnusable  # noqa: PLC0415
    from cardkit.pkcs11.module import module_at  # noqa: PLC0415

    module = module_at(path)
    try:
        module.slots()  # loads it, or tells why not, before what needs the binding
        from cardkit.pkcs11.facts import module_facts  # noqa: PLC0415 - needs the extra

        return module_facts(module, with_names=with_names)
    except ModuleUnusable as error:
        return {"trouble": f"module-{error.flaw}"}
    except CardError as error:
        return {"trouble": type(error).__name__}


def _show(said: "Said") -> None:
    from zorgid_desktop.texts import language_of, sentence  # noqa: PLC0415

    shown = sentence(said, language_of())
    print(*filter(None, (shown.text, shown.next_step)), file=sys.stderr)  # noqa: T201 - what a person reads
