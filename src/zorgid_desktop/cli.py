"""`zorgid-desktop`: the app in a terminal, with the virtual cards of the demo.

Real readers come with the windows.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardkit.virtual import VirtualReader
    from zorgid.protocol.links import Browser
    from zorgid_desktop.terminal import TerminalFace

CARDS: Final = Path("var/cards")
"""Where the demo keeps its virtual cards, from the folder of the project."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or stopped, 2 wrong words."""
    options = _parser().parse_args(arguments)
    from zorgid.pki.names import allow_accents_in_long_names  # noqa: PLC0415 - `--help` needs none of it

    allow_accents_in_long_names()
    command = {
        "open": open_link,
        "cards": list_cards,
        "change": change_pin,
        "unblock": unblock_pin,
    }[options.command]
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zorgid-desktop", description="De ZORG-ID Desktop App in een terminal."
    )
    parser.add_argument("--cards-folder", type=Path, default=CARDS, help="map met de virtuele kaarten")
    commands = parser.add_subparsers(dest="command", required=True)
    opening = commands.add_parser("open", help="doe wat een link van ZORG-ID vraagt")
    opening.add_argument("link", help="de link van de pagina, tussen aanhalingstekens")
    opening.add_argument(
        "--print-address", action="store_true", help="toon het adres in plaats van een browser te openen"
    )
    listing = commands.add_parser("cards", help="toon de virtuele kaarten")
    listing.add_argument("--json", action="store_true")
    pin = commands.add_parser("pin", help="verander of deblokkeer de pincode van een kaart")
    acts = pin.add_subparsers(dest="command", required=True)
    acts.add_parser("change", help="oude pincode, en tweemaal een nieuwe")
    acts.add_parser("unblock", help="pukcode, en tweemaal een nieuwe pincode")
    return parser


def _face(options: argparse.Namespace) -> tuple["VirtualReader", "TerminalFace"]:
    from cardkit.virtual import VirtualReader  # noqa: PLC0415 - `--help` needs none of it
    from zorgid_desktop.terminal import TerminalFace  # noqa: PLC0415
    from zorgid_desktop.texts import language_of  # noqa: PLC0415

    reader = VirtualReader(options.cards_folder)
    return reader, TerminalFace(reader, language_of())


def open_link(options: argparse.Namespace) -> int:
    """Run the login, or the making, that a link is for."""
    from zorgid.protocol.environments import EnvironmentRefused  # noqa: PLC0415
    from zorgid.protocol.errors import LinkMalformed  # noqa: PLC0415
    from zorgid.protocol.links import parse_link  # noqa: PLC0415
    from zorgid_desktop.environments import origin_of  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415
    from zorgid_desktop.flow.login import Surroundings  # noqa: PLC0415
    from zorgid_desktop.run import run_link  # noqa: PLC0415
    from zorgid_desktop.server import Platform  # noqa: PLC0415
    from zorgid_desktop.texts import language_of  # noqa: PLC0415

    reader, face = _face(options)
    if not reader.cards:
        return _explain_no_cards(face, options)
    try:
        link = parse_link(options.link)
        origin = origin_of(link.environment, os.environ)
    except (LinkMalformed, EnvironmentRefused) as wrong:
        face.explain(Said(wrong.code, wrong.facts))
        return 1
    opener = partial(_open_browser, face, is_printed=options.print_address)
    with Platform(origin, language=language_of()) as platform:
        around = Surroundings(platform, reader, opener, lambda: datetime.now(UTC))
        return _explained(face, partial(run_link, around, face, link))


def _explain_no_cards(face: "TerminalFace", options: argparse.Namespace) -> int:
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    face.explain(Said("no-cards", {"folder": options.cards_folder}))
    return 1


def _open_browser(face: "TerminalFace", address: str, browser: "Browser", *, is_printed: bool) -> None:
    from zorgid_desktop.browsers import open_in_browser  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    if is_printed or not open_in_browser(address, browser):
        face.tell(Said("open-in-browser", {"address": address}))


