"""What must hold of a person's cards after any break, and after the making was gone on with."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.scenarios.world import Maker, Scenario

from cardkit.card import CertificateUsage
from cardkit.piv import PivCard
from cardkit.secrets import Pin
from zorgid_desktop.flow.asking import Wanted


def nothing_unfinished_is_good(world: Scenario, label: str) -> None:
    """No certificate counts but those of the active card: not in the database and not in OCSP."""
    told: dict[UUID, set[str]] = defaultdict(set)
    for row in world.certificates(label, but=world.settled):
        if row["card_state"] == "active":
            continue
        what = f"{row['profile']} of a card that is {row['card_state']}"
        assert row["status"] != "good", what
        if row["certificate"] is not None:
            answer = world.ocsp_within_a_second(row["certificate"], {"on hold", "revoked"})
            assert answer in {"on hold", "revoked"}, f"{what}: {answer}"
            told[row["card_id"]].add(answer)
    world.settled |= {card_id for card_id, answers in told.items() if answers == {"revoked"}}
    living = [card for card in world.cards(label) if card["state"] in {"active", "held"}]
    assert len(living) <= 1, living


def one_good_card(world: Scenario, label: str, maker: Maker) -> None:
    """The person has one card, it is the one that was made, and everything about it is as it should be."""
    nothing_unfinished_is_good(world, label)
    cards = world.cards(label)
    name = maker.cards[Wanted.blank_card]
    states = Counter(card["state"] for card in cards)
    assert states["active"] == 1, states
    assert not states["issuing"], states
    active = next(card for card in cards if card["state"] == "active")
    assert f"blank-{active['chip_serial']}" == name
    assert active["blank_state"] == "used"
    _good_certificates(world, label, active, name)
    _nothing_left_reserved(world, label, active)
    _card_works(world, name, maker)


def _good_certificates(world: Scenario, label: str, active: dict[str, Any], name: str) -> None:
    rows = [row for row in world.certificates(label, but=world.settled) if row["card_id"] == active["id"]]
    good = [row for row in rows if row["status"] == "good"]
    assert sorted(row["profile"] for row in good) == ["authentication", "confidentiality", "signature"]
    assert {row["status"] for row in rows} == {"good"}, rows
    assert {world.ocsp_within_a_second(row["certificate"], {"good"}) for row in good} == {"good"}
    assert {row["certificate"] for row in good} == set(written_on(world, name))


def written_on(world: Scenario, name: str) -> list[bytes]:
    """Return the certificates on a card of the tray."""
    world.reader.insert(name)
    with world.reader.connect() as transport:
        found = PivCard.open(transport).read_certificates()
    world.reader.remove()
    return [one.certificate.public_bytes(Encoding.DER) for one in found]


def _nothing_left_reserved(world: Scenario, label: str, active: dict[str, Any]) -> None:
    number = world.uzi(label).person.uzi_number
    of_person = "person_id = (select person_id from uzi_number where uzi_number = %s)"
    reserved = world.rows(f"select reference from reserved_means where {of_person}", number)
    assert [row["reference"] for row in reserved] == [f"card:{active['id']}"]
    makings = world.rows(f"select step from issuance where {of_person} and step <> 'done'", number)
    assert {row["step"] for row in makings} <= {"failed"}, makings
    held_up = world.rows(
        f"select number from blank_card where state = 'in_making' and issuance_id in "
        f"(select issuance_id from issuance where {of_person} and step in ('done', 'failed'))",
        number,
    )
    assert not held_up


def nobody_has_a_good_certificate_without_an_active_card(world: Scenario) -> None:
    """Of everybody's cards, in the database and in the CRL as it is published now."""
    query = """
        select t.serial, c.state = 'active' as is_active, t.status = 'good' as is_good, t.stage
        from ca_certificate t join card c on c.id = t.card_id
    """
    found = world.rows(query)
    assert all(row["is_good"] == row["is_active"] for row in found)
    listed = world.published_serials()
    for row in found:
        if row["stage"] == "issued":
            assert (int.from_bytes(row["serial"], "big") in listed) != row["is_active"]


def _card_works(world: Scenario, name: str, maker: Maker) -> None:
    state = world.reader.card_state(name)
    assert state.pin.tries_left == state.pin.most_tries
    assert state.puk.tries_left == state.puk.most_tries
    world.reader.insert(name)
    with world.reader.connect() as transport:
        card = PivCard.open(transport)
        found = card.certificate_for(CertificateUsage.authentication)
        card.verify_pin(Pin(maker.new_pin))
    world.reader.remove()
    assert world.ocsp(der_of(found.certificate)) == "good"


def der_of(certificate: x509.Certificate) -> bytes:
    """Return the DER of a certificate."""
    return certificate.public_bytes(Encoding.DER)
