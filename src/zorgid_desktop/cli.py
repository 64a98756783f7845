"""`zorgid-desktop`: the app in a terminal, with real readers or the virtual cards of the demo."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from zorgid_desktop import APP_VERSION
from zorgid_desktop.build import FLAVOUR, HAS_VIRTUAL_CARDS
from zorgid_desktop.reader_check import add_reader_check, check_readers
from zorgid_desktop.report import add_report, write_report
from zorgid_desktop.virtual_card import add_virtual_card, plug_in

if TYPE_CHECKING:
    from cardkit.card import Card
    from zorgid.protocol.links import Browser, LaunchLink
    from zorgid_desktop.flow.asking import Face
    from zorgid_desktop.flow.login import Surroundings
    from zorgid_desktop.listing import Row
    from zorgid_desktop.terminal import TerminalFace
    from zorgid_desktop.workplace import Workplace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or stopped, 2 wrong words."""
    options = _parser().parse_args(arguments)
    from zorgid.pki.names import allow_accents_in_long_names  # noqa: PLC0415 - `--help` needs none of it

    allow_accents_in_long_names()
    command = {
        "register": change_scheme,
        "unregister": change_scheme,
        "check": change_scheme,
        "open": open_link,
        "window": open_window,
        "cards": list_cards,
        "change": change_pin,
        "unblock": unblock_pin,
        "reader-check": check_readers,
        "report": write_report,
        "virtual-card": plug_in,
    }[options.command]
    try:
        outcome = command(options)
        print(end="", flush=True)  # noqa: T201 - what is written late must fail here
    except BrokenPipeError:
        return _unread()
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a person
        return _ended_by(error)
    return outcome


