"""Recognising UZI cards with the status that their issuers give (LOGIN-4, CARD-2)."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from zorgid.demo.uzi_trust import trust_in
from zorgid.kernel.errors import Refusal
from zorgid.pki.algorithms import admitted_key, key_fingerprint
from zorgid.pki.errors import (
    StatusRefused,
    StatusRevoked,
    StatusTooOld,
    StatusUnavailable,
    StatusUnfit,
    StatusUnknown,
    UziChainInvalid,
    UziTestIssuer,
)
from zorgid.storage.database import Origin
from zorgid.trust.actions import sweep
from zorgid.trust.model import MadeWith, RevokedBefore, TrustBundle, Ways
from zorgid.trust.status import AUTHORITY_KEPT_FOR

ORIGIN = Origin(request_id="test-request", address=None, node="test-node")


def der_of(certificate):
    return certificate.public_bytes(Encoding.DER)


def good_card(register):
    return next(card for card in register.cards if card.expected == "good")


def shown(register):
    return der_of(good_card(register).authentication.certificate)


async def outcome(trust, unverified):
    try:
        await trust.recognise_uzi_card(unverified)
    except Refusal as refusal:
        return refusal.code
    return "good"


async def test_every_card_of_the_register_gets_the_answer_it_should(trust, register):
    answers = {
        card.label: await outcome(trust, der_of(card.authentication.certificate)) for card in register.cards
    }

    assert answers == {card.label: card.expected for card in register.cards}


async def test_a_recognised_card_says_what_is_on_it(trust, register):
    card = good_card(register)

    recognised = await trust.recognise_uzi_card(der_of(card.authentication.certificate))

    assert recognised.certificate == card.authentication.certificate
    assert recognised.identity.uzi_number in card.authentication.certificate.subject.rfc4514_string()
    assert recognised.valid_until == card.authentication.certificate.not_valid_after_utc


async def test_test_cards_are_refused_where_they_do_not_count(new_trust, register):
    bundle = trust_in(register)
    production = replace(bundle, store=replace(bundle.store, accepts_test=False))

    with pytest.raises(UziTestIssuer):
        await new_trust(production).recognise_uzi_card(shown(register))


async def test_a_card_revoked_a_moment_ago_is_refused(trust, register):
    card = good_card(register)
    await trust.recognise_uzi_card(shown(register))
    register.revoke(card.authentication.certificate.serial_number)

    with pytest.raises(StatusRevoked):
        await trust.recognise_uzi_card(shown(register))


async def test_an_answer_that_is_too_old_refuses_and_the_list_is_not_asked(trust, register, wire):
    register.go_stale()

    with pytest.raises(StatusTooOld):
        await trust.recognise_uzi_card(shown(register))


async def test_when_the_issuer_is_silent_and_no_list_is_kept_the_card_is_refused(trust, register):
    register.go_dark()

    with pytest.raises(StatusUnavailable):
        await trust.recognise_uzi_card(shown(register))


def no_ocsp(_request, response):
    """The responder is down while the lists are still served."""
    return httpx.Response(503) if "/ocsp" in str(_request.url) else response


async def test_when_the_responder_is_silent_a_fresh_list_counts(trust, register, wire):
    wire.change = no_ocsp

    assert (await trust.recognise_uzi_card(shown(register))).identity.uzi_number
    assert any("/cdp/" in url for _, url in wire.requests)


async def test_a_card_on_the_list_is_refused_when_the_responder_is_silent(trust, register, wire):
    wire.change = no_ocsp
    register.revoke(good_card(register).authentication.certificate.serial_number)

    with pytest.raises(StatusRevoked):
        await trust.recognise_uzi_card(shown(register))


async def test_a_kept_list_counts_for_four_hours_and_not_longer(trust, register, wire, clock):
    wire.change = no_ocsp
    await trust.recognise_uzi_card(shown(register))
    register.go_dark()

    clock.advance(timedelta(hours=3, minutes=59))
    assert await outcome(trust, shown(register)) == "good"
    clock.advance(timedelta(minutes=2))
    assert await outcome(trust, shown(register)) == "uzi-status-too-old"


async def test_a_list_with_a_lower_number_than_seen_before_does_not_count(trust, register, wire, clock):
    kept = []

    def remember(request, response):
        if request.method == "GET":
            kept.append((str(request.url), response.content))
        return no_ocsp(request, response)

    wire.change = remember
    await trust.recognise_uzi_card(shown(register))
    old = dict(kept)
    register.revoke(good_card(register).authentication.certificate.serial_number)
    clock.advance(timedelta(hours=1))
    wire.change = no_ocsp
    assert await outcome(trust, shown(register)) == "uzi-revoked"

    clock.advance(timedelta(hours=1))
    wire.change = lambda request, response: (
        httpx.Response(200, content=old[str(request.url)])
        if str(request.url) in old
        else no_ocsp(request, response)
    )
    assert await outcome(trust, shown(register)) == "uzi-revoked"


async def test_what_the_responder_revoked_once_stays_revoked_when_it_falls_silent(trust, register, wire):
    def old_lists(request, response):
        return response

    await trust.recognise_uzi_card(shown(register))
    before = {}

    def remember(request, response):
        if request.method == "GET":
            before[str(request.url)] = response.content
        return response

    wire.change = lambda request, response: no_ocsp(request, remember(request, response))
    await trust.recognise_uzi_card(shown(register))  # the list, from before, is now kept
    register.revoke(good_card(register).authentication.certificate.serial_number)
    wire.change = old_lists
    assert await outcome(trust, shown(register)) == "uzi-revoked"
    wire.change = no_ocsp

    assert await outcome(trust, shown(register)) == "uzi-revoked"


def answered(content):
    return lambda request, response: (
        httpx.Response(200, content=content) if "/ocsp" in str(request.url) else response
    )


async def test_an_answer_that_proves_nothing_refuses_and_the_list_does_not_help(trust, register, wire):
    wire.change = answered(b"garbage")

    with pytest.raises((StatusUnfit, UziChainInvalid)):
        await trust.recognise_uzi_card(shown(register))


async def test_an_old_answer_played_back_is_refused(trust, register, wire):
    """The nonce of another question stands in it."""
    taped = {}

    def tape(request, response):
        taped[request.content] = response.content
        return response

    wire.change = tape
    await trust.recognise_uzi_card(shown(register))
    card_answer = list(taped.values())[-1]
    wire.change = answered(card_answer)

    with pytest.raises(StatusUnfit):
        await trust.recognise_uzi_card(shown(register))


async def test_a_redirect_is_not_followed(trust, register, wire):
    wire.change = lambda request, response: (
        httpx.Response(302, headers={"location": "http://elsewhere.test/"})
        if "/ocsp" in str(request.url)
        else response
    )

    await trust.recognise_uzi_card(shown(register))

    assert not any("elsewhere" in url for _, url in wire.requests)


async def test_only_addresses_that_the_store_lists_are_called(new_trust, register, wire):
    """The address in a certificate is written by whoever made it: no request forgery by a made-up card."""
    bundle = trust_in(register)
    elsewhere = {
        key: Ways(tuple("http://listed.test/ocsp" for _ in ways.ocsp), ways.crl)
        for key, ways in bundle.ways.items()
    }

    await new_trust(TrustBundle(bundle.store, elsewhere)).recognise_uzi_card(shown(register))

    assert {url for method, url in wire.requests if method == "POST"} == {"http://listed.test/ocsp"}


async def test_an_issuer_without_a_way_is_never_good(new_trust, register):
    with pytest.raises(StatusUnavailable):
        await new_trust(TrustBundle(trust_in(register).store, {})).recognise_uzi_card(shown(register))


async def test_an_answer_without_end_is_cut_off(trust, register, wire):
    wire.change = answered(b"\x30" * 200_000)

    await trust.recognise_uzi_card(shown(register))  # too large is no answer, so the list counts

    assert any("/cdp/" in url for _, url in wire.requests)


async def test_a_revoked_authority_breaks_the_chain(trust, register):
    issuer = register.hierarchy.level_2.certificate
    register.revoke(issuer.serial_number)

    with pytest.raises(UziChainInvalid):
        await trust.recognise_uzi_card(shown(register))


async def test_the_status_of_authorities_is_asked_once_an_hour_and_of_the_card_each_time(
    trust, register, wire, clock
):
    await trust.recognise_uzi_card(shown(register))
    first = len(wire.requests)
    await trust.recognise_uzi_card(shown(register))
    second = len(wire.requests) - first
    clock.advance(timedelta(minutes=58))
    await trust.recognise_uzi_card(shown(register))

    assert (first, second, len(wire.requests) - first - second) == (3, 1, 3)


async def kept_answers(database):
    """Return which kept answers tell of a revocation, one truth value each."""
    async with database.work(ORIGIN) as work:
        cursor = await work.connection.execute("select revoked_at is not null from trust_ocsp_answer")
        return sorted(row[0] for row in await cursor.fetchall())


async def test_answers_are_dropped_when_nothing_takes_them_any_more_but_no_revocation_is(
    trust, register, database, clock
):
    """A card that was revoked stays so while its issuer is silent."""
    good, revoked = [card for card in register.cards if card.expected == "good"][:2]
    register.revoke(revoked.authentication.certificate.serial_number, at=clock() - timedelta(hours=1))
    for card in (good, revoked):
        await outcome(trust, der_of(card.authentication.certificate))
    before = await kept_answers(database)
    clock.advance(AUTHORITY_KEPT_FOR)
    async with database.work(ORIGIN) as work:
        await sweep(work)
    assert await kept_answers(database) == before

    clock.advance(timedelta(seconds=1))
    async with database.work(ORIGIN) as work:
        await sweep(work)

    assert before.count(False) >= 1
    assert await kept_answers(database) == [True]


async def test_an_unknown_card_of_a_known_issuer_is_refused(trust, register, monkeypatch):
    monkeypatch.setattr(register, "_issued", set())

    with pytest.raises((StatusUnknown, StatusRefused)):
        await trust.recognise_uzi_card(shown(register))


async def test_the_daily_check_finds_cards_revoked_before_the_making_only(trust, register, clock):
    """CARD-16."""
    cards = [card for card in register.cards if card.expected == "good"][:3]
    made_at = clock()
    register.revoke(cards[0].authentication.certificate.serial_number, at=made_at - timedelta(hours=1))
    register.revoke(cards[1].authentication.certificate.serial_number, at=made_at + timedelta(hours=1))
    clock.advance(timedelta(hours=2))
    made_with = [MadeWith(card.label, der_of(card.authentication.certificate), made_at) for card in cards]

    recheck = await trust.revoked_before_making(made_with)
    assert recheck.revoked == (RevokedBefore(cards[0].label, made_at - timedelta(hours=1)),)
    assert recheck.unlearned == ()

    register.go_dark()
    recheck = await trust.revoked_before_making(made_with)
    assert {one.reference for one in recheck.revoked} == {cards[0].label}
    assert recheck.unlearned == (cards[2].label,)


def test_every_authority_of_the_demo_can_be_asked(register):
    bundle = trust_in(register)

    for certificate in (*bundle.store.roots, *bundle.store.intermediates):
        assert key_fingerprint(admitted_key(certificate.public_key())) in bundle.ways
