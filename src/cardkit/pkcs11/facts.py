"""What a module, its slots and its tokens say of themselves without a PIN, as plain values for a report.

No value of a key or of a data object is ever read. What tells one person's card from another's (labels and
serial numbers) is left out unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from pkcs11 import Attribute, MechanismFlag, ObjectClass, PKCS11Error, SlotFlag, TokenFlag

from cardkit.errors import CardError
from cardkit.facts import certificate_facts
from cardkit.piv.objects import load_certificate
from cardkit.pkcs11.module import Module

Facts = dict[str, Any]

CLASSES: Final = (
    ObjectClass.CERTIFICATE,
    ObjectClass.PUBLIC_KEY,
    ObjectClass.PRIVATE_KEY,
    ObjectClass.DATA,
)
PLAIN: Final = (
    Attribute.ID,
    Attribute.PRIVATE,
    Attribute.MODIFIABLE,
    Attribute.TRUSTED,
    Attribute.CERTIFICATE_TYPE,
    Attribute.KEY_TYPE,
    Attribute.KEY_GEN_MECHANISM,
    Attribute.LOCAL,
    Attribute.SENSITIVE,
    Attribute.EXTRACTABLE,
    Attribute.ALWAYS_AUTHENTICATE,
    Attribute.MODULUS_BITS,
    Attribute.EC_PARAMS,
    Attribute.SIGN,
    Attribute.VERIFY,
    Attribute.DECRYPT,
    Attribute.ENCRYPT,
    Attribute.DERIVE,
    Attribute.UNWRAP,
    Attribute.WRAP,
)
"""What is read of every object; certificates are public and are described besides."""


def module_facts(module: Module, *, with_names: bool) -> Facts:
    """Return what a module says of itself and of its slots. Raises `ModuleUnusable`."""
    with module.calling("C_GetInfo"):
        library = module.library
        return {
            "manufacturer": library.manufacturer_id,
            "description": library.library_description,
            "version": _dotted(library.library_version),
            "cryptoki": _dotted(library.cryptoki_version),
            "slots": [_slot(slot, with_names=with_names) for slot in library.get_slots()],
        }


def _slot(slot: Any, *, with_names: bool) -> Facts:
    facts: Facts = {
        "id": slot.slot_id,
        "description": slot.slot_description,
        "manufacturer": slot.manufacturer_id,
        "flags": _names(SlotFlag, slot.flags),
    }
    if slot.flags & SlotFlag.TOKEN_PRESENT:
        facts["token"] = _told(lambda: _token(slot, with_names=with_names))
        facts["mechanisms"] = _told(lambda: _mechanisms(slot))
    return facts


def _token(slot: Any, *, with_names: bool) -> Facts:
    token = slot.get_token()
    facts: Facts = {
        "manufacturer": token.manufacturer_id,
        "model": token.model,
        "hardware": _dotted(token.hardware_version),
        "firmware": _dotted(token.firmware_version),
        "flags": _names(TokenFlag, token.flags),
        "objects": _told(lambda: list(_objects(token, with_names=with_names))),
    }
    if with_names:
        facts |= {"label": token.label, "serial": token.serial.decode("ascii", "replace")}
    return facts


def _mechanisms(slot: Any) -> dict[str, str]:
    """Return each mechanism with the lengths of its keys, as the module counts them, and its uses."""
    found = {}
    for mechanism in slot.get_mechanisms():
        info = slot.get_mechanism_info(mechanism)
        name = mechanism.name if isinstance(mechanism, Enum) else f"{mechanism:#x}"
        uses = " ".join(_names(MechanismFlag, info.flags))
        found[name] = f"{info.min_key_length}-{info.max_key_length} {uses}"
    return dict(sorted(found.items()))


def _objects(token: Any, *, with_names: bool) -> Iterator[Facts]:
    """Yield what is seen of each object without a PIN."""
    session = token.open()
    try:
        for kind in CLASSES:
            for thing in list(session.get_objects({Attribute.CLASS: kind})):
                yield {"class": kind.name, **_object(thing, kind, with_names=with_names)}
    finally:
        session.close()


def _object(thing: Any, kind: ObjectClass, *, with_names: bool) -> Facts:
    asked = (*PLAIN, Attribute.LABEL) if with_names else PLAIN
    facts = {attribute.name: value for attribute in asked if (value := _value(thing, attribute)) is not None}
    der = _value(thing, Attribute.VALUE) if kind is ObjectClass.CERTIFICATE else None
    if der is not None:
        facts["certificate"] = _told(lambda: _certificate(bytes.fromhex(der), with_names=with_names))
    return facts


def _certificate(der: bytes, *, with_names: bool) -> Facts:
    return certificate_facts(load_certificate(der), with_names=with_names)


def _value(thing: Any, attribute: Attribute) -> Any:
    """Return an attribute as a plain value, or None when the object has none or does not tell it."""
    try:
        value = thing[attribute]
    except (PKCS11Error, NotImplementedError, ValueError):
        return None
    if isinstance(value, Enum):
        return value.name
    return value.hex() if isinstance(value, bytes) else value


def _told(ask: Any) -> Any:
    """Return what is told, or the kind of error in its place: one deaf corner does not end a report."""
    try:
        return ask()
    except (PKCS11Error, CardError, ValueError) as error:
        return {"error": type(error).__name__}


def _names(kind: Any, flags: Any) -> list[str]:
    return sorted(flag.name for flag in kind if flag & flags)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
