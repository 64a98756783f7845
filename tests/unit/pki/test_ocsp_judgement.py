"""Judging what the issuer of a UZI card answers over OCSP: any answer but good refuses (LOGIN-4)."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import NOW, counted_bytes, open_register, shared_register

from zorgid.demo.uzi_register.authorities import Authority, key_usage
from zorgid.demo.uzi_register.register import Register
from zorgid.pki.algorithms import KeyKind, new_private_key, sign_with
from zorgid.pki.crl import RevocationReason
from zorgid.pki.errors import (
    StatusRefused,
    StatusRevoked,
    StatusTooOld,
    StatusUnavailable,
    StatusUnfit,
    StatusUnknown,
)
from zorgid.pki.identity import CardType
from zorgid.pki.ocsp import (
    CertIdHash,
    Good,
    OcspError,
    Responder,
    Revoked,
    Unknown,
    build_answer,
    cert_id,
    error_answer,
    parse_request,
)
from zorgid.pki.ocsp_judgement import judge_ocsp
from zorgid.pki.prepare import new_serial
from zorgid.pki.profiles import SIGNING
from zorgid.pki.status import (
    GoodStatus,
    StatusSource,
    build_ocsp_request,
    crl_addresses,
    ocsp_addresses,
)

NONCE = b"sixteen bytes..."
CARD = shared_register().card("assistente-linde").authentication.certificate
ISSUER = shared_register().hierarchy.issuers[CardType.N]


def ask(
    register: Register, hash_algorithm: CertIdHash = CertIdHash.sha1, nonce: bytes | None = NONCE
) -> bytes:
    request = build_ocsp_request(CARD, ISSUER.certificate, nonce=nonce, hash_algorithm=hash_algorithm)
    answer = register.answer(parse_request(request))
    assert answer is not None
    return answer


def judge(unverified: bytes, *, nonce: bytes | None = NONCE, now=NOW) -> GoodStatus:
    return judge_ocsp(unverified, certificate=CARD, issuer=ISSUER.certificate, now=now, nonce=nonce)


def responder(
    issuer: Authority = ISSUER, *, charged: bool = True, checked: bool = False, until=NOW
) -> Responder:
    """Return somebody who answers, with a certificate by `issuer`."""
    key = new_private_key(KeyKind.p256)
    builder = (
        x509.CertificateBuilder()
        .subject_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(new_serial(counted_bytes()))
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(key_usage(SIGNING), critical=True)
    )
    purpose = ExtendedKeyUsageOID.OCSP_SIGNING if charged else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if not checked:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Responder(issuer.sign(issuer.below(builder)), sign_with(key))


def answer_by(
    who: Responder, answer=None, *, this_update=NOW, next_update=None, serial=None, nonce=NONCE
) -> bytes:
    named = cert_id(ISSUER.certificate, serial or CARD.serial_number, CertIdHash.sha1)
    return build_answer(
        named,
        answer or Good(),
        responder=who,
        produced_at=this_update,
        this_update=this_update,
        next_update=next_update or this_update + timedelta(hours=12),
        nonce=nonce,
    )


@pytest.mark.parametrize("hash_algorithm", CertIdHash)
def test_a_good_card_is_good(hash_algorithm: CertIdHash):
    status = judge(ask(shared_register(), hash_algorithm))

    assert (status.source, status.this_update) == (StatusSource.ocsp, NOW)
    assert status.next_update > NOW


def test_every_authority_between_card_and_root_can_be_asked_after():
    register = shared_register()
    above = register.hierarchy.level_2.certificate
    for issuer in (ISSUER.certificate, *register.hierarchy.older_issuer_certificates):
        request = build_ocsp_request(issuer, above, nonce=None)
        answer = register.answer(parse_request(request))
        assert answer is not None
        assert judge_ocsp(answer, certificate=issuer, issuer=above, now=NOW)


def test_a_revoked_card_is_refused_with_the_moment_of_its_revocation(tmp_path: Path):
    register = open_register(tmp_path)
    card = register.card("ingetrokken").authentication.certificate
    issuer = register.hierarchy.issuers[CardType.N].certificate
    answer = register.answer(parse_request(build_ocsp_request(card, issuer, nonce=None)))
    assert answer is not None

    with pytest.raises(StatusRevoked) as refusal:
        judge_ocsp(answer, certificate=card, issuer=issuer, now=NOW)

    assert refusal.value.facts == {"revoked_at": NOW - timedelta(days=7), "reason": "unspecified"}


def test_a_card_on_hold_is_refused():
    held = Revoked(NOW, RevocationReason.certificate_hold)

    with pytest.raises(StatusRevoked) as refusal:
        judge(answer_by(responder(), held))

    assert refusal.value.facts["reason"] == "certificate_hold"


def test_a_card_that_its_issuer_does_not_know_is_refused():
    with pytest.raises(StatusUnknown):
        judge(answer_by(responder(), Unknown()))


def test_the_issuer_itself_may_answer():
    itself = Responder(ISSUER.certificate, sign_with(ISSUER.key))

    assert judge(answer_by(itself))


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1), -timedelta(seconds=10)])
def test_an_answer_of_the_last_hour_counts(age: timedelta):
    assert judge(answer_by(responder(), this_update=NOW - age))


@pytest.mark.parametrize("age", [timedelta(hours=1, seconds=1), -timedelta(seconds=11), timedelta(days=300)])
def test_an_answer_that_is_old_or_from_the_future_is_refused(age: timedelta):
    with pytest.raises(StatusTooOld):
        judge(answer_by(responder(), this_update=NOW - age))


def test_an_answer_past_its_next_update_is_refused():
    late = answer_by(
        responder(), this_update=NOW - timedelta(minutes=20), next_update=NOW - timedelta(minutes=10)
    )

    with pytest.raises(StatusTooOld):
        judge(late)


def test_a_good_answer_of_yesterday_does_not_hide_a_revocation_of_today():
    """The stale register still says good; the platform does not take it."""
    register = shared_register()
    register.go_stale()
    try:
        with pytest.raises(StatusTooOld):
            judge(ask(register))
    finally:
        register.recover()


def refused_flaw(unverified: bytes, **circumstances) -> str:
    with pytest.raises(StatusUnfit) as refusal:
        judge(unverified, **circumstances)
    return refusal.value.facts["flaw"]


def test_an_answer_with_another_nonce_is_refused():
    assert refused_flaw(answer_by(responder(), nonce=b"of another request")) == "nonce"


def test_an_answer_without_a_nonce_counts_since_responders_may_leave_it_out():
    assert judge(answer_by(responder(), nonce=None))


def test_an_answer_about_another_certificate_is_refused():
    assert refused_flaw(answer_by(responder(), serial=CARD.serial_number + 1)) == "other-certificate"


def test_an_answer_about_the_same_number_of_another_issuer_is_refused():
    other = shared_register().hierarchy.issuers[CardType.Z]
    named = cert_id(other.certificate, CARD.serial_number, CertIdHash.sha1)
    answer = build_answer(
        named, Good(), responder=responder(other), produced_at=NOW, this_update=NOW, next_update=NOW
    )

    assert refused_flaw(answer) == "other-certificate"


REGISTER = shared_register().hierarchy
UNENTITLED = {
    "not charged with answering": lambda: responder(charged=False),
    "whose own status would have to be asked": lambda: responder(checked=True),
    "charged by another issuer": lambda: responder(REGISTER.issuers[CardType.Z]),
    "charged by a stranger": lambda: responder(REGISTER.unknown_issuer),
    "whose time is over": lambda: responder(until=NOW - timedelta(seconds=1)),
}


@pytest.mark.parametrize("who", UNENTITLED)
def test_an_answer_is_refused_by_a_responder(who: str):
    assert refused_flaw(answer_by(UNENTITLED[who]())) == "responder"


def test_an_answer_in_the_name_of_a_responder_but_with_another_key_is_refused():
    entitled = responder()
    forger = Responder(entitled.certificate, sign_with(new_private_key(KeyKind.p256)))

    assert refused_flaw(answer_by(forger)) == "signature"


@pytest.mark.parametrize("error", [OcspError.try_later, OcspError.internal_error])
def test_a_responder_in_trouble_is_as_good_as_none_and_the_list_may_be_asked(error: OcspError):
    with pytest.raises(StatusUnavailable):
        judge(error_answer(error))


@pytest.mark.parametrize("error", [OcspError.malformed_request, OcspError.unauthorized])
def test_a_responder_that_refuses_to_answer_is_no_good_answer(error: OcspError):
    assert refused_flaw(error_answer(error)) == "refused"


@given(st.binary(max_size=200))
def test_bytes_that_are_no_answer_are_refused(unverified: bytes):
    with pytest.raises(StatusRefused):
        judge(unverified)


def test_an_endless_answer_is_refused_unread():
    assert refused_flaw(b"\x30" * 100_000) == "malformed"


def test_addresses_are_found_in_the_certificate():
    assert ocsp_addresses(CARD) == ("http://127.0.0.1:8605/ocsp",)
    assert crl_addresses(CARD) == ("http://127.0.0.1:8605/cdp/test_uzi-register_n_ca_g3.crl",)


def test_a_certificate_without_addresses_has_none():
    root = REGISTER.root.certificate

    assert (ocsp_addresses(root), crl_addresses(root)) == ((), ())


def test_a_request_names_the_issuer_by_sha1_unless_told_otherwise():
    request = parse_request(build_ocsp_request(CARD, ISSUER.certificate, nonce=NONCE))

    assert request.cert_id == cert_id(ISSUER.certificate, CARD.serial_number, CertIdHash.sha1)
    assert request.nonce == NONCE
    assert hashes.SHA1().name == CertIdHash.sha1
