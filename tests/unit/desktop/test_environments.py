"""A build knows its own environment only, and believes a signed list only (decision 0570)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from zorgid.kernel.sentences import Language
from zorgid.protocol.environments import (
    Environment,
    EnvironmentList,
    EnvironmentRefused,
    EnvironmentsExpired,
    EnvironmentsOlder,
    EnvironmentsUnsigned,
    sign_environments,
)
from zorgid_desktop.build import Flavour
from zorgid_desktop.environments import (
    DEMO_ORIGIN,
    DEMO_ORIGIN_VARIABLE,
    EnvironmentsMissing,
    EnvironmentUnknown,
    Sources,
    origin_of,
    sources,
)
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.texts import sentence

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGINS = {"production": "https://zorg-id.example", "acceptance": "https://acceptatie.zorg-id.example"}


def file(serial: int, *ids: str, key: Ed25519PrivateKey = KEY, ends: datetime | None = None) -> bytes:
    listed = EnvironmentList(
        serial=serial,
        valid_from=NOW - timedelta(days=1),
        valid_until=ends or NOW + timedelta(days=30),
        environments=tuple(Environment(id=one, origin=f"{ORIGINS[one]}:{8000 + serial}") for one in ids),
    )
    return sign_environments(listed, key.sign).model_dump_json().encode()


@pytest.fixture
def production(tmp_path: Path) -> Sources:
    built = tmp_path / "build.json"
    built.write_bytes(file(7, "production", "acceptance"))
    key = KEY.public_key().public_bytes_raw().hex()
    return Sources(Flavour.production, (key,), built, tmp_path / "computer.json", tmp_path / "state/serial")


def test_a_production_build_knows_production_and_no_other(production: Sources) -> None:
    assert origin_of("production", {}, production, NOW) == "https://zorg-id.example:8007"
    for other in ("acceptance", "demo", "test", ""):
        with pytest.raises(EnvironmentUnknown):
            origin_of(other, {}, production, NOW)


def test_no_variable_moves_production(production: Sources) -> None:
    moved = {DEMO_ORIGIN_VARIABLE: "http://localhost:1"}
    assert origin_of("production", moved, production, NOW) == "https://zorg-id.example:8007"


def test_a_demo_build_knows_the_demo_on_this_computer_and_no_other(production: Sources) -> None:
    demo = replace(production, flavour=Flavour.demo)
    assert origin_of("demo", {}, demo, NOW) == DEMO_ORIGIN
    assert origin_of("demo", {DEMO_ORIGIN_VARIABLE: "http://127.0.0.1:9000"}, demo) == "http://127.0.0.1:9000"
    for environment, variables in (
        ("production", {}),
        ("demo", {DEMO_ORIGIN_VARIABLE: "https://evil.example"}),
        ("demo", {DEMO_ORIGIN_VARIABLE: "http://localhost@evil.example"}),
        ("demo", {DEMO_ORIGIN_VARIABLE: ""}),
    ):
        with pytest.raises(EnvironmentUnknown):
            origin_of(environment, variables, demo, NOW)


def test_this_build_is_that_of_the_demo() -> None:
    """Who runs the app from the project has no other; packages are made apart."""
    here = sources({})
    assert (here.flavour, here.keys) == (Flavour.demo, ())


def test_a_newer_list_on_the_computer_takes_the_place_of_that_in_the_build(production: Sources) -> None:
    production.on_computer.write_bytes(file(9, "production"))
    assert origin_of("production", {}, production, NOW) == "https://zorg-id.example:8009"


def test_an_older_list_on_the_computer_is_passed_over(production: Sources) -> None:
    production.on_computer.write_bytes(file(3, "production"))
    assert origin_of("production", {}, production, NOW) == "https://zorg-id.example:8007"


@pytest.mark.parametrize("spoilt", ["unreadable", "endless"])
def test_a_spoilt_list_on_the_computer_does_not_stop_the_one_in_the_build(
    production: Sources, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On some systems any user of a computer may put a file there."""
    endless = Path("/dev/zero")
    if spoilt == "endless":
        monkeypatch.setattr("zorgid_desktop.environments._is_there", lambda _: True)
        assert origin_of("production", {}, replace(production, on_computer=endless), NOW).endswith(":8007")
        return
    production.on_computer.write_bytes(file(8, "production"))
    really_open = Path.open

    def refuses(path: Path, *words: Any, **facts: Any) -> Any:
        if path == production.on_computer:
            raise PermissionError
        return really_open(path, *words, **facts)

    monkeypatch.setattr(Path, "open", refuses)
    assert origin_of("production", {}, production, NOW).endswith(":8007")


def test_a_list_that_was_in_use_is_not_rolled_back(production: Sources) -> None:
    production.on_computer.write_bytes(file(9, "production"))
    origin_of("production", {}, production, NOW)
    for back in (file(8, "production"), None):
        if back is None:
            production.on_computer.unlink()
        else:
            production.on_computer.write_bytes(back)
        with pytest.raises(EnvironmentsOlder):
            origin_of("production", {}, production, NOW)


def test_a_list_of_another_signer_does_not_count(production: Sources) -> None:
    assert isinstance(production.in_build, Path)
    production.in_build.unlink()
    stranger = Ed25519PrivateKey.generate()
    production.on_computer.write_bytes(file(9, "production", key=stranger))
    with pytest.raises(EnvironmentsUnsigned):
        origin_of("production", {}, production, NOW)
    assert not production.last_serial.exists()


def test_a_list_of_another_environment_by_the_same_signer_keeps_nobody_out(production: Sources) -> None:
    """It lies in every build for acceptance, and on some systems any user of a computer may put it there."""
    production.on_computer.write_bytes(file(99, "acceptance"))
    assert origin_of("production", {}, production, NOW) == "https://zorg-id.example:8007"
    production.on_computer.unlink()
    assert origin_of("production", {}, production, NOW) == "https://zorg-id.example:8007"
    assert production.last_serial.read_text() == "7"


def test_a_list_that_has_ended_says_so(production: Sources) -> None:
    with pytest.raises(EnvironmentsExpired):
        origin_of("production", {}, production, NOW + timedelta(days=31))


def test_a_build_without_a_list_says_so(production: Sources) -> None:
    assert isinstance(production.in_build, Path)
    production.in_build.unlink()
    with pytest.raises(EnvironmentsMissing):
        origin_of("production", {}, production, NOW)


@pytest.mark.parametrize("content", [b"", b"many", b"\xff\xfe", b"-1"])
def test_a_spoilt_memory_counts_as_none(production: Sources, content: bytes) -> None:
    production.last_serial.parent.mkdir()
    production.last_serial.write_bytes(content)
    assert origin_of("production", {}, production, NOW)
    assert production.last_serial.read_text() == "7"


def test_without_a_place_to_remember_the_list_counts_all_the_same(production: Sources) -> None:
    production.last_serial.parent.write_text("a file in the way")
    assert origin_of("production", {}, production, NOW)


@pytest.mark.parametrize("language", Language)
def test_every_refusal_says_what_to_do(language: Language) -> None:
    kinds = [*EnvironmentRefused.__subclasses__()]
    facts = {"valid_until": "2026-12-31", "serial": 3, "least": 7}
    said = [sentence(Said(kind.code, facts), language) for kind in kinds]
    assert all(one.text and one.next_step for one in said)
    assert len({one.text for one in said}) == len(kinds) == 6
