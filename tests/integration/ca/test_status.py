"""The status of certificates: history, CRLs, responder certificates, and the memory of OCSP answers on two nodes."""

import asyncio
import contextlib
import time
from datetime import timedelta

import psycopg
import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from tests.ca_builders import ORIGIN, new_card

from zorgid.ca import actions as ca
from zorgid.ca import status_store, store
from zorgid.ca.errors import CertificateUnknown, ResponderMissing
from zorgid.ca.model import CertificateStatus
from zorgid.ca.publication import CRL_EVERY
from zorgid.ca.responder import current_responder, renew_responder
from zorgid.pki.crl import RevocationReason
from zorgid.storage.listener import Listener

GOOD, ON_HOLD, REVOKED = CertificateStatus.good, CertificateStatus.on_hold, CertificateStatus.revoked
SAID_GOOD, SAID_REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


def serials_of(crl):
    return {entry.serial_number for entry in x509.load_der_x509_crl(crl.der)}


async def test_hold_periods_stay_to_be_asked_after(house, clock):
    card = new_card()
    serial = (await house.issue(card))[0].serial
    begun = clock()
    moments = {}
    for status in (GOOD, ON_HOLD, GOOD, REVOKED):
        clock.advance(timedelta(hours=1))
        await house.set_status(card, status, RevocationReason.superseded)
        moments[clock()] = status

    async with house.database.work(ORIGIN) as work:
        for at, status in moments.items():
            assert (await ca.status_at(work, serial=serial, at=at)).status is status
            assert (await ca.status_at(work, serial=serial, at=at + timedelta(minutes=59))).status is status
        assert (await ca.status_at(work, serial=serial, at=begun)).status is ON_HOLD
        with pytest.raises(CertificateUnknown):
            await ca.status_at(work, serial=serial, at=begun - timedelta(seconds=1))
        history = await ca.status_history(work, serial=serial)
        assert [change.status for change in history] == [ON_HOLD, GOOD, ON_HOLD, GOOD, REVOKED]


async def test_what_is_revoked_stays_revoked(house):
    card = new_card()
    serial = (await house.issue(card))[0].serial
    await house.set_status(card, REVOKED, RevocationReason.key_compromise)
    await house.set_status(card, GOOD)
    await house.set_status(card, ON_HOLD)

    answer = await house.ask(serial)
    assert answer.certificate_status is SAID_REVOKED
    assert answer.revocation_reason is x509.ReasonFlags.key_compromise


async def test_a_change_of_status_is_undone_with_the_act_it_belongs_to(house):
    card = new_card()
    serial = (await house.issue(card))[0].serial

    with contextlib.suppress(ZeroDivisionError):
        async with house.database.work(ORIGIN) as work:
            await ca.set_status_for_card(work, card_id=card, status=GOOD)
            raise ZeroDivisionError

    assert (await house.ask(serial)).certificate_status is SAID_REVOKED


async def test_a_release_shortens_the_list_while_its_number_grows(house):
    card = new_card()
    serials = {one.serial for one in await house.issue(card)}
    before = await house.publish()
    await house.set_status(card, GOOD)
    after = await house.publish()

    assert serials <= serials_of(before)
    assert not serials & serials_of(after)
    assert after.number == before.number + 1


async def test_a_revoked_certificate_stays_on_the_list_after_it_expired(house, clock):
    card = new_card()
    serial = (await house.issue(card))[0].serial
    await house.set_status(card, REVOKED, RevocationReason.superseded)
    clock.advance(timedelta(days=4 * 365))

    crl = await house.publish()

    assert serial in serials_of(crl)
    extension = x509.load_der_x509_crl(crl.der).extensions.get_extension_for_oid(
        x509.ObjectIdentifier("2.5.29.60")  # expiredCertsOnCRL, X.509 9.5.2.8
    )
    assert not extension.critical


async def test_without_a_change_no_list_is_published_until_the_hour_is_nearly_over(house, clock):
    first = await house.publish()
    clock.advance(CRL_EVERY - timedelta(seconds=1))
    assert await house.publish() == first

    clock.advance(timedelta(seconds=1))
    second = await house.publish()
    assert second.number == first.number + 1
    assert second.next_update - second.this_update == timedelta(hours=2)


