"""Builds a whole platform for tests: demo settings on a database of the test, small keys, the test register trusted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from tests.ports import free_port, ports_for_demo
from zorgid.app import Additions, Running, build
from zorgid.ca.keys import KeyKind
from zorgid.ca.model import HierarchyPlan
from zorgid.demo.uzi_register.register import Register
from zorgid.demo.uzi_trust import trust_in
from zorgid.kernel.clock import Clock, system_clock
from zorgid.kernel.randomness import system_random
from zorgid.pki.algorithms import KeyKind as CardKeyKind
from zorgid.pki.recognise import UziIssuer
from zorgid.settings import Settings
from zorgid.trust.model import TrustBundle


def demo_settings(folder: Path, database_url: str, **others: Any) -> Settings:
    """Return settings of a demo on free ports, on a migrated database."""
    main, pki = ports_for_demo(), free_port()
    given = {
        "node": "test-node",
        "data_folder": folder,
        "database_url": database_url,
        "origin": f"http://localhost:{main}",
        "listen_port": main,
        "pki_origin": f"http://127.0.0.1:{pki}",
        "pki_listen_port": pki,
        "stop_within_seconds": 5,
    }
    return Settings(**{**given, **others})


def register_in(folder: Path, clock: Clock = system_clock) -> Register:
    """Return the test UZI register with quick keys."""
    base_url = "http://127.0.0.1:9"
    return Register.open(
        folder / "register", base_url=base_url, clock=clock, random=system_random, keys=CardKeyKind.p256
    )


@asynccontextmanager
async def platform(
    settings: Settings, *, clock: Clock = system_clock, with_worker: bool = True, **additions: Any
) -> AsyncIterator[Running]:
    """Run a platform while the block does."""
    given = {
        "makes_what_is_missing": True,
        "hierarchy_plan": HierarchyPlan(is_stand_in=True, key_kind=KeyKind.p256),
        "trust": trust_in(register_in(settings.data_folder, clock)),
        "attestation_roots": {},
    }
    added = Additions(**{**given, **additions})
    async with build(settings, added, clock=clock, with_worker=with_worker) as running:
        yield running


def write_trust_folder(folder: Path, bundle: TrustBundle) -> None:
    """Write a trust store as an operator keeps it."""
    for name, certificates in (("roots", bundle.store.roots), ("intermediates", bundle.store.intermediates)):
        (folder / name).mkdir(parents=True)
        for number, certificate in enumerate(certificates):
            (folder / name / f"{number}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    lines = [line for issuer in bundle.store.issuers for line in _issuer_lines(issuer)]
    for key_sha256, ways in bundle.ways.items():
        lines += [
            "[[ways]]",
            f'key_sha256 = "{key_sha256.hex()}"',
            f"ocsp = {list(ways.ocsp)}",
            f"crl = {list(ways.crl)}",
        ]
    (folder / "store.toml").write_text("\n".join(lines))


def _issuer_lines(issuer: UziIssuer) -> list[str]:
    return [
        "[[issuer]]",
        f'name = "{issuer.name}"',
        f'key_sha256 = "{issuer.key_sha256.hex()}"',
        f'card_type = "{issuer.card_type}"',
        f'oid_ca = "{issuer.oid_ca}"',
        f'authentication_policy = "{issuer.authentication_policy}"',
        f'level = "{issuer.level}"',
        f"is_test = {str(issuer.is_test).lower()}",
    ]
