"""The demo world: a test UZI register, a tray of virtual cards, a box of blank ones, and two organisations.

Everything in it is a stand-in and says so. It is made at the first start and kept in the data folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cardkit.attestation import TrustedRoot
from cardkit.card import KeySlot
from cardkit.virtual import (
    AttestationRoot,
    VirtualReader,
    make_blank_card,
    make_test_attestation_root,
    make_uzi_like_card,
)
from zorgid.audit.model import SYSTEM, Actor, ActorKind
from zorgid.clients import actions as clients
from zorgid.clients.model import RedirectPolicy
from zorgid.demo.care_application import CareApplication
from zorgid.demo.uzi_register.cards import TestCard
from zorgid.demo.uzi_register.register import Register
from zorgid.demo.uzi_trust import trust_in
from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource
from zorgid.organisations import actions as organisations
from zorgid.organisations.errors import OrganisationUnknown
from zorgid.organisations.model import MeansKind, Organisation, OrganisationState, OrganisationType
from zorgid.pki.algorithms import KeyKind
from zorgid.settings import Settings
from zorgid.stock import actions as stock
from zorgid.stock.errors import BlankCardUnknown
from zorgid.stock.model import AttestationRoot as RootName
from zorgid.storage.database import Database, Origin, Work
from zorgid.storage.locks import exclusive
from zorgid.trust.model import TrustBundle

CARE_ABOVE: Final = 2
WORKPLACE_ABOVE: Final = 3
REGISTER_ABOVE: Final = 5
"""How far above the port of the portal the others are."""

BLANK_CARDS: Final = 6
FIRST_CHIP_SERIAL: Final = 20_000_001
FIRST_UZI_CHIP_SERIAL: Final = 10_000_001
STRANGE_CARD: Final = "vreemde-kaart"
"""A blank card that was never sold by the platform's operator."""
STRANGE_CHIP_SERIAL: Final = 29_999_999
BLANK_KIND: Final = "virtual-extended"
SUPPORT: Final = Actor(ActorKind.support, reference="demo")

DE_LINDE: Final = "90000382"
HET_LELIETJE: Final = "90000401"


@dataclass(frozen=True)
class Member:
    """An organisation of the demo and the professional who is named in its registration request."""

    ura: str
    name: str
    type: OrganisationType
    professional: str
    """Label of the test card that validates the organisation."""


MEMBERS: Final = (
    Member(DE_LINDE, "Huisartsenpraktijk De Linde", OrganisationType.huisarts, "huisarts-linde"),
    Member(HET_LELIETJE, "Apotheek Het Lelietje", OrganisationType.apotheek, "apotheker-lelietje"),
)


@dataclass(frozen=True)
class Places:
    """Where the demo answers, all beside the platform's own port."""

    care_port: int
    workplace_port: int
    register_port: int
    scheme_and_host: str
    """How visitors reach them: on another site than the platform in the demo, on its own host over TLS."""

    @classmethod
    def beside(cls, settings: Settings) -> "Places":
        """Return the ports of the demo, above that of the portal (8602, 8603, 8605)."""
        port, host = settings.listen_port, urlsplit(settings.origin).hostname
        reached = f"https://{host}" if settings.is_secure else "http://127.0.0.1"
        return cls(port + CARE_ABOVE, port + WORKPLACE_ABOVE, port + REGISTER_ABOVE, reached)

    @property
    def care_origin(self) -> str:
        """The care application's origin: another site than the platform's, as in life, where that can be."""
        return f"{self.scheme_and_host}:{self.care_port}"

    @property
    def workplace_origin(self) -> str:
        """Where the virtual workplace answers."""
        return f"{self.scheme_and_host}:{self.workplace_port}"

    @property
    def register_origin(self) -> str:
        """Where the test UZI register answers."""
        return f"http://127.0.0.1:{self.register_port}"


@dataclass(frozen=True)
class World:
    """Everything outside the platform, open and ready."""

    places: Places
    register: Register
    reader: VirtualReader
    cards_folder: Path
    attestation_root: AttestationRoot
    care_application: CareApplication
    trust: TrustBundle

    @property
    def attestation_roots(self) -> dict[RootName, tuple[TrustedRoot, ...]]:
        """The roots under which the virtual cards attest; a test root, and named so."""
        root = TrustedRoot("TEST attestation root of the demo", self.attestation_root.certificate_der)
        return {RootName.test: (root,)}

    def card(self, label: str) -> TestCard:
        """Return a test UZI card by its label."""
        return self.register.card(label)


