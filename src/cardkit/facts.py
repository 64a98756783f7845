"""What a certificate is, as plain values for a report: its use, key, validity and issuer.

Whose it is stays out unless asked for.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509

from cardkit.certificates import usage_of
from cardkit.errors import KeyUnsupported
from cardkit.keys import KeyAlgorithm


def certificate_facts(certificate: x509.Certificate, *, with_names: bool) -> dict[str, Any]:
    """Return what a certificate is; with its subject and numbers when `with_names`."""
    facts: dict[str, Any] = {
        "usage": usage_of(certificate).value,
        "key": _key(certificate),
        "valid_from": certificate.not_valid_before_utc.isoformat(),
        "valid_until": certificate.not_valid_after_utc.isoformat(),
        "issuer": certificate.issuer.rfc4514_string(),
        "policies": _policies(certificate),
    }
    if with_names:
        facts |= {
            "subject": certificate.subject.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
        }
    return facts


def _key(certificate: x509.Certificate) -> str:
    try:
        return KeyAlgorithm.of_public_key(certificate.public_key()).value
    except (KeyUnsupported, ValueError):
        return "other"


def _policies(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [policy.policy_identifier.dotted_string for policy in found]
