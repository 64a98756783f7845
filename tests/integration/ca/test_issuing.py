"""Issuing: intent, signature and record, and what remains when something dies in between."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from tests.ca_builders import HOLDER, ORIGIN, fresh_keys, new_card
from tests.integration.ca.conftest import PLAN

from zorgid.ca import actions as ca
from zorgid.ca import store
from zorgid.ca.errors import CertificateUnknown, HierarchyMissing, IntentSpent, KeyAlreadySeen
from zorgid.ca.hierarchy import initialise_hierarchy, load_hierarchy
from zorgid.ca.keys import EncryptedFileKeys, KeyKind, KeyMisused
from zorgid.ca.model import CertificateStatus, Places
from zorgid.ca.status import OUTCOME_DUE_WITHIN
from zorgid.kernel.secrets import Secret
from zorgid.pki.crl import RevocationReason
from zorgid.pki.prepare import card_validity
from zorgid.pki.profiles import CARD_PROFILES, Profile

pytestmark = pytest.mark.oldest_postgresql

GOOD, ON_HOLD, REVOKED = CertificateStatus.good, CertificateStatus.on_hold, CertificateStatus.revoked


async def crl_of(house):
    async with house.database.work(ORIGIN) as work:
        return x509.load_der_x509_crl((await ca.current_crl(work, house.authority.name)).der)


async def test_a_card_gets_three_certificates_on_hold_that_say_who_holds_it(house):
    """CARD-5, CARD-6."""
    issued = await house.issue()

    assert [one.profile for one in issued] == list(CARD_PROFILES)
    for one in issued:
        assert one.status is ON_HOLD
        one.certificate.verify_directly_issued_by(house.authority.certificate)
        assert HOLDER.uzi_number in one.certificate.subject.rfc4514_string()
        assert one.certificate.not_valid_before_utc < house.clock()  # ALL-11


async def test_a_certificate_is_on_hold_in_a_published_crl_before_it_leaves(house):
    issued = await house.issue()

    crl = await crl_of(house)
    for one in issued:
        entry = crl.get_revoked_certificate_by_serial_number(one.serial)
        assert (
            entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name == "certificate_hold"
        )


async def test_the_crl_with_the_hold_is_published_before_the_key_is_used(house, monkeypatch):
    intents = await house.intend(new_card())
    seen = []
    sign = house.keys.sign

    def look(name, data, algorithm):
        if data in {intent.prepared.tbs for intent in intents}:
            with psycopg.connect(house.url) as connection:
                der = connection.execute("select der from ca_crl where authority = 'smartcard'").fetchone()[0]
            crl = x509.load_der_x509_crl(der)
            seen.append(all(crl.get_revoked_certificate_by_serial_number(one.serial) for one in intents))
        return sign(name, data, algorithm)

    monkeypatch.setattr(house.keys, "sign", look)
    await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)

    assert seen == [True, True, True]


async def test_a_key_used_twice_is_refused(house):
    keys = fresh_keys()
    await house.intend(new_card(), keys)

    with pytest.raises(KeyAlreadySeen):
        await house.intend(new_card(), {**fresh_keys(), Profile.signature: keys[Profile.signature]})


async def test_one_key_for_two_usages_is_refused(house):
    keys = fresh_keys()

    with pytest.raises(KeyAlreadySeen):
        await house.intend(new_card(), {**keys, Profile.signature: keys[Profile.authentication]})


async def test_a_key_of_a_uzi_card_or_of_an_authority_is_refused(house):
    keys = fresh_keys()
    async with house.database.work(ORIGIN) as work:
        await ca.see_key(work, keys[Profile.authentication])
        await ca.see_key(work, keys[Profile.authentication])

    with pytest.raises(KeyAlreadySeen):
        await house.intend(new_card(), keys)
    with pytest.raises(KeyAlreadySeen):
        await house.intend(
            new_card(), {**fresh_keys(), Profile.signature: house.authority.certificate.public_key()}
        )


async def test_of_two_who_bring_the_same_key_at_once_one_is_refused(house):
    keys = fresh_keys()

    outcomes = await asyncio.gather(
        house.intend(new_card(), keys), house.intend(new_card(), keys), return_exceptions=True
    )

    assert [type(one) for one in outcomes].count(KeyAlreadySeen) == 1


async def test_signing_again_returns_the_same_certificates_without_using_the_key(house, monkeypatch):
    intents = await house.intend(new_card())
    first = await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)
    monkeypatch.setattr(house.keys, "sign", None)

    again = await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)

    assert again == first


async def test_two_that_sign_the_same_intents_at_once_use_the_key_once(house, monkeypatch):
    intents = await house.intend(new_card())
    used = []
    sign = house.keys.sign

    def count(name, data, algorithm):
        used.append(data)
        return sign(name, data, algorithm)

    monkeypatch.setattr(house.keys, "sign", count)
    args = (house.database, house.keys, house.authority, intents, ORIGIN)
    outcomes = await asyncio.gather(ca.sign_intents(*args), ca.sign_intents(*args), return_exceptions=True)

    for intent in intents:
        assert used.count(intent.prepared.tbs) == 1
    assert any(not isinstance(one, BaseException) for one in outcomes)
    assert all(isinstance(one, IntentSpent) or len(one) == 3 for one in outcomes)


class Killed(BaseException):
    """Stands for kill -9."""


async def killed_at(house, monkeypatch, point):
    """Begin to issue for a card, and die at `point`."""
    card = new_card()
    intents = await house.intend(card)
    if point == "after the intent":
        return card, intents
    if point in {"before the key is used", "after the key was used"}:
        sign = house.keys.sign

        def die(name, data, algorithm):
            if data != intents[1].prepared.tbs:
                return sign(name, data, algorithm)
            if point == "after the key was used":
                sign(name, data, algorithm)
            raise Killed

        monkeypatch.setattr(house.keys, "sign", die)
    else:

        async def die(*_):
            raise Killed

        monkeypatch.setattr(store, "record_issued", die)
    with pytest.raises(Killed):
        await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)
    monkeypatch.undo()
    return card, intents


POINTS = ["after the intent", "before the key is used", "after the key was used", "before the record"]


@pytest.mark.parametrize("point", POINTS)
async def test_an_issue_killed_at_any_point_leaves_nothing_good_and_is_swept(
    house, monkeypatch, clock, point
):
    """CARD-9."""
    card, intents = await killed_at(house, monkeypatch, point)

    await house.set_status(card, GOOD)  # must not help what was never recorded
    for intent in intents[1:]:
        assert (await house.ask(intent.serial)).certificate_status is not ocsp.OCSPCertStatus.GOOD
    clock.advance(OUTCOME_DUE_WITHIN + timedelta(seconds=1))
    async with house.database.work(ORIGIN) as work:
        swept = await ca.sweep_intents(work)
    await house.publish()

    crl = await crl_of(house)
    assert swept == sum(
        1 for intent in intents if crl.get_revoked_certificate_by_serial_number(intent.serial)
    )
    for intent in intents[1:]:
        answer = await house.ask(intent.serial)
        assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert answer.revocation_reason is x509.ReasonFlags.cessation_of_operation
    with pytest.raises(IntentSpent):
        await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)


async def test_the_sweep_leaves_intents_that_are_young_and_certificates_that_are_done(house, clock):
    await house.intend(new_card())
    await house.issue()

    async with house.database.work(ORIGIN) as work:
        assert await ca.sweep_intents(work) == 0


async def test_intents_of_a_card_that_failed_meanwhile_are_not_handed_out(house):
    card = new_card()
    intents = await house.intend(card)
    await house.set_status(card, REVOKED, RevocationReason.cessation_of_operation)

    with pytest.raises(IntentSpent):
        await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)


async def test_an_intent_that_was_not_committed_is_never_signed(house):
    class Broken(Exception):
        pass

    intents = []
    with pytest.raises(Broken):
        async with house.database.work(ORIGIN) as work:
            intents += await ca.intend_certificates(
                work,
                authority=house.authority,
                card_id=new_card(),
                holder=HOLDER,
                public_keys=fresh_keys(),
                validity=card_validity(work.now),
                is_attested=False,
            )
            raise Broken
    with pytest.raises(IntentSpent):
        await ca.sign_intents(house.database, house.keys, house.authority, intents, ORIGIN)


async def test_many_issuers_at_once_give_everybody_their_own_certificates(house):
    issued = await asyncio.gather(*(house.issue() for _ in range(6)))

    serials = {one.serial for three in issued for one in three}
    assert len(serials) == 18
    crl = await crl_of(house)
    assert serials <= {entry.serial_number for entry in crl}


async def test_certificates_are_found_by_card_and_by_fingerprint(house):
    card = new_card()
    issued = await house.issue(card)

    async with house.database.work(ORIGIN) as work:
        assert {one.serial for one in await ca.certificates_of_card(work, card)} == {
            one.serial for one in issued
        }
        found = await ca.issued_certificate(work, fingerprint_sha256=issued[0].fingerprint_sha256)
        assert found == issued[0]
        with pytest.raises(CertificateUnknown):
            await ca.issued_certificate(work, fingerprint_sha256=bytes(32))


async def test_two_nodes_that_make_the_hierarchy_at_once_make_one(database, keys):
    places = Places("http://pki.test")
    both = await asyncio.gather(
        *(
            initialise_hierarchy(database, keys, root_keys=keys, plan=PLAN, places=places, origin=ORIGIN)
            for _ in range(2)
        )
    )

    assert both[0].smartcard.certificate == both[1].smartcard.certificate
    assert both[0] == await load_hierarchy(database, places, ORIGIN)
    assert "TEST" in both[0].smartcard.certificate.subject.rfc4514_string()


async def test_without_a_hierarchy_the_start_says_so(database):
    with pytest.raises(HierarchyMissing):
        await load_hierarchy(database, Places("http://pki.test"), ORIGIN)


async def test_the_same_keys_for_the_same_card_again_get_the_same_intents(house):
    """ALL-8: the platform died after the commit; the app asks again."""
    card, keys = new_card(), fresh_keys()
    first = await house.intend(card, keys)

    assert await house.intend(card, keys) == first
    issued = await ca.sign_intents(house.database, house.keys, house.authority, first, ORIGIN)
    again = await house.intend(card, keys)
    assert await ca.sign_intents(house.database, house.keys, house.authority, again, ORIGIN) == issued


async def test_the_same_keys_after_a_revocation_or_in_other_places_are_refused(house):
    card, keys = new_card(), fresh_keys()
    await house.intend(card, keys)
    swapped = {
        Profile.authentication: keys[Profile.signature],
        Profile.signature: keys[Profile.authentication],
        Profile.confidentiality: keys[Profile.confidentiality],
    }
    with pytest.raises(KeyAlreadySeen):
        await house.intend(card, swapped)

    await house.set_status(card, REVOKED)
    with pytest.raises(KeyAlreadySeen):
        await house.intend(card, keys)


async def test_a_hierarchy_made_before_does_not_need_the_key_of_the_root(house, keys, tmp_path):
    without_root = EncryptedFileKeys(tmp_path / "online", Secret(b"passphrase"))

    again = await initialise_hierarchy(
        house.database, keys, root_keys=without_root, plan=PLAN, places=Places("http://x"), origin=ORIGIN
    )

    assert again.root.certificate == house.hierarchy.root.certificate
    assert without_root.names() == []


async def test_a_home_with_another_key_of_the_same_name_signs_no_list(house, tmp_path):
    other = EncryptedFileKeys(tmp_path / "other", Secret(b"passphrase"))
    other.create_key(house.authority.key_name, KeyKind.rsa2048)

    with pytest.raises(KeyMisused):
        await ca.publish_crl(house.database, other, house.authority, ORIGIN)