async def test_publishers_at_once_take_turns_and_never_share_a_number(house):
    published = await asyncio.gather(
        *(ca.publish_crl(house.database, house.keys, house.authority, ORIGIN) for _ in range(5))
    )

    numbers = sorted(crl.number for crl in published)
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert (await house.publish()).number == numbers[-1]


async def test_a_list_of_a_hundred_thousand_is_published_quickly(house):
    held = (await house.issue())[0].serial
    with psycopg.connect(house.url) as connection:
        connection.execute("alter table ca_certificate drop constraint ca_certificate_public_key_sha256_fkey")
        connection.execute(
            """
            insert into ca_certificate (serial, authority, card_id, profile, public_key_sha256, algorithm, tbs,
                valid_from, valid_until, stage, intended_at, status, reason, status_at, crl_entry)
            select decode(lpad(to_hex(number), 40, '0'), 'hex'), authority, card_id, profile,
                sha256(number::text::bytea), algorithm, '', valid_from, valid_until, 'signing', intended_at,
                'revoked', 'superseded', status_at, overlay(crl_entry placing decode(lpad(to_hex(number), 32, '1'), 'hex') from 5)
            from ca_certificate, generate_series(1, 100000) as number where serial = %s
            """,
            [store.serial_bytes(held)],
        )
    took = []
    for _ in range(3):  # the machine may be busy with something else
        begun = time.monotonic()
        crl = await ca.publish_crl(house.database, house.keys, house.authority, ORIGIN)
        took.append(time.monotonic() - begun)

    assert min(took) < 8, took
    read = x509.load_der_x509_crl(crl.der)
    assert len(read) == 100_003
    assert read.is_signature_valid(house.authority.certificate.public_key())


async def test_a_responder_certificate_is_renewed_in_time_and_lives_thirty_days_at_most(house, clock):
    async def current():
        async with house.database.work(ORIGIN) as work:
            return await current_responder(work, house.authority)

    first = await current()
    assert first.valid_until - first.valid_from <= timedelta(days=30)
    clock.advance(timedelta(days=19))
    await renew_responder(house.database, house.keys, house.authority, ORIGIN)
    assert await current() == first

    clock.advance(timedelta(days=2))
    both = (renew_responder(house.database, house.keys, house.authority, ORIGIN) for _ in range(2))
    await asyncio.gather(*both)
    second = await current()
    assert second.key_name != first.key_name
    async with house.database.work(ORIGIN) as work:
        found = await store.rows(
            work, "select count(*) as number from ca_responder where authority = 'smartcard'"
        )
    assert found[0]["number"] == 2


async def test_without_a_valid_responder_certificate_nothing_is_said(house, clock):
    clock.advance(timedelta(days=31))

    with pytest.raises(ResponderMissing):
        await house.ask(1)


# --- Two nodes -------------------------------------------------------------------------------------------------------


class Node:
    """One node's responder with its own listener; `reads` counts how often its database was asked.

    Its stopwatch stands still until a test moves it, so that a pause of this machine is no time that passed.
    """

    def __init__(self, house, monkeypatch):
        self.seconds = 0.0
        self.responder = house.new_responder(monotonic=lambda: self.seconds)
        self.reads = 0
        self.is_deaf = False
        self.house = house
        sign = self.responder._sign

        async def count(*arguments):
            self.reads += 1
            return await sign(*arguments)

        monkeypatch.setattr(self.responder, "_sign", count)

    def heard(self, payload):
        if not self.is_deaf:
            self.responder.memory.heard(payload)

    @contextlib.asynccontextmanager
    async def running(self):
        memory = self.responder.memory
        listener = Listener(
            self.house.url,
            {"certificate_status": self.heard},
            on_connected=memory.connected,
            on_lost=memory.lost,
        )
        async with listener:
            beating = asyncio.create_task(self.responder.keep_beating())
            await until(lambda: memory.is_trusted)
            yield self
            beating.cancel()

    async def says(self, serial):
        return (await self.house.ask(serial, self.responder)).certificate_status

    async def will_say(self, serial, status):
        async with asyncio.timeout(60):
            while True:
                if await self.says(serial) is status:
                    return
                await asyncio.sleep(0.005)


