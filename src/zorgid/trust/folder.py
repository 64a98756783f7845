"""Reads the trust store of an environment from a folder that its operator keeps.

`roots/*.pem` and `intermediates/*.pem` hold certificates; `store.toml` holds a table `[[issuer]]` for each
issuing authority, pinned by key, and a table `[[ways]]` for each authority that is asked about certificates.
Whether test issuers count is decided by the environment and never by the folder.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography import x509

from zorgid.kernel.errors import Fault
from zorgid.pki.algorithms import admitted_key, key_fingerprint
from zorgid.pki.identity import CardType
from zorgid.pki.recognise import Level, TrustStore, UziIssuer
from zorgid.trust.model import TrustBundle, Ways

STORE_FILE: Final = "store.toml"


class TrustStoreUnfit(Fault):
    """The folder with the trust store cannot be used; the operator must mend what the text names."""


def load_trust_bundle(folder: Path, *, accepts_test: bool) -> TrustBundle:
    """Return the trust store in `folder` and its ways.

    Raises:
        TrustStoreUnfit: something is missing or malformed, an issuer is pinned of which no certificate is
            here, or an authority is here to which there is no way.
    """
    try:
        described = tomllib.loads((folder / STORE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrustStoreUnfit(f"{folder / STORE_FILE} cannot be read") from error
    store = TrustStore(
        roots=_certificates(folder / "roots"),
        intermediates=_certificates(folder / "intermediates"),
        issuers=tuple(_each(described, "issuer", _issuer)),
        accepts_test=accepts_test,
    )
    bundle = TrustBundle(store, dict(_each(described, "ways", _ways)))
    return require_whole(bundle)


def require_whole(bundle: TrustBundle) -> TrustBundle:
    """Return the bundle when cards can be recognised with it. Raises `TrustStoreUnfit`."""
    store = bundle.store
    if not store.roots or not store.issuers:
        raise TrustStoreUnfit("a trust store needs a root and an issuer")
    present = {_key_of(certificate) for certificate in store.intermediates}
    for issuer in store.issuers:
        if issuer.key_sha256 not in present:
            raise TrustStoreUnfit(f"no certificate has the key of issuer {issuer.name}")
    for certificate in (*store.roots, *store.intermediates):
        if _key_of(certificate) not in bundle.ways:
            raise TrustStoreUnfit(f"no way to ask {certificate.subject.rfc4514_string()} for a status")
    return bundle


def _key_of(certificate: x509.Certificate) -> bytes:
    return key_fingerprint(admitted_key(certificate.public_key()))


def _certificates(folder: Path) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for file in sorted(folder.glob("*.pem")):
        try:
            found += x509.load_pem_x509_certificates(file.read_bytes())
        except ValueError as error:
            raise TrustStoreUnfit(f"{file} holds no certificate") from error
    return tuple(found)


Made = TypeVar("Made")


def _each(
    described: Mapping[str, Any], name: str, make: Callable[[Mapping[str, Any]], Made]
) -> Sequence[Made]:
    try:
        return [make(table) for table in described[name]]
    except (KeyError, TypeError, ValueError) as error:
        raise TrustStoreUnfit(f"{STORE_FILE}: a table [[{name}]] is missing or malformed") from error


def _issuer(table: Mapping[str, Any]) -> UziIssuer:
    return UziIssuer(
        name=table["name"],
        key_sha256=bytes.fromhex(table["key_sha256"]),
        card_type=CardType(table["card_type"]),
        oid_ca=table["oid_ca"],
        authentication_policy=table["authentication_policy"],
        level=Level(table["level"]),
        is_test=table["is_test"],
    )


def _ways(table: Mapping[str, Any]) -> tuple[bytes, Ways]:
    ways = Ways(tuple(table["ocsp"]), tuple(table["crl"]))
    if "crl_hours" in table:
        ways = Ways(ways.ocsp, ways.crl, timedelta(hours=table["crl_hours"]))
    if not ways.ocsp and not ways.crl:
        raise ValueError("an authority without any way")
    return bytes.fromhex(table["key_sha256"]), ways
