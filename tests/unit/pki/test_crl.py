"""Our own CRL writer, read back by the library (LIFE-3)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import NOW, counted_bytes, own_authority

from zorgid.pki.algorithms import KeyKind, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.crl_judgement import judge_crl
from zorgid.pki.prepare import new_serial

OWN = own_authority()


def made(entries=(), *, authority=OWN, expired_from=NOW, number=1, this_update=NOW) -> bytes:
    tbs = build_tbs_crl(
        authority.issuer.certificate,
        number=number,
        this_update=this_update,
        next_update=this_update + timedelta(hours=2),
        entries=entries,
        expired_from=expired_from,
    )
    return assemble_crl(tbs, authority.issuer.algorithm, sign_with(authority.key)(tbs))


def read(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


@pytest.mark.parametrize("kind", [KeyKind.p256, KeyKind.rsa2048])
def test_the_list_is_signed_by_its_issuer(kind: KeyKind):
    authority = own_authority(kind)

    assert read(made(authority=authority)).is_signature_valid(authority.key.public_key())


def test_an_empty_list_is_a_list():
    crl = read(made(number=41))

    assert len(crl) == 0
    assert crl.issuer == OWN.issuer.certificate.subject
    assert (crl.last_update_utc, crl.next_update_utc) == (NOW, NOW + timedelta(hours=2))
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 41


@pytest.mark.parametrize("reason", RevocationReason)
def test_each_reason_reads_back_and_unspecified_is_left_out(reason: RevocationReason):
    entry = read(made([encode_entry(77, NOW, reason)])).get_revoked_certificate_by_serial_number(77)

    assert entry is not None
    assert entry.revocation_date_utc == NOW
    if reason is RevocationReason.unspecified:
        assert len(entry.extensions) == 0
    else:
        found = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        assert found.name == reason


@given(st.lists(st.integers(1, 2**159 - 1), unique=True, max_size=20))
def test_exactly_the_given_certificates_are_on_the_list(serials: list[int]):
    crl = read(made([encode_entry(it, NOW, RevocationReason.certificate_hold) for it in serials]))

    assert [entry.serial_number for entry in crl] == serials


@pytest.mark.parametrize("year", [2026, 2049, 2050, 2090])
def test_times_are_written_as_the_standard_says_before_and_after_2050(year: int):
    at = datetime(year, 6, 1, 12, tzinfo=UTC)
    crl = read(made([encode_entry(5, at, RevocationReason.superseded)], this_update=at))

    assert crl.last_update_utc == at
    assert next(iter(crl)).revocation_date_utc == at


def test_the_list_says_that_revoked_certificates_stay_after_they_expire():
    expired = read(made(expired_from=NOW)).extensions.get_extension_for_oid(ObjectIdentifier("2.5.29.60"))

    assert expired.value.public_bytes() == b"\x18\x0f" + NOW.strftime("%Y%m%d%H%M%SZ").encode()
    assert not expired.critical


def test_a_list_without_that_promise_does_not_make_it():
    assert len(read(made(expired_from=None)).extensions) == 2


def test_our_own_judge_takes_our_own_list():
    judged = judge_crl(made(number=3), issuer=OWN.issuer.certificate, now=NOW, lowest_number=3)

    assert judged.number == 3


def test_a_million_entries_are_a_matter_of_splicing():
    """Decision 0330: entries are encoded once; publishing a million of them takes less than two seconds."""
    entry = encode_entry(new_serial(counted_bytes()), NOW, RevocationReason.key_compromise)
    entries = [entry] * 1_000_000
    begin = time.process_time()

    der = made(entries)

    assert time.process_time() - begin < 2
    assert len(der) > 1_000_000 * len(entry)
