"""A certificate authority for tests: small keys, made once a session, and a way to serve it over real HTTP."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from zorgid.ca import actions as ca
from zorgid.ca.answers import OcspResponder
from zorgid.ca.keys import EncryptedFileKeys
from zorgid.ca.model import CertificateStatus, Hierarchy, IssuedCertificate
from zorgid.kernel.ids import CardId
from zorgid.kernel.randomness import system_random
from zorgid.pki.names import HolderNames
from zorgid.pki.prepare import CardHolder, card_validity
from zorgid.pki.profiles import CARD_PROFILES, Profile
from zorgid.storage.database import Database, Origin
from zorgid.web.pki.app import PkiApp
from zorgid.web.server import Door, serving

HOLDER = CardHolder(
    uzi_number="900012345",
    ura="90000382",
    agb="00000000",
    organisation_name="Huisartsenpraktijk De Linde",
    names=HolderNames(full_name="Sanne Jansen", surname="Jansen", given_names="Sanne"),
)
ORIGIN = Origin(request_id="test-request", address=None, node="test-node")


@asynccontextmanager
async def served(app: PkiApp, port: int) -> AsyncIterator[str]:
    """The address at which the application answers over real HTTP, as the house serves it."""
    async with serving(Door(app, "127.0.0.1", port), stop_within_seconds=5):
        yield f"http://127.0.0.1:{port}"


def fresh_keys() -> dict[Profile, ec.EllipticCurvePublicKey]:
    """Three public keys as a card would make them."""
    return {profile: ec.generate_private_key(ec.SECP256R1()).public_key() for profile in CARD_PROFILES}


@dataclass
class House:
    """A certificate authority on a database, with its port."""

    database: Database
    keys: EncryptedFileKeys
    hierarchy: Hierarchy
    clock: object
    port: int = 0
    url: str = ""
    responder: OcspResponder = field(init=False)

    def __post_init__(self) -> None:
        self.responder = self.new_responder()

    def new_responder(self, **options) -> OcspResponder:
        return OcspResponder(
            self.database,
            self.keys,
            self.hierarchy,
            clock=self.clock,
            random=system_random,
            origin=ORIGIN,
            **options,
        )

    @property
    def app(self) -> PkiApp:
        return PkiApp(self.database, self.hierarchy, self.responder, self.clock, ORIGIN)

    @property
    def authority(self):
        return self.hierarchy.smartcard

    def client(self) -> httpx.AsyncClient:
        """A client that speaks to the application in process."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://pki.test")

    async def intend(self, card_id: CardId, public_keys=None):
        async with self.database.work(ORIGIN) as work:
            return await ca.intend_certificates(
                work,
                authority=self.authority,
                card_id=card_id,
                holder=HOLDER,
                public_keys=public_keys or fresh_keys(),
                validity=card_validity(work.now),
                is_attested=True,
            )

    async def issue(self, card_id: CardId | None = None) -> list[IssuedCertificate]:
        intents = await self.intend(card_id or new_card())
        return await ca.sign_intents(self.database, self.keys, self.authority, intents, ORIGIN)

    async def set_status(self, card_id: CardId, status: CertificateStatus, reason=None) -> None:
        async with self.database.work(ORIGIN) as work:
            await ca.set_status_for_card(work, card_id=card_id, status=status, reason=reason)

    async def publish(self):
        return await ca.publish_changes(self.database, self.keys, self.authority, ORIGIN)

    def request(self, serial: int, nonce: bytes | None = None, algorithm=None) -> bytes:
        """An OCSP request for a serial of the Smartcard CA."""
        issuer = self.authority.certificate
        key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        algorithm = algorithm or hashes.SHA1()
        digest = lambda data: hashlib.new(algorithm.name, data).digest()  # noqa: E731
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            digest(issuer.subject.public_bytes()), digest(key), serial, algorithm
        )
        if nonce:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.build().public_bytes(Encoding.DER)

    async def ask(self, serial: int, responder: OcspResponder | None = None, **options):
        """What OCSP says of a serial."""
        answer = await (responder or self.responder).answer(self.request(serial, **options))
        return ocsp.load_der_ocsp_response(answer.der)


def new_card() -> CardId:
    return CardId(uuid4())
