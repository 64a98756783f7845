"""The signed list of environments counts as it was signed, while it is valid, and never an older one (ALL-4)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from zorgid.protocol.environments import (
    MOST_BYTES,
    Environment,
    EnvironmentList,
    EnvironmentRefused,
    EnvironmentsExpired,
    EnvironmentsMalformed,
    EnvironmentsOlder,
    EnvironmentsUnsigned,
    sign_environments,
    verify_environments,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def listed(**changed: Any) -> EnvironmentList:
    given: dict[str, Any] = {
        "serial": 7,
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + timedelta(days=365),
        "environments": [{"id": "production", "origin": "https://zorg-id.example"}],
    }
    return EnvironmentList.model_validate({**given, **changed})


def file_of(listed: EnvironmentList, key: Ed25519PrivateKey = KEY) -> bytes:
    return sign_environments(listed, key.sign).model_dump_json().encode()


def verified(unverified: bytes, *, now: datetime = NOW, least: int = 0) -> EnvironmentList:
    return verify_environments(unverified, [KEY.public_key()], now=now, least_serial=least)


def test_a_signed_list_counts() -> None:
    assert verified(file_of(listed())) == listed()
    assert verified(file_of(listed()), least=7).serial == 7


def test_any_of_the_keys_of_a_build_may_have_signed() -> None:
    """So that a key can be replaced: builds hold the old and the new one for a while."""
    keys = [OTHER.public_key(), KEY.public_key()]
    for key in (KEY, OTHER):
        assert verify_environments(file_of(listed(), key), keys, now=NOW, least_serial=0) == listed()


def test_a_build_without_a_key_takes_no_list() -> None:
    with pytest.raises(EnvironmentsUnsigned):
        verify_environments(file_of(listed()), [], now=NOW, least_serial=0)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    told = json.loads(file_of(listed()))
    change(told)
    return json.dumps(told).encode()


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "origin": lambda told: told["signed"]["environments"][0].update(origin="https://evil.example"),
    "one more": lambda told: told["signed"]["environments"].append(
        {"id": "acceptance", "origin": "https://evil.example"}
    ),
    "id": lambda told: told["signed"]["environments"][0].update(id="acceptance"),
    "serial": lambda told: told["signed"].update(serial=8),
    "end": lambda told: told["signed"].update(valid_until="2099-01-01T00:00:00Z"),
    "begin": lambda told: told["signed"].update(valid_from="2020-01-01T00:00:00Z"),
    "signature": lambda told: told.update(signature="00" * 64),
    "signature of another": lambda told: told.update(signature=OTHER.sign(listed().signed_bytes()).hex()),
    "signature over the bare list": lambda told: told.update(
        signature=KEY.sign(json.dumps(told["signed"]).encode()).hex()
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_list_that_somebody_changed_does_not_count(name: str) -> None:
    with pytest.raises(EnvironmentsUnsigned):
        verified(changed(CHANGES[name]))


MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no signature": lambda told: told.pop("signature"),
    "short signature": lambda told: told.update(signature="ab"),
    "something more": lambda told: told.update(note="x"),
    "something more in the list": lambda told: told["signed"].update(note="x"),
    "another format": lambda told: told["signed"].update(format="zorgid-environments:2"),
    "no environments": lambda told: told["signed"].update(environments=[]),
    "no zone": lambda told: told["signed"].update(valid_until="2099-01-01T00:00:00"),
    "serial 0": lambda told: told["signed"].update(serial=0),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_file_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(EnvironmentsMalformed):
        verified(changed(MALFORMED[name]))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 5000, b" " * MOST_BYTES + b"{}"])
def test_nonsense_is_refused_and_breaks_nothing(content: bytes) -> None:
    with pytest.raises(EnvironmentsMalformed):
        verified(content)


@pytest.mark.parametrize("moved", [timedelta(days=365), timedelta(days=400), -timedelta(days=2)])
def test_a_list_counts_in_its_time_only(moved: timedelta) -> None:
    with pytest.raises(EnvironmentsExpired) as refused:
        verified(file_of(listed()), now=NOW + moved)
    assert refused.value.facts == {"valid_until": "2027-11-21"}


def test_an_older_list_does_not_come_back() -> None:
    with pytest.raises(EnvironmentsOlder) as refused:
        verified(file_of(listed()), least=8)
    assert refused.value.facts == {"serial": 7, "least": 8}


ORIGINS = [
    "http://zorg-id.example", "https://zorg-id.example/", "https://zorg-id.example/x", "https://zorg-id.example?x=1",
    "https://user@zorg-id.example", "https://", "zorg-id.example", "https://zorg-id.example#", "ftp://zorg-id.example",
    "https://zörg.example", "HTTPS://zorg-id.example",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_is_https_and_a_host_and_nothing_more(origin: str) -> None:
    with pytest.raises(ValidationError):
        Environment(id="production", origin=origin)


def test_an_environment_is_named_once() -> None:
    twice = [{"id": "production", "origin": f"https://{host}.example"} for host in ("a", "b")]
    with pytest.raises(ValidationError):
        listed(environments=twice)


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in EnvironmentRefused.__subclasses__()]
    assert len(codes) == len(set(codes)) >= 4
