"""The object identifiers, names and key usages of the UZI register, real and test, as tables.

Those of test cards of type Z, and all real ones, are the register's; those of test cards of the types N and M
continue its row and are made up.

Source: CPS UZI-register, tables 4, 7 and 10, section 7.1.2; test cards of the register.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from zorgid.pki.algorithms import PublicKey
from zorgid.pki.identity import CardType
from zorgid.pki.profiles import CLIENT_AUTH, DOCUMENT_SIGNING, EMAIL_PROTECTION, ENCRYPTING_FILE_SYSTEM, Usage


class CardUsage(StrEnum):
    """The certificates of a card."""

    authentication = "authentication"
    signature = "signature"
    confidentiality = "confidentiality"


@dataclass(frozen=True)
class IssuerLine:
    """What cards of one type carry in one environment."""

    name: str
    oid_ca: str
    policies: Mapping[CardUsage, str]


_TEST: Final = "2.16.528.1.1007.99"
_REAL_CA: Final = "2.16.528.1.1003.1.3.5.5"
_REAL_POLICY: Final = "2.16.528.1.1003.1.2.5"


def _three(prefix: str, first: int) -> dict[CardUsage, str]:
    return {usage: f"{prefix}{first + place}" for place, usage in enumerate(CardUsage)}


def _two(prefix: str, first: int) -> dict[CardUsage, str]:
    """Return the policies of cards without a name: they cannot sign."""
    return {
        CardUsage.authentication: f"{prefix}{first}",
        CardUsage.confidentiality: f"{prefix}{first + 1}",
    }


TEST_ISSUERS: Final[Mapping[CardType, IssuerLine]] = {
    CardType.Z: IssuerLine("TEST UZI-register Zorgverlener CA G3", f"{_TEST}.217", _three(f"{_TEST}.", 211)),
    CardType.N: IssuerLine(
        "TEST UZI-register Medewerker op naam CA G3", f"{_TEST}.218", _three(f"{_TEST}.", 211)
    ),
    CardType.M: IssuerLine(
        "TEST UZI-register Medewerker niet op naam CA G3", f"{_TEST}.219", _two(f"{_TEST}.", 214)
    ),
}

REAL_ISSUERS: Final[Mapping[CardType, IssuerLine]] = {
    CardType.Z: IssuerLine("UZI-register Zorgverlener CA G3", f"{_REAL_CA}.2", _three(f"{_REAL_POLICY}.", 1)),
    CardType.N: IssuerLine(
        "UZI-register Medewerker op naam CA G3", f"{_REAL_CA}.3", _three(f"{_REAL_POLICY}.", 1)
    ),
    CardType.M: IssuerLine(
        "UZI-register Medewerker niet op naam CA G3", f"{_REAL_CA}.4", _two(f"{_REAL_POLICY}.", 4)
    ),
}

TEST_ROOT: Final = "TEST Zorg CSP Root CA G3"
TEST_LEVEL_2: Final = "TEST Zorg CSP Level 2 Persoon CA G3"
UNKNOWN_ISSUER: Final = "TEST Onbekende uitgever CA"
IMITATION_ROOT: Final = "TEST nagemaakte Root CA - G3"
IMITATION_ISSUER: Final = "TEST nagemaakte UZI-register Medewerker op naam CA G3"


@dataclass(frozen=True)
class UsageLine:
    """Key usages and purposes of one certificate of a card."""

    rsa: frozenset[Usage]
    ec: frozenset[Usage]
    purposes: tuple[str, ...]

    def usages_for(self, public_key: PublicKey) -> frozenset[Usage]:
        """Return the key usages for this kind of key; real cards have RSA keys only."""
        return self.rsa if isinstance(public_key, RSAPublicKey) else self.ec


USAGES: Final[Mapping[CardUsage, UsageLine]] = {
    CardUsage.authentication: UsageLine(
        frozenset({Usage.digital_signature}),
        frozenset({Usage.digital_signature}),
        (CLIENT_AUTH, EMAIL_PROTECTION, DOCUMENT_SIGNING),
    ),
    CardUsage.signature: UsageLine(
        frozenset({Usage.content_commitment}),
        frozenset({Usage.content_commitment}),
        (EMAIL_PROTECTION, DOCUMENT_SIGNING),
    ),
    CardUsage.confidentiality: UsageLine(
        frozenset({Usage.key_encipherment, Usage.data_encipherment}),
        frozenset({Usage.key_agreement}),
        (EMAIL_PROTECTION, ENCRYPTING_FILE_SYSTEM),
    ),
}
