"""`zorgid-desktop virtual-card`: a virtual card in the computer's own PC/SC service, for suppliers and tests.

For as long as the command runs, every program of the computer finds the card in a reader. It says each time
that the card proves nothing; production builds have neither the command nor the card.
"""

import argparse
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cardkit.virtual import CardFile, CardState, VirtualReader
    from cardkit.virtual.vpcd import Plug
    from zorgid_desktop.flow.asking import Said

MODES: Final = ("extended", "strict")
ATRS: Final = ("yubikey", "nist")
SEEN_SECONDS: Final = 5.0
"""A service looks for a new card several times a second."""
FIRST_SERIAL: Final = 90_000_001
"""Chip numbers of cards that are made here: none of them is in any stock."""


def add_virtual_card(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the others."""
    plugging = commands.add_parser(
        "virtual-card", help="steek een virtuele testkaart in de paslezerdienst van deze computer"
    )
    plugging.add_argument("card", metavar="KAART", help="naam van de kaart in de map met virtuele kaarten")
    plugging.add_argument("--new", action="store_true", help="maak eerst een lege kaart met die naam")
    plugging.add_argument(
        "--mode",
        choices=MODES,
        default=MODES[0],
        help="met --new: alleen de norm, of ook wat een YubiKey kan",
    )
    plugging.add_argument("--atr", choices=ATRS, help="waarvoor de kaart zich uitgeeft")
    plugging.add_argument("--port", type=_port, help="poort van de virtuele paslezer (35963)")


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise ValueError
    return port


def plug_in(options: argparse.Namespace) -> int:
    """Put the card in and keep it in until the command is ended; 1 when that did not work."""
    from cardkit.errors import CardBusy, CardFileUnreadable  # noqa: PLC0415 - `--help` needs none of it
    from cardkit.virtual.vpcd import NobodyListens  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    try:
        return _plugged(options)
    except FileNotFoundError:
        _say(Said("virtual-card-unknown", {"card": options.card}))
    except FileExistsError:
        _say(Said("virtual-card-exists", {"card": options.card}))
    except CardFileUnreadable:
        _say(Said("card-file-unreadable"))
    except CardBusy:
        _say(Said("card-busy"))
    except NobodyListens as nobody:
        _say(Said("virtual-reader-absent", {"port": nobody.port}))
    return 1


def _plugged(options: argparse.Namespace) -> int:
    from cardkit.virtual import VirtualReader  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415
    from zorgid_desktop.workplace import DEMO_CARDS  # noqa: PLC0415

    tray = VirtualReader(options.cards_folder or DEMO_CARDS)
    (_plug_new if options.new else _plug_known)(options, tray)
    _say(Said("virtual-card-out", {"card": options.card}))
    return 0


def _plug_known(options: argparse.Namespace, tray: "VirtualReader") -> None:
    """Keep a card of the folder in. Raises `FileNotFoundError` where there is none of that name."""
    file = _named(tray.file, options.card)
    with file.held():
        _keep_in(_plug(options, file.load(), file), options.card)


def _plug_new(options: argparse.Namespace, tray: "VirtualReader") -> None:
    """Keep a blank card in that is made now; where there is no slot for it, none is made.

    Raises `FileExistsError` for a name that is taken, `FileNotFoundError` for what is no name.
    """
    from cardkit.virtual import Mode, make_blank_card  # noqa: PLC0415

    file = _named(tray.new_file, options.card)
    state = make_blank_card(FIRST_SERIAL + len(tray.cards), mode=Mode(options.mode))
    plug = _plug(options, state, file)
    tray.add(options.card, state)
    with file.held():
        _keep_in(plug, options.card)


def _named(find: Callable[[str], "CardFile"], name: str) -> "CardFile":
    try:
        return find(name)
    except (KeyError, ValueError):
        raise FileNotFoundError(name) from None


def _plug(options: argparse.Namespace, state: "CardState", file: "CardFile") -> "Plug":
    """Return the card in its slot. Raises `NobodyListens`."""
    from cardkit.virtual import ATR_NIST, ATR_YUBIKEY, VirtualCard  # noqa: PLC0415
    from cardkit.virtual.vpcd import DEFAULT_PORT, Plug  # noqa: PLC0415

    atrs: Mapping[str | None, bytes | None] = {"yubikey": ATR_YUBIKEY, "nist": ATR_NIST, None: None}
    card = VirtualCard(state, store=file)
    return Plug(card, port=options.port or DEFAULT_PORT, atr=atrs[options.atr])


def _keep_in(plug: "Plug", name: str) -> None:
    """Answer for the card until the command is ended, and say when the service sees it, or does not."""
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    _say(Said("virtual-card-warning"))
    unseen = threading.Timer(SEEN_SECONDS, _say, [Said("virtual-slot-taken")])
    unseen.daemon = True
    unseen.start()

    def when_seen() -> None:
        unseen.cancel()
        _say(Said("virtual-card-in", {"card": name}))

    try:
        plug.run(when_seen)
    except KeyboardInterrupt:
        plug.pull()
    finally:
        unseen.cancel()


def _say(said: "Said") -> None:
    from zorgid_desktop.texts import language_of, sentence  # noqa: PLC0415

    shown = sentence(said, language_of())
    print(*filter(None, (shown.text, shown.next_step)), flush=True)  # noqa: T201 - the command's output
