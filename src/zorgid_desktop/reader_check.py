"""`zorgid-desktop reader-check`: will my card reader do, before I start (INFO-4)?"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cardkit.pcsc import PcscReader, Verdict
    from zorgid_desktop.flow.asking import Said

WILL_DO: Final = frozenset({"reader-fits", "reader-short-only"})


def add_reader_check(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the others."""
    commands.add_parser("reader-check", help="kijk of de paslezer geschikt is, voordat u begint")


def check_readers(_options: argparse.Namespace) -> int:
    """Say of each reader whether it will do; 0 when one with a card in it does."""
    from zorgid_desktop.texts import language_of, sentence  # noqa: PLC0415 - `--help` needs none of it

    judged = judge_readers()
    for said in judged:
        shown = sentence(said, language_of())
        print(*filter(None, (shown.text, shown.next_step)))  # noqa: T201 - the command's output
    return 0 if WILL_DO & {said.code for said in judged} else 1


def judge_readers() -> "Sequence[Said]":
    """Return what to say of each reader of the PC/SC service, or of there being none; no card is harmed."""
    from cardkit.errors import CardError  # noqa: PLC0415 - late, as all that knows of readers
    from cardkit.pcsc import PcscReader, PcscReaders  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415
    from zorgid_desktop.flow.cards import trouble_of  # noqa: PLC0415

    try:
        names = [reader.name for reader in PcscReaders().present()]
    except CardError as error:
        return [trouble_of(error)]
    return [judge_reader(PcscReader(name)) for name in names] or [Said("reader-absent")]


def judge_reader(reader: "PcscReader") -> "Said":
    """Return what to say of one reader."""
    from cardkit.errors import CardError  # noqa: PLC0415
    from cardkit.pcsc import check_reader  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415
    from zorgid_desktop.flow.cards import trouble_of  # noqa: PLC0415

    try:
        check = check_reader(reader)
    except CardError as error:
        return Said("reader-trouble", {"reader": reader.name, "trouble": trouble_of(error)})
    return said_of(check.verdict, reader.name)


def said_of(verdict: "Verdict", reader: str) -> "Said":
    """Return what a verdict means for the person."""
    from cardkit.pcsc import Verdict  # noqa: PLC0415
    from zorgid_desktop.flow.asking import Said  # noqa: PLC0415

    said = {
        Verdict.fits: Said("reader-fits", {"reader": reader}),
        Verdict.short_only: Said("reader-short-only", {"reader": reader}),
        Verdict.cannot_write: Said("reader-cannot-write", {"reader": reader}),
        Verdict.no_card: Said("reader-no-card", {"reader": reader}),
    }
    return said[verdict]