def _unread() -> int:
    """End well when the reader of the output, such as `head`, has enough; Python then writes nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _ended_by(error: Exception) -> int:
    """Say what ended a command before it had a face that could."""
    from zorgid_desktop.flow.ending import why_it_ended  # noqa: PLC0415 - seldom needed
    from zorgid_desktop.texts import in_terminal, language_of  # noqa: PLC0415

    print(in_terminal(why_it_ended(error), language_of()), file=sys.stderr)  # noqa: T201 - the command's output
    return 1


class _Parser(argparse.ArgumentParser):
    """Never repeats words that it does not know: one of them may be a link, which holds a handle (ALL-4)."""

    def error(self, message: str) -> NoReturn:
        """Show the usage and end with 2."""
        del message
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: kijk met --help wat er kan / see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="zorgid-desktop", description="De ZORG-ID Desktop App in een terminal.")
    parser.add_argument("--version", action="version", version=f"{APP_VERSION} ({FLAVOUR})")
    parser.set_defaults(cards_folder=None)
    if HAS_VIRTUAL_CARDS:
        parser.add_argument(
            "--cards-folder",
            type=Path,
            help="map met virtuele kaarten, in plaats van echte paslezers",
        )
    commands = parser.add_subparsers(dest="command", required=True)
    opening = commands.add_parser("open", help="doe wat een link van ZORG-ID vraagt")
    opening.add_argument("link", nargs="*", help="de link van de pagina, tussen aanhalingstekens")
    opening.add_argument("--window", action="store_true", help="in een venster in plaats van in de terminal")
    opening.add_argument(
        "--print-address", action="store_true", help="toon het adres in plaats van een browser te openen"
    )
    commands.add_parser("window", help="toon de kaarten in een venster")
    scheme = commands.add_parser("scheme", help="welk programma de links van ZORG-ID opent")
    whose = scheme.add_subparsers(dest="command", required=True)
    whose.add_parser("register", help="laat links van ZORG-ID deze app openen")
    whose.add_parser("unregister", help="haal dat weer weg")
    whose.add_parser("check", help="kijk of links van ZORG-ID deze app openen")
    opening.add_argument(
        "--no-watch", action="store_true", help="blijf na het inloggen niet kijken of de kaart eruit gaat"
    )
    listing = commands.add_parser("cards", help="toon de kaarten in de paslezers, of de virtuele kaarten")
    listing.add_argument("--json", action="store_true")
    pin = commands.add_parser("pin", help="verander of deblokkeer de pincode van een kaart")
    acts = pin.add_subparsers(dest="command", required=True)
    acts.add_parser("change", help="oude pincode, en tweemaal een nieuwe")
    acts.add_parser("unblock", help="pukcode, en tweemaal een nieuwe pincode")
    add_reader_check(commands)
    add_report(commands)
    if HAS_VIRTUAL_CARDS:
        add_virtual_card(commands)
    return parser


def _start(options: argparse.Namespace) -> tuple["Workplace", "TerminalFace"]:
    from zorgid_desktop.core_files import keep_no_core_files  # noqa: PLC0415
    from zorgid_desktop.terminal import TerminalFace  # noqa: PLC0415 - `--help` needs none of it
    from zorgid_desktop.texts import language_of  # noqa: PLC0415
    from zorgid_desktop.workplace import workplace_with  # noqa: PLC0415

    keep_no_core_files()
    place = workplace_with(options.cards_folder)
    # What a program reads is on the output; what a person reads then stands beside it.
    # Through a pipe as well, each line is there before the next thing is waited for.
    show = partial(print, file=sys.stderr if getattr(options, "json", False) else sys.stdout, flush=True)
    return place, TerminalFace(place.readers, language_of(), tray=place.tray, show=show)


def open_link(options: argparse.Namespace) -> int:
    """Run the login, or the making, that a link is for; then watch that the card stays in (LOGIN-10)."""
    from zorgid.protocol.links import parse_link  # noqa: PLC0415
    from zorgid_desktop.environments import origin_of  # noqa: PLC0415
    from zorgid_desktop.flow.login import Surroundings  # noqa: PLC0415
    from zorgid_desktop.server import Platform  # noqa: PLC0415
    from zorgid_desktop.texts import language_of  # noqa: PLC0415

    if options.window:
        return open_window(options)
    if not options.link:
        _parser().error("")
    place, face = _start(options)
    if _lacks_cards(place, face):
        return 1

    def run() -> None:
        link = parse_link(_one_link(options.link))
        origin = origin_of(link.environment, os.environ)
        opener = partial(_open_browser, face, is_printed=options.print_address)
        with Platform(origin, language=language_of()) as platform:
            around = Surroundings(platform, place.readers, opener, lambda: datetime.now(UTC))
            _run(around, face, link, is_watching=place.tray is None and not options.no_watch)

    return _explained(face, run)


def open_window(options: argparse.Namespace) -> int:
    """Run the app with windows: for a link, or with the list of cards."""
    try:
        from zorgid_desktop.windows.app import run_windows  # noqa: PLC0415 - loads Qt
    except ImportError as error:
        _require_all_libraries(error)
        raise

    words = getattr(options, "link", [])
    return run_windows(_one_link(words) if words else None, options)


def _require_all_libraries(error: ImportError) -> None:
    """Raise `FlowStopped` when Qt could not be loaded for want of a library of the system."""
    from zorgid_desktop.flow.cards import FlowStopped  # noqa: PLC0415 - seldom needed
    from zorgid_desktop.needed import library_missing_in, without_library  # noqa: PLC0415

    missing = library_missing_in(str(error))
    if missing is not None:
        raise FlowStopped(without_library(missing)) from error


def _one_link(words: Sequence[str]) -> str:
    """Return the one link; several words are none, and nothing says what they were."""
    return words[0] if len(words) == 1 else ""


def _run(around: "Surroundings", face: "TerminalFace", link: "LaunchLink", *, is_watching: bool) -> None:
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415
    from zorgid_desktop.flow.watching import watch_card, watches  # noqa: PLC0415
    from zorgid_desktop.run import run_link  # noqa: PLC0415

    logged_in = run_link(around, face, link)
    if is_watching and watches(logged_in):
        face.tell(Said("watch-hint"))
        with contextlib.suppress(KeyboardInterrupt):
            watch_card(around, face, link, logged_in)


def _lacks_cards(place: "Workplace", face: "TerminalFace") -> bool:
    """Tell whether the tray of virtual cards is empty, and say so."""
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    if place.tray is None or place.tray.cards:
        return False
    face.explain(Said("no-cards", {"folder": place.tray.folder}))
    return True


def _open_browser(face: "TerminalFace", address: str, browser: "Browser", *, is_printed: bool) -> None:
    from zorgid_desktop.browsers import open_in_browser  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    if is_printed or not open_in_browser(address, browser):
        face.tell(Said("open-in-browser", {"address": address}))
    else:
        face.tell(Said("browser-opened"))


def _explained(face: "TerminalFace", run: Callable[[], None]) -> int:
    """Run a flow; whatever stops it is said in a sentence, and no traceback is shown."""
    try:
        run()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last one who can say anything
        from zorgid_desktop.flow.ending import why_it_ended  # noqa: PLC0415 - takes as long as all the rest

        face.explain(why_it_ended(error))
        return 1
    return 0


def list_cards(options: argparse.Namespace) -> int:
    """Show the cards in the readers: reader, kind, holder, number and how long they are valid."""
    from zorgid_desktop.flow.asking import Said, SeenCard  # noqa: PLC0415
    from zorgid_desktop.flow.seeing import are_alike  # noqa: PLC0415
    from zorgid_desktop.listing import rows_of, rows_of_tray  # noqa: PLC0415

    place, face = _start(options)
    if not options.json and _lacks_cards(place, face):
        return 1
    rows: list[Row] = []

    def run() -> None:
        rows.extend(rows_of_tray(place.tray) if place.tray else rows_of(place.readers))

    outcome = _explained(face, run)
    _print_cards(rows, as_json=options.json)
    if not options.json and are_alike(row.told for row in rows if isinstance(row.told, SeenCard)):
        face.explain(Said("smartcards-alike"))
    return outcome


def _print_cards(rows: Sequence["Row"], *, as_json: bool) -> None:
    from zorgid_desktop.texts import language_of  # noqa: PLC0415

    if as_json:
        told = [row.for_programs(language_of()) for row in rows]
        print(json.dumps(told, ensure_ascii=False, indent=2))  # noqa: T201 - the output
        return
    for row in rows:
        print(row.for_people(language_of()))  # noqa: T201


def change_pin(options: argparse.Namespace) -> int:
    """Change the PIN of a card."""
    from zorgid_desktop.pins import change_pin as change  # noqa: PLC0415

    return _with_own_card(options, change)


def unblock_pin(options: argparse.Namespace) -> int:
    """Give a card a new PIN with its PUK."""
    from zorgid_desktop.pins import ask_puk_and_unblock  # noqa: PLC0415

    return _with_own_card(options, ask_puk_and_unblock)


def _with_own_card(options: argparse.Namespace, act: Callable[["Face", "Card"], None]) -> int:
    from zorgid_desktop.pins import with_own_card  # noqa: PLC0415

    place, face = _start(options)
    if _lacks_cards(place, face):
        return 1
    return _explained(face, partial(with_own_card, place.readers, face, act))


def change_scheme(options: argparse.Namespace) -> int:
    """Register the scheme of the links, take that away, or look whose it is."""
    from zorgid_desktop.scheme.command import run  # noqa: PLC0415

    return run(options.command, options.cards_folder)


if __name__ == "__main__":
    sys.exit(main())
