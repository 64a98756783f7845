"""How the doctor judges what it saw. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509

from zorgid.kernel.clock import CLOCK_SKEW
from zorgid.storage.database import OLDEST_SERVER

NOTABLE_SKEW: Final = timedelta(seconds=2)
SOON: Final = timedelta(days=30)
"""How long before its end a certificate is worth a warning."""


class Verdict(StrEnum):
    """How a part was found."""

    sound = "sound"
    notable = "notable"
    broken = "broken"


@dataclass(frozen=True)
class Finding:
    """What was found of one part; `remedy` says what to do, and is empty for a sound one."""

    part: str
    verdict: Verdict
    says: str
    remedy: str = ""

    def line(self) -> str:
        """Return the finding as a line for the operator."""
        return f"{self.verdict.upper():8} {self.part}: {self.says}" + (
            f" → {self.remedy}" if self.remedy else ""
        )


def of_version(version: int) -> Finding:
    """Judge the server's version, as the server counts it (ALL-3)."""
    named = f"PostgreSQL {version // 10000}.{version % 10000}"
    if version < OLDEST_SERVER:
        return Finding("database", Verdict.broken, f"{named} is too old", "use PostgreSQL 15 or newer")
    return Finding("database", Verdict.sound, named)


def of_clock(ours: datetime, theirs: datetime) -> Finding:
    """Judge the difference between this machine's clock and the database's (ALL-11)."""
    apart = abs(ours - theirs)
    says = f"{apart.total_seconds():.1f} s apart from the database's"
    if apart > CLOCK_SKEW:
        return Finding("clock", Verdict.broken, says, "let both machines follow the same time server")
    if apart > NOTABLE_SKEW:
        return Finding("clock", Verdict.notable, says, "check the time server of both machines")
    return Finding("clock", Verdict.sound, says)


def of_certificate(part: str, certificate: x509.Certificate, now: datetime) -> Finding:
    """Judge the time in which a certificate is valid."""
    name = certificate.subject.rfc4514_string()
    until = certificate.not_valid_after_utc
    if until <= now:
        return Finding(part, Verdict.broken, f"{name} ended on {until:%Y-%m-%d}", "replace it")
    if certificate.not_valid_before_utc > now:
        begin = certificate.not_valid_before_utc
        return Finding(
            part, Verdict.broken, f"{name} begins on {begin:%Y-%m-%d}", "check the clock, or replace it"
        )
    if until <= now + SOON:
        return Finding(
            part, Verdict.notable, f"{name} ends on {until:%Y-%m-%d}", "replace it before that day"
        )
    return Finding(part, Verdict.sound, f"{name} until {until:%Y-%m-%d}")


def names_host(certificate: x509.Certificate, host: str) -> bool:
    """Tell whether a certificate is for `host`, wildcards included (RFC 9525, section 6.3)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    known = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return host in addresses or host in known or f"*.{host.partition('.')[2]}" in known