def _explained(face: "TerminalFace", run: "partial[None]") -> int:
    """Run a flow; whatever stops it is said in a sentence."""
    from cardkit.errors import CardError  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Cancelled, Said  # noqa: PLC0415
    from zorgid_desktop.flow.cards import FlowStopped, trouble_of  # noqa: PLC0415
    from zorgid_desktop.server import PlatformRefused, PlatformUnreachable, told  # noqa: PLC0415

    try:
        run()
    except (Cancelled, KeyboardInterrupt):
        face.explain(Said("cancelled"))
    except FlowStopped as stopped:
        face.explain(stopped.said)
    except PlatformRefused as refused:
        face.explain(told(refused.problem))
    except PlatformUnreachable as unreachable:
        face.explain(Said(unreachable.code))
    except CardError as error:
        face.explain(trouble_of(error))
    else:
        return 0
    return 1


def list_cards(options: argparse.Namespace) -> int:
    """Show the virtual cards: name, serial, holder and how long they are valid."""
    reader, face = _face(options)
    if not reader.cards and not options.json:
        return _explain_no_cards(face, options)
    _print_cards([_row(reader, name) for name in reader.cards], as_json=options.json)
    return 0


def _row(reader: "VirtualReader", name: str) -> dict[str, object]:
    """Return what a card tells without a PIN; a card that another program holds tells its name only."""
    from cardkit.card import CertificateUsage  # noqa: PLC0415
    from cardkit.errors import CardBusy  # noqa: PLC0415
    from zorgid_desktop.flow.cards import card_in, holder_of  # noqa: PLC0415

    reader.insert(name)
    try:
        with card_in(reader) as card:
            found = [one for one in card.read_certificates() if one.usage is CertificateUsage.authentication]
            certificate = found[0].certificate if found else None
            return {
                "name": name,
                "serial": card.read_serial(),
                "holder": holder_of(certificate) if certificate else None,
                "valid_until": f"{certificate.not_valid_after_utc:%Y-%m-%d}" if certificate else None,
                "pin_tries_left": card.pin_tries_left(),
                "is_busy": False,
            }
    except CardBusy:
        return {"name": name, "holder": None, "valid_until": None, "is_busy": True}


def _print_cards(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))  # noqa: T201 - the command's output
        return
    for row in rows:
        holder = "in gebruik" if row["is_busy"] else row["holder"] or "leeg"
        print(f"{row['name']:32} {row['valid_until'] or '-':12} {holder}")  # noqa: T201


def change_pin(options: argparse.Namespace) -> int:
    """Change the PIN of a card."""
    from zorgid_desktop.flow.asking import InsertCard, Wanted  # noqa: PLC0415
    from zorgid_desktop.flow.cards import card_in  # noqa: PLC0415
    from zorgid_desktop.pins import change_pin as change  # noqa: PLC0415

    reader, face = _face(options)
    if not reader.cards:
        return _explain_no_cards(face, options)

    def run() -> None:
        face.ask(InsertCard(None, Wanted.login_card))
        with card_in(reader) as card:
            change(face, card)

    return _explained(face, partial(run))


def unblock_pin(options: argparse.Namespace) -> int:
    """Give a card a new PIN with its PUK."""
    from zorgid_desktop.flow.asking import InsertCard, Wanted  # noqa: PLC0415
    from zorgid_desktop.flow.cards import card_in  # noqa: PLC0415
    from zorgid_desktop.pins import ask_puk_and_unblock  # noqa: PLC0415

    reader, face = _face(options)
    if not reader.cards:
        return _explain_no_cards(face, options)

    def run() -> None:
        face.ask(InsertCard(None, Wanted.login_card))
        with card_in(reader) as card:
            ask_puk_and_unblock(face, card)

    return _explained(face, partial(run))


if __name__ == "__main__":
    sys.exit(main())
