"""The identity string of a UZI card, and where it stands in a certificate.

Read strictly: seven parts, version 1, ASCII digits of the exact length. The same string, under an own object
identifier, stands in the certificates of a ZORG-ID Smartcard.

Source: CPS UZI-register, section 7.1.5, tables 10 to 12.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509

from zorgid.pki import der
from zorgid.pki.errors import (
    IdentityAgb,
    IdentityAuthority,
    IdentityCardType,
    IdentityMalformed,
    IdentityMissing,
    IdentityNumber,
    IdentityParts,
    IdentityRepeated,
    IdentityRole,
    IdentityUra,
    IdentityVersion,
)

OTHER_NAME_IDENTITY: Final = x509.ObjectIdentifier("2.5.5.5")
OTHER_NAME_UPN: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")

NO_ROLE: Final = "00.000"
VERSION: Final = "1"
PARTS: Final = 7
LONGEST_TEXT: Final = 200
"""More than the longest identity with an object identifier of two 128-bit arcs."""


class CardType(StrEnum):
    """The kinds of UZI cards, as the identity string writes them."""

    Z = "Z"
    """Zorgverlener: a professional, with a role."""
    N = "N"
    """Medewerker op naam: an employee by name."""
    M = "M"
    """Medewerker niet op naam: an employee without a name."""
    S = "S"
    """Server."""


@dataclass(frozen=True)
class UziIdentity:
    """Who a certificate stands for. Numbers are text: leading zeros count."""

    oid_ca: str
    uzi_number: str
    card_type: CardType
    ura: str
    role: str
    agb: str

    @property
    def upn(self) -> str:
        """The user principal name that belongs to this identity."""
        return f"{self.uzi_number}@{self.ura}"


_SHAPES: Final[tuple[tuple[re.Pattern[str], type[IdentityMalformed]], ...]] = (
    (re.compile(r"[0-2](\.(0|[1-9][0-9]*))+"), IdentityAuthority),
    (re.compile(VERSION), IdentityVersion),
    (re.compile(r"[0-9]{9}"), IdentityNumber),
    (re.compile(r"[ZNMS]"), IdentityCardType),
    (re.compile(r"[0-9]{8}"), IdentityUra),
    (re.compile(r"[0-9]{2}\.[0-9]{3}"), IdentityRole),
    (re.compile(r"[0-9]{8}"), IdentityAgb),
)
"""The form of each of the seven parts, in their order, and the refusal of another form."""


def parse_identity(text: str) -> UziIdentity:
    """Return the identity that `text` writes.

    Raises:
        IdentityMalformed: one of its subclasses names the part that is wrong.
    """
    if not text.isascii() or len(text) > LONGEST_TEXT:
        raise IdentityMalformed
    parts = text.split("-")
    if len(parts) != PARTS:
        raise IdentityParts(found=len(parts))
    for part, (shape, refusal) in zip(parts, _SHAPES, strict=True):
        if shape.fullmatch(part) is None:
            raise refusal
    oid_ca, _version, uzi_number, card_type, ura, role, agb = parts
    return _with_fitting_role(UziIdentity(oid_ca, uzi_number, CardType(card_type), ura, role, agb))


def _with_fitting_role(identity: UziIdentity) -> UziIdentity:
    has_role = identity.role != NO_ROLE
    if has_role != (identity.card_type is CardType.Z):
        raise IdentityRole
    return identity


def write_identity(identity: UziIdentity) -> str:
    """Return the identity string.

    Raises:
        IdentityMalformed: a part of `identity` has not the form that the string demands.
    """
    holder = f"{identity.uzi_number}-{identity.card_type}-{identity.ura}"
    text = f"{identity.oid_ca}-{VERSION}-{holder}-{identity.role}-{identity.agb}"
    if parse_identity(text) != identity:
        raise IdentityMalformed
    return text


def identity_other_name(identity: UziIdentity) -> x509.OtherName:
    """Return the identity as the otherName that a certificate carries."""
    content = write_identity(identity).encode("ascii")
    return x509.OtherName(OTHER_NAME_IDENTITY, der.tlv(der.IA5_STRING, content))


def upn_other_name(identity: UziIdentity) -> x509.OtherName:
    """Return the user principal name as the otherName that an authentication certificate carries."""
    return x509.OtherName(OTHER_NAME_UPN, der.tlv(der.UTF8_STRING, identity.upn.encode("ascii")))


def read_identity(certificate: x509.Certificate) -> UziIdentity:
    """Return the identity in a certificate, found by its type and never by its place.

    Raises:
        IdentityMissing: there is none.
        IdentityRepeated: there are several.
        IdentityMalformed: it is no IA5String; or a subclass, for the part that is wrong.
    """
    found = _other_names(certificate, OTHER_NAME_IDENTITY)
    if not found:
        raise IdentityMissing
    if len(found) > 1:
        raise IdentityRepeated(found=len(found))
    try:
        return parse_identity(der.short_string(found[0], tag=der.IA5_STRING).decode("ascii"))
    except ValueError:
        raise IdentityMalformed from None


def read_upn(certificate: x509.Certificate) -> str | None:
    """Return the user principal name in a certificate, or None unless there is exactly one."""
    found = _other_names(certificate, OTHER_NAME_UPN)
    if len(found) != 1:
        return None
    try:
        return der.short_string(found[0], tag=der.UTF8_STRING).decode("utf-8")
    except ValueError:
        return None


def _other_names(certificate: x509.Certificate, type_id: x509.ObjectIdentifier) -> list[bytes]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.value for name in names.get_values_for_type(x509.OtherName) if name.type_id == type_id]
