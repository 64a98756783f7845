"""A PC/SC service for a test, with a reader in software or several."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.readers.service import PLAIN, YUBIKEY, Service, service


@pytest.fixture
def pcscd(tmp_path: Path) -> Iterator[Service]:
    """The service, not yet started: `pcscd.start(names of readers)`."""
    with service(tmp_path) as waiting:
        yield waiting


@pytest.fixture
def plain_reader(pcscd: Service) -> Service:
    """The service with one empty reader, under vpcd's own name."""
    pcscd.start(PLAIN)
    return pcscd


@pytest.fixture
def yubikey_reader(pcscd: Service) -> Service:
    """The service with one empty reader, which Yubico's tools take for one of theirs."""
    pcscd.start(YUBIKEY)
    return pcscd