def open_world(
    settings: Settings, *, clock: Clock, random: RandomSource, folder: Path, kept_in: Path | None = None
) -> World:
    """Make or open the demo world.

    The register's keys, which take long to make, are kept in `kept_in`; the rest in `folder`. Takes some
    seconds at the first start.
    """
    places = Places.beside(settings)
    kept = kept_in or folder
    kept.mkdir(parents=True, exist_ok=True)
    with exclusive(kept / "register.lock"):  # a demo and the main job by itself may begin together
        register = Register.open(
            kept / "uzi-register",
            base_url=places.register_origin,
            clock=clock,
            random=random,
            keys=KeyKind.p256 if settings.card_key_kind is KeyKind.p256 else KeyKind.rsa2048,
        )
    root = _attestation_root(folder / "attestation-root.pem", clock)
    reader = VirtualReader(folder / "cards")
    fill_tray(reader, register, root, {**BOX, STRANGE_CARD: STRANGE_CHIP_SERIAL})
    return World(
        places=places,
        register=register,
        reader=reader,
        cards_folder=folder / "cards",
        attestation_root=root,
        care_application=CareApplication.create(
            issuer=settings.issuer,
            origin=places.care_origin,
            random=random,
            workplace=f"{places.workplace_origin}/",
        ),
        trust=trust_in(register),
    )


def _attestation_root(file: Path, clock: Clock) -> AttestationRoot:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = make_test_attestation_root(now=clock() - timedelta(days=1))
        file.touch(mode=0o600)
        file.write_bytes(made.to_pem())
    return AttestationRoot.from_pem(file.read_bytes())


def fill_tray(
    reader: VirtualReader, register: Register, root: AttestationRoot, blanks: Mapping[str, int]
) -> None:
    """Put what is missing in the tray: the test UZI cards, and blank cards (chip serials by name)."""
    there = set(reader.cards)
    for number, card in enumerate(register.cards):
        if f"uzi-{card.label}" not in there:
            keys = {
                KeySlot(usage.value): (key.private_key, key.certificate) for usage, key in card.keys.items()
            }
            state = make_uzi_like_card(FIRST_UZI_CHIP_SERIAL + number, keys, pin=card.pin, puk=card.puk)
            reader.add(f"uzi-{card.label}", state)
    for name, serial in blanks.items():
        if name not in there:
            reader.add(name, make_blank_card(serial, attestation_root=root))


def blank_name(number: int) -> str:
    """Return the name in the tray of the n-th blank card, counted from nought."""
    return f"leeg-{number + 1}"


BOX: Final = {blank_name(number): FIRST_CHIP_SERIAL + number for number in range(BLANK_CARDS)}
"""The box of blank cards that was sold: chip serials by name."""


async def populate(database: Database, origin: Origin, world: World) -> None:
    """Write what is missing of stock, approved requests and care application into the database."""
    async with database.work(origin) as work:
        await _register_care_application(work, world.care_application)
        for serial in BOX.values():
            await stock_card(work, str(serial))
        for member in MEMBERS:
            await _approved(work, member)


async def _register_care_application(work: Work, application: CareApplication) -> None:
    """Tell the platform of the care application, with the key that it made at this start."""
    await clients.put_client(
        work, application.registration(), by=SUPPORT, redirects=RedirectPolicy.loopback_allowed
    )


async def stock_card(work: Work, chip_serial: str) -> None:
    """Sell a blank card, unless its chip is known already."""
    try:
        await stock.blank_card_by_chip(work, chip_serial=chip_serial)
    except BlankCardUnknown:
        blank = await stock.add_to_stock(work, chip_serial=chip_serial, kind=BLANK_KIND, by=SUPPORT)
        await stock.allocate(work, number=blank.number, by=SUPPORT)
        await stock.ship(work, number=blank.number, by=SUPPORT)


async def _approved(work: Work, member: Member) -> Organisation:
    """Return the organisation of an approved request: made, as the web form and support will do."""
    try:
        return await organisations.organisation_by_ura(work, member.ura)
    except OrganisationUnknown:
        pass
    requested = await organisations.request_registration(
        work,
        ura=member.ura,
        name=member.name,
        type=member.type,
        means=frozenset({MeansKind.smartcard}),
        administrator_uzi_number=UZI_NUMBER_OF[member.ura],
        administrator_email=f"administrator@{member.ura}.example",
        representative_email=f"vertegenwoordiger@{member.ura}.example",
        by=SYSTEM,
    )
    return await organisations.approve_request(work, organisation_id=requested.id, by=SUPPORT)


UZI_NUMBER_OF: Final = {DE_LINDE: "900000101", HET_LELIETJE: "900000102"}
"""The professional named in each request."""


async def is_registered(database: Database, origin: Origin, ura: str) -> bool:
    """Tell whether an organisation of the demo went through its validation."""
    async with database.work(origin) as work:
        found = await organisations.organisation_by_ura(work, ura)
    return found.state is OrganisationState.registered
