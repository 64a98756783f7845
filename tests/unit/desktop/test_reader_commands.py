"""`zorgid-desktop reader-check` and `zorgid-desktop virtual-card`, without any reader."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ports import free_port

from cardkit.errors import CardBusy, CardError, CardMute, ReaderServiceAbsent
from cardkit.pcsc import PcscReader, PcscReaders, ReaderCheck, Verdict
from cardkit.readers import PivReader
from cardkit.virtual import CardFile, Mode, VirtualReader, make_blank_card
from zorgid.kernel.sentences import Language
from zorgid_desktop import reader_check
from zorgid_desktop.cli import main
from zorgid_desktop.reader_check import judge_readers, said_of
from zorgid_desktop.texts import sentence

NAME = "USB Smart Card Reader 00 00"


@pytest.fixture(autouse=True)
def dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")


def present(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    readers = [PivReader(PcscReader(name)) for name in names]
    monkeypatch.setattr(PcscReaders, "present", lambda _: readers)


@pytest.mark.parametrize(
    ("writes", "takes_extended", "words", "code"),
    [
        (True, True, f"Paslezer {NAME} is geschikt. U kunt beginnen.", 0),
        (True, False, "neemt geen lange opdrachten aan", 0),
        (False, None, "Hiermee kunt u geen kaart maken", 1),
        (None, None, "zit geen kaart", 1),
    ],
)
def test_a_reader_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    writes: bool | None,
    takes_extended: bool | None,
    words: str,
    code: int,
) -> None:
    """INFO-4."""
    present(monkeypatch, NAME)
    check = ReaderCheck(NAME, writes, takes_extended, None)
    monkeypatch.setattr("cardkit.pcsc.check_reader", lambda _: check)
    assert main(["reader-check"]) == code
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("language", Language)
def test_every_verdict_has_its_sentence(language: Language) -> None:
    """INFO-4, ALL-1."""
    texts = {sentence(said_of(verdict, NAME), language).text for verdict in Verdict}
    assert len(texts) == len(Verdict)
    assert all(NAME in text for text in texts)


@pytest.mark.parametrize("error", [CardBusy, CardMute])
def test_a_reader_whose_card_does_not_help_says_why(
    monkeypatch: pytest.MonkeyPatch, error: type[CardError]
) -> None:
    """INFO-4: one reader in trouble keeps no other from being checked."""

    def check(reader: PcscReader) -> ReaderCheck:
        if reader.name == NAME:
            raise error
        return ReaderCheck(reader.name, True, True, None)

    present(monkeypatch, NAME, "Another")
    monkeypatch.setattr("cardkit.pcsc.check_reader", check)
    assert [said.code for said in judge_readers()] == ["reader-trouble", "reader-fits"]


def test_without_a_reader_or_a_service_it_says_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """INFO-4, ALL-2."""
    present(monkeypatch)
    assert main(["reader-check"]) == 1
    assert "geen paslezer aangesloten" in capsys.readouterr().out

    def absent(_: PcscReaders) -> None:
        raise ReaderServiceAbsent

    monkeypatch.setattr(PcscReaders, "present", absent)
    assert [said.code for said in reader_check.judge_readers()] == ["reader-service-absent"]


def plug(folder: Path, *words: str) -> int:
    return main(["--cards-folder", str(folder), "virtual-card", *words])


def test_a_virtual_card_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALL-2."""
    for name in ("proef", "Geen Naam", "../x"):
        assert plug(tmp_path, name) == 1
        assert f"geen virtuele kaart {name}." in capsys.readouterr().out


def test_without_a_service_no_blank_card_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ALL-2: nothing half-done, what is missing, and what to do."""
    port, folder = free_port(), tmp_path / "cards"
    for _ in range(2):
        assert plug(folder, "proef", "--new", "--port", str(port)) == 1
        told = capsys.readouterr().out
        assert (
            f"Op poort {port} van deze computer is geen virtuele paslezer. Er is geen kaart gemaakt" in told
        )
        assert "start pcscd" in told
    assert not folder.exists()


@pytest.fixture
def slot() -> Iterator[int]:
    """The port of a slot that lets a card in and goes away at once."""

    def let_in() -> None:
        connection, _ = listening.accept()
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=let_in, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(60)


@pytest.mark.parametrize("mode", Mode)
def test_a_blank_card_is_made_where_it_can_be_plugged_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], slot: int, mode: Mode
) -> None:
    assert plug(tmp_path, "proef", "--new", "--mode", mode, "--port", str(slot)) == 0
    assert "Kaart proef is eruit." in capsys.readouterr().out
    made = VirtualReader(tmp_path).card_state("proef")
    assert made.mode is mode
    assert plug(tmp_path, "proef", "--new") == 1
    assert "al een virtuele kaart proef" in capsys.readouterr().out
    assert VirtualReader(tmp_path).card_state("proef") == made


def test_a_card_that_another_program_holds_or_nobody_can_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ALL-2."""
    tray = VirtualReader(tmp_path)
    tray.add("proef", make_blank_card(1))
    with tray.file("proef").held():
        assert plug(tmp_path, "proef") == 1
    assert "Een ander programma gebruikt de kaart" in capsys.readouterr().out
    CardFile(tmp_path / "proef.card.json").path.write_text("{}")
    assert plug(tmp_path, "proef") == 1
    assert capsys.readouterr().out


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        plug(tmp_path, "proef", "--port", port)
    assert ended.value.code == 2


def test_a_production_build_has_no_virtual_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ALL-4: where cards count, none is made of software."""
    monkeypatch.setattr("zorgid_desktop.cli.HAS_VIRTUAL_CARDS", False)
    with pytest.raises(SystemExit):
        plug(tmp_path, "proef")
