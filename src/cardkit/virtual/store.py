"""A virtual card in a file, so that it survives the program and a kill at any moment.

The file is written beside the old one, made durable and put in its place in one step: there is always a whole
card on disk. It is readable text with every secret in it, and says in its first line what it is.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cardkit.card import KeyAlgorithm, PinPolicy, TouchPolicy
from cardkit.errors import CardBusy, CardFileUnreadable
from cardkit.secrets import ManagementKeyKind
from cardkit.virtual.state import CardState, Mode, Reference, StoredKey, StoredManagementKey

try:
    import fcntl
except ImportError:  # Windows: there the reader alone sees to it that a card has one user
    fcntl = None  # type: ignore[assignment]

WARNING: Final = (
    "TEST CARD: a virtual card for trying things out. It protects nothing and proves nobody's identity."
)
FORMAT: Final = 1
OWNER_ONLY: Final = 0o600


class CardFile:
    """The file of one virtual card; it is the `store` that a `VirtualCard` keeps itself in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, state: CardState) -> None:
        """Keep `state` durably, in place of what was there."""
        beside = self.path.with_name(f".{self.path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(to_json(state), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        _make_durable(self.path.parent)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the card against every other program. Raises `CardBusy`; a kill ends the holding."""
        with self.path.with_name(f".{self.path.name}.lock").open("a") as lock:
            _lock(lock.fileno())
            yield

    def load(self) -> CardState:
        """Return the card's memory. Raises `CardFileUnreadable`."""
        try:
            return from_json(json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CardFileUnreadable(str(self.path)) from error


def _lock(descriptor: int) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CardBusy from error


def to_json(state: CardState) -> dict[str, Any]:
    """Return `state` as plain values."""
    return {
        "warning": WARNING,
        "format": FORMAT,
        "mode": state.mode.value,
        "serial": state.serial,
        "firmware": list(state.firmware),
        "atr": state.atr.hex(),
        "pin": _reference_to_json(state.pin),
        "puk": _reference_to_json(state.puk),
        "management_key": {
            "kind": state.management_key.kind.value,
            "value": state.management_key.value.hex(),
            "touch_needed": state.management_key.touch_needed,
        },
        "factory_management_kind": state.factory_management_kind.value,
        "algorithms": sorted(algorithm.value for algorithm in state.algorithms),
        "keys": {f"{reference:02X}": _key_to_json(key) for reference, key in state.keys.items()},
        "objects": {f"{name:06X}": _text(content) for name, content in state.objects.items()},
    }


def from_json(values: dict[str, Any]) -> CardState:
    """Return the state that `to_json` wrote.

    Raises `ValueError`, `KeyError` or `TypeError` for anything else.
    """
    if values["format"] != FORMAT:
        raise ValueError("another format")
    major, minor, patch = values["firmware"]
    management = values["management_key"]
    return CardState(
        mode=Mode(values["mode"]),
        serial=int(values["serial"]),
        firmware=(int(major), int(minor), int(patch)),
        atr=bytes.fromhex(values["atr"]),
        pin=_reference_from_json(values["pin"]),
        puk=_reference_from_json(values["puk"]),
        management_key=StoredManagementKey(
            ManagementKeyKind(management["kind"]),
            bytes.fromhex(management["value"]),
            touch_needed=bool(management["touch_needed"]),
        ),
        factory_management_kind=ManagementKeyKind(values["factory_management_kind"]),
        algorithms=frozenset(KeyAlgorithm(name) for name in values["algorithms"]),
        keys=MappingProxyType({int(ref, 16): _key_from_json(key) for ref, key in values["keys"].items()}),
        objects=MappingProxyType({int(name, 16): _bytes(text) for name, text in values["objects"].items()}),
    )


def _reference_to_json(reference: Reference) -> dict[str, Any]:
    return {
        "value": reference.value.hex(),
        "tries_left": reference.tries_left,
        "most_tries": reference.most_tries,
    }


def _reference_from_json(values: dict[str, Any]) -> Reference:
    return Reference(bytes.fromhex(values["value"]), int(values["tries_left"]), int(values["most_tries"]))


def _key_to_json(key: StoredKey) -> dict[str, Any]:
    return {
        "pkcs8": _text(key.pkcs8_der),
        "pin_policy": key.pin_policy.value,
        "touch_policy": key.touch_policy.value,
        "was_generated": key.was_generated,
    }


def _key_from_json(values: dict[str, Any]) -> StoredKey:
    return StoredKey(
        _bytes(values["pkcs8"]),
        PinPolicy(values["pin_policy"]),
        TouchPolicy(values["touch_policy"]),
        was_generated=bool(values["was_generated"]),
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _make_durable(folder: Path) -> None:
    """Make the renaming itself survive a power cut, where the system lets a folder be opened for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
