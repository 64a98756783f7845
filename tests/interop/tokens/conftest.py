"""Tokens of others, one for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.readers.conftest import pcscd, yubikey_reader  # noqa: F401 - fixtures
from tests.interop.readers.service import YUBIKEY, Service
from tests.interop.tokens.tokens import PIN, PUK, YKCS11, blank_token, module, softhsm

from cardkit.pkcs11 import probe
from cardkit.pkcs11.readers import Pkcs11Reader, Pkcs11Readers
from cardkit.secrets import ManagementKeyKind, factory_management_key
from cardkit.virtual import VirtualCard, make_blank_card


@pytest.fixture(autouse=True)
def patient_with_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is slow since the machine is busy is not taken for one that hangs."""
    monkeypatch.setattr(probe, "LONGEST_SECONDS", 120.0)


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Pkcs11Readers]:
    """SoftHSM2 without a token."""
    with softhsm(tmp_path) as readers:
        yield readers


@pytest.fixture
def token(tokens: Pkcs11Readers) -> Pkcs11Reader:
    """A token of SoftHSM2 with PUK and PIN, and nothing else."""
    reader = blank_token(tokens)
    with reader.open_card() as card:
        card.unblock_pin(PUK, PIN)
    return reader


@pytest.fixture
def virtual_card() -> VirtualCard:
    """A blank card; ykcs11 of Debian 12 knows management keys of one kind only."""
    key = factory_management_key(ManagementKeyKind.tdes)
    return VirtualCard(make_blank_card(12345678, management_key=key))


@pytest.fixture
def card_reader(yubikey_reader: Service, virtual_card: VirtualCard) -> Iterator[Pkcs11Reader]:  # noqa: F811
    """The virtual card behind ykcs11, through the PC/SC service."""
    yubikey_reader.insert(virtual_card, YUBIKEY)
    with module(YKCS11) as readers:
        (found,) = readers.at(yubikey_reader.slot_name(YUBIKEY))
        yield found
