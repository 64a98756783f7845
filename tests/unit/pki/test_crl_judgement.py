"""Judging a CRL of the issuer of a UZI card, for when OCSP gives no answer (LOGIN-4)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import NOW, shared_register

from zorgid.demo.uzi_register.authorities import Authority
from zorgid.pki.algorithms import KeyKind, algorithm_for, new_private_key, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.crl_judgement import JudgedCrl, judge_crl
from zorgid.pki.errors import StatusRevoked, StatusTooOld, StatusUnfit
from zorgid.pki.identity import CardType
from zorgid.pki.status import StatusSource

HIERARCHY = shared_register().hierarchy
ISSUER = HIERARCHY.issuers[CardType.N]
CARD = shared_register().card("assistente-linde").authentication.certificate


def crl(
    issuer: Authority = ISSUER, *, this_update=NOW, next_update=None, number=7, entries=(), key=None
) -> bytes:
    tbs = build_tbs_crl(
        issuer.certificate,
        number=number,
        this_update=this_update,
        next_update=next_update or this_update + timedelta(hours=48),
        entries=entries,
        expired_from=None,
    )
    return assemble_crl(tbs, algorithm_for(issuer.public_key), sign_with(key or issuer.key)(tbs))


def judge(unverified: bytes, *, lowest_number: int | None = None) -> JudgedCrl:
    return judge_crl(unverified, issuer=ISSUER.certificate, now=NOW, lowest_number=lowest_number)


def test_a_card_that_is_not_on_the_list_is_good():
    status = judge(crl(entries=[encode_entry(5, NOW, RevocationReason.unspecified)])).require_good(CARD)

    assert (status.source, status.this_update) == (StatusSource.crl, NOW)


def test_a_card_on_the_list_is_refused_with_moment_and_reason():
    at = NOW - timedelta(days=3)
    judged = judge(crl(entries=[encode_entry(CARD.serial_number, at, RevocationReason.key_compromise)]))

    with pytest.raises(StatusRevoked) as refusal:
        judged.require_good(CARD)

    assert refusal.value.facts == {"revoked_at": at, "reason": "key_compromise"}


def test_a_card_without_a_reason_on_the_list_is_refused_as_well():
    judged = judge(crl(entries=[encode_entry(CARD.serial_number, NOW, RevocationReason.unspecified)]))

    with pytest.raises(StatusRevoked):
        judged.require_good(CARD)


def test_a_list_says_nothing_about_a_card_of_another_issuer():
    judged = judge(crl())

    with pytest.raises(StatusUnfit):
        judged.require_good(shared_register().card("huisarts-linde").authentication.certificate)


def test_the_list_of_the_register_itself_is_taken():
    judged = judge(shared_register().crl(ISSUER))

    assert judged.require_good(CARD)
    with pytest.raises(StatusRevoked):
        judged.require_good(shared_register().card("ingetrokken").authentication.certificate)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=4), -timedelta(seconds=10)])
def test_a_list_of_the_last_four_hours_counts(age: timedelta):
    assert judge(crl(this_update=NOW - age))


@pytest.mark.parametrize("age", [timedelta(hours=4, seconds=1), -timedelta(seconds=11), timedelta(days=40)])
def test_a_list_that_is_old_or_from_the_future_is_refused(age: timedelta):
    with pytest.raises(StatusTooOld):
        judge(crl(this_update=NOW - age))


def test_a_list_past_its_next_update_is_refused():
    with pytest.raises(StatusTooOld):
        judge(crl(this_update=NOW - timedelta(hours=2), next_update=NOW - timedelta(hours=1)))


@pytest.mark.parametrize("seen", [None, 6, 7])
def test_a_list_with_the_number_seen_before_or_a_higher_one_counts(seen: int | None):
    assert judge(crl(number=7), lowest_number=seen).number == 7


def refused_flaw(unverified: bytes, **circumstances) -> str:
    with pytest.raises(StatusUnfit) as refusal:
        judge(unverified, **circumstances)
    return refusal.value.facts["flaw"]


def test_a_list_with_a_lower_number_than_seen_before_is_refused_as_a_replay():
    assert refused_flaw(crl(number=7), lowest_number=8) == "number"


def test_the_list_of_another_issuer_is_refused():
    assert refused_flaw(crl(HIERARCHY.issuers[CardType.Z])) == "issuer"


def test_a_list_in_the_name_of_the_issuer_but_with_another_key_is_refused():
    assert refused_flaw(crl(key=new_private_key(KeyKind.p256))) == "signature"


def library_crl(*extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ISSUER.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(hours=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ISSUER.key, hashes.SHA256()).public_bytes(Encoding.DER)


NUMBER = (x509.CRLNumber(9), False)


def test_a_list_without_a_number_is_refused():
    assert refused_flaw(library_crl()) == "number"


def test_a_list_of_changes_only_is_refused():
    assert refused_flaw(library_crl(NUMBER, (x509.DeltaCRLIndicator(3), True))) == "scope"


def test_a_list_of_a_part_of_the_certificates_is_refused():
    part = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )

    assert refused_flaw(library_crl(NUMBER, (part, True))) == "scope"


SOUND = crl(entries=[encode_entry(CARD.serial_number, NOW, RevocationReason.unspecified)])


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_list_with_one_changed_byte_is_refused_or_says_the_same(place: int, other: int):
    changed = SOUND[:place] + bytes([SOUND[place] ^ other]) + SOUND[place + 1 :]

    with pytest.raises((StatusUnfit, StatusRevoked)):
        judge(changed).require_good(CARD)