async def until(holds):
    async with asyncio.timeout(60):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)


@pytest.fixture
async def good(house):
    """A card that works: its id and the serial of one of its certificates."""
    card = new_card()
    serial = (await house.issue(card))[0].serial
    await house.set_status(card, GOOD)
    return card, serial


@pytest.fixture
async def nodes(house, good, monkeypatch):
    async with Node(house, monkeypatch).running() as one, Node(house, monkeypatch).running() as other:
        yield one, other


async def test_an_answer_is_signed_once_and_then_given_from_memory(nodes, good):
    node, _ = nodes
    _, serial = good

    answers = {(await node.responder.answer(node.house.request(serial))).der for _ in range(5)}

    assert len(answers) == 1
    assert node.reads == 1


async def test_an_answer_is_signed_again_after_five_minutes(nodes, good, clock):
    node, _ = nodes
    await node.says(good[1])
    clock.advance(timedelta(minutes=4, seconds=59))
    await node.says(good[1])
    assert node.reads == 1

    clock.advance(timedelta(seconds=1))
    await node.says(good[1])
    assert node.reads == 2


async def test_a_hold_shows_on_the_other_node_as_soon_as_it_is_heard_there(nodes, good):
    """LIFE-3: long before what is in memory would grow old; the stopwatch stands still."""
    one, other = nodes
    card, serial = good
    assert [await one.says(serial), await other.says(serial)] == [SAID_GOOD, SAID_GOOD]

    await one.house.set_status(card, ON_HOLD)
    await other.will_say(serial, SAID_REVOKED)

    await one.house.set_status(card, GOOD)
    await other.will_say(serial, SAID_GOOD)
    assert other.responder.memory.is_trusted


async def test_with_the_listener_cut_the_database_answers_and_memory_counts_again_later(nodes, good):
    node, _ = nodes
    card, serial = good
    await node.says(serial)
    with psycopg.connect(node.house.url, autocommit=True) as connection:
        connection.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()
            """
        )
    await node.house.set_status(card, ON_HOLD)
    await node.will_say(serial, SAID_REVOKED)

    await until(lambda: node.responder.memory.is_trusted)
    reads = node.reads
    await node.says(serial)
    await node.says(serial)
    assert node.reads <= reads + 1


async def test_with_a_listener_that_hears_nothing_a_hold_shows_within_a_second_too(nodes, good):
    """LIFE-3. As when the line is cut without a word: no end of the connection is seen."""
    node, _ = nodes
    card, serial = good
    assert await node.says(serial) is SAID_GOOD
    node.is_deaf = True

    await node.house.set_status(card, ON_HOLD)
    assert node.responder.memory.is_trusted

    node.seconds += 1.0
    assert await node.says(serial) is SAID_REVOKED
    assert not node.responder.memory.is_trusted


async def test_an_answer_read_before_a_change_and_signed_after_it_is_not_kept(nodes, good, monkeypatch):
    node, _ = nodes
    card, serial = good
    sign = node.responder._sign

    async def slow(*arguments):
        signed = await sign(*arguments)
        generation = node.responder.memory.generation
        await node.house.set_status(card, ON_HOLD)
        await until(lambda: node.responder.memory.generation > generation)
        return signed

    monkeypatch.setattr(node.responder, "_sign", slow)
    assert await node.says(serial) is SAID_GOOD
    monkeypatch.setattr(node.responder, "_sign", sign)

    assert await node.says(serial) is SAID_REVOKED


async def test_answers_about_invented_serials_are_not_kept(nodes):
    node, _ = nodes
    for serial in range(1, 20):
        assert await node.says(serial) is ocsp.OCSPCertStatus.UNKNOWN

    assert not node.responder.memory._kept


async def test_a_serial_of_another_authority_is_unknown(house, good):
    async with house.database.work(ORIGIN) as work:
        assert await status_store.status_now(work, house.hierarchy.mobiel.name, good[1]) is None
