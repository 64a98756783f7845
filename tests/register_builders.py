"""Builds organisations, people, blank cards and Smartcards in the database, showing only what a test is about."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from zorgid.audit.model import SYSTEM, Actor, ActorKind
from zorgid.ca.store import serial_bytes
from zorgid.cards import actions as cards
from zorgid.cards.model import Card
from zorgid.kernel.ids import IssuanceId, OrganisationId, PersonId
from zorgid.organisations import actions as organisations
from zorgid.organisations.model import MeansKind, Organisation, OrganisationType
from zorgid.people import actions as people
from zorgid.people.model import MeansPolicy, Names, Person
from zorgid.roles import actions as roles
from zorgid.roles.model import Role
from zorgid.stock import actions as stock
from zorgid.stock.model import BlankCard
from zorgid.storage.database import Work

URA = "90000382"
VALIDATOR = "900016528"
BORN_ON = date(1980, 2, 29)
numbers = itertools.count(100_000_000)


def names(full_name: str = "Anna de Vries", surname: str = "de Vries", given_names: str = "Anna") -> Names:
    return Names(full_name, surname, given_names)


def actor(person: Person | PersonId) -> Actor:
    """Somebody who proved to be there with a means."""
    person_id = person.id if isinstance(person, Person) else person
    return Actor(ActorKind.person, PersonId(person_id), means="uzi-card")


async def requested_organisation(work: Work, *, ura: str = URA, **others: Any) -> Organisation:
    fields: dict[str, Any] = {
        "name": "Huisartsenpraktijk De Linde",
        "type": OrganisationType.huisarts,
        "means": frozenset({MeansKind.smartcard}),
        "administrator_uzi_number": VALIDATOR,
        "administrator_email": "arts@linde.example",
        "representative_email": "praktijk@linde.example",
        "by": SYSTEM,
    }
    return await organisations.request_registration(work, ura=ura, **{**fields, **others})


async def registered_organisation(work: Work, *, ura: str = URA, **others: Any) -> Organisation:
    requested = await requested_organisation(work, ura=ura, **others)
    await organisations.approve_request(work, organisation_id=requested.id, by=SYSTEM)
    await organisations.validate_organisation(work, ura=ura, uzi_number=VALIDATOR, card_type="Z", by=SYSTEM)
    return await organisations.register_organisation(work, organisation_id=requested.id, by=SYSTEM)


async def known_person(
    work: Work, *, uzi_number: str | None = None, ura: str = URA, called: Names | None = None
) -> Person:
    """Somebody whose birth date is known."""
    number = uzi_number or str(next(numbers))
    person = await people.recognise_person(
        work, uzi_number=number, ura=ura, names=called or names(surname=f"de Vries {number}")
    )
    return await people.state_birth_date(
        work, person_id=person.id, birth_on=BORN_ON, ura=ura, by=actor(person)
    )


async def person_with_role(work: Work, role: Role, organisation_id: OrganisationId | None) -> Person:
    person = await known_person(work)
    await roles.grant_role(
        work,
        person_id=person.id,
        role=role,
        organisation_id=organisation_id,
        policy=MeansPolicy.one_kind,
        by=SYSTEM,
    )
    return person


async def sold_blank_card(
    work: Work, *, chip_serial: str | None = None, kind: str = "virtual-extended"
) -> BlankCard:
    serial = chip_serial or str(next(numbers))
    added = await stock.add_to_stock(work, chip_serial=serial, kind=kind, by=SYSTEM)
    await stock.allocate(work, number=added.number, by=SYSTEM)
    return await stock.ship(work, number=added.number, by=SYSTEM)


async def issuing_card(work: Work, holder: Person, organisation: Organisation) -> Card:
    """A card in the making, with its three certificates signed and on hold."""
    sold = await sold_blank_card(work)
    blank = await stock.reserve_for_making(
        work, chip_serial=sold.chip_serial, issuance_id=IssuanceId(uuid4()), by=actor(holder)
    )
    card = await cards.begin_card(
        work,
        blank=blank,
        holder_id=holder.id,
        organisation_id=organisation.id,
        policy=MeansPolicy.one_kind,
        by=actor(holder),
    )
    await give_certificates(work, card)
    return card


async def active_card(work: Work, holder: Person, organisation: Organisation) -> Card:
    card = await issuing_card(work, holder, organisation)
    return await cards.activate_card(work, card_id=card.id, by=actor(holder))


async def give_certificates(work: Work, card: Card) -> None:
    """Put three issued certificates on hold under the card, as signing leaves them; their bytes mean nothing."""
    await work.connection.execute(
        "insert into ca_authority (name, key_name, certificate, made_at) values ('smartcard', 'smartcard-ca', '', %s)"
        " on conflict do nothing",
        (work.now,),
    )
    for profile in ("authentication", "signature", "confidentiality"):
        await _give_certificate(work, card, profile)


async def _give_certificate(work: Work, card: Card, profile: str) -> None:
    digest = hashlib.sha256(f"{card.id} {profile}".encode()).digest()
    await work.connection.execute("insert into ca_key_seen values (%s, %s)", (digest, work.now))
    columns = {
        "serial": serial_bytes(int.from_bytes(digest[:15])),
        "authority": "smartcard",
        "card_id": card.id,
        "profile": profile,
        "public_key_sha256": digest,
        "algorithm": "ecdsa_sha256",
        "tbs": b"tbs",
        "valid_from": work.now,
        "valid_until": card.valid_until,
        "stage": "issued",
        "certificate": digest,
        "fingerprint_sha256": hashlib.sha256(digest).digest(),
        "intended_at": work.now,
        "issued_at": work.now,
        "status": "on_hold",
        "reason": "certificate_hold",
        "status_at": work.now,
        "crl_entry": b"entry",
    }
    places = ", ".join(f"%({name})s" for name in columns)
    await work.connection.execute(
        f"insert into ca_certificate ({', '.join(columns)}) values ({places})", columns
    )


async def certificate_statuses(work: Work, card: Card) -> set[tuple[str, str | None]]:
    """The status and reason that the certificates of a card have; one pair when they agree."""
    found = await work.connection.execute(
        "select status, reason from ca_certificate where card_id = %s", (card.id,)
    )
    return set(await found.fetchall())


async def audited(work: Work, subject_id: UUID | str) -> Sequence[tuple[str, str | None, str | None]]:
    """Event, state before and state after of each entry about the subject, in no order."""
    found = await work.connection.execute(
        "select event, was, becomes from audit_entry where subject_id = %s order by event, was, becomes",
        (str(subject_id),),
    )
    return await found.fetchall()


async def events_about(work: Work, subject_id: UUID | str) -> set[str]:
    """The names of what the log tells about the subject."""
    return {event for event, _, _ in await audited(work, subject_id)}


async def emitted(work: Work, name: str) -> Sequence[Mapping[str, Any]]:
    """The facts of the outbox events of this name, in order."""
    found = await work.connection.execute(
        "select facts from outbox_event where name = %s order by sequence", (name,)
    )
    return [row[0] for row in await found.fetchall()]
