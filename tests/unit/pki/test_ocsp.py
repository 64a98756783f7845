"""Our own OCSP responder's reading and writing, checked by the library (LIFE-3)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import NOW, own_authority

from zorgid.pki import der
from zorgid.pki.algorithms import KeyKind, new_private_key, sign_with
from zorgid.pki.crl import RevocationReason
from zorgid.pki.errors import OcspRequestMalformed, StatusRevoked
from zorgid.pki.ocsp import (
    ARCHIVE_CUTOFF,
    CertId,
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
from zorgid.pki.status import build_ocsp_request

OWN = own_authority()
ISSUER = OWN.issuer.certificate
CARD = OWN.card_certificate()
KEY = new_private_key(KeyKind.p256)
RESPONDER = Responder(OWN.responder(KEY), sign_with(KEY))


def answered(answer=None, *, hash_algorithm=CertIdHash.sha1, nonce=None, archive_cutoff=None) -> bytes:
    return build_answer(
        cert_id(ISSUER, CARD.serial_number, hash_algorithm),
        answer or Good(),
        responder=RESPONDER,
        produced_at=NOW,
        this_update=NOW,
        next_update=NOW + timedelta(minutes=10),
        archive_cutoff=archive_cutoff,
        nonce=nonce,
    )


def read(answer: bytes) -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(answer)


@pytest.mark.parametrize("hash_algorithm", CertIdHash)
def test_a_good_answer_reads_back(hash_algorithm: CertIdHash):
    response = read(answered(hash_algorithm=hash_algorithm))

    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == CARD.serial_number
    assert response.hash_algorithm.name == hash_algorithm
    assert (response.this_update_utc, response.produced_at_utc) == (NOW, NOW)
    assert response.next_update_utc == NOW + timedelta(minutes=10)
    assert response.certificates == [RESPONDER.certificate]


def test_an_answer_is_signed_by_the_responder():
    response = read(answered())

    KEY.public_key().verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("reason", RevocationReason)
def test_each_reason_reads_back_and_unspecified_is_left_out(reason: RevocationReason):
    response = read(answered(Revoked(NOW - timedelta(hours=1), reason)))

    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_time_utc == NOW - timedelta(hours=1)
    said = None if response.revocation_reason is None else response.revocation_reason.name
    assert said == (None if reason is RevocationReason.unspecified else reason)


def test_an_unknown_certificate_is_said_to_be_unknown():
    assert read(answered(Unknown())).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_a_nonce_is_given_back():
    response = read(answered(nonce=b"n" * 32))

    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


def test_the_archive_cutoff_stands_with_the_certificate_it_is_about():
    answer = answered(archive_cutoff=NOW)

    assert len(read(answer).extensions) == 0
    assert der.extension(ARCHIVE_CUTOFF, der.generalized_time(NOW)) in answer


@pytest.mark.parametrize("error", OcspError)
def test_each_error_reads_back(error: OcspError):
    assert read(error_answer(error)).response_status.value == error


def test_our_own_judge_takes_our_own_answers():
    request = build_ocsp_request(CARD, ISSUER, nonce=b"n" * 16, hash_algorithm=CertIdHash.sha256)
    question = parse_request(request)

    answer = answered(hash_algorithm=question.cert_id.hash_algorithm, nonce=question.nonce)

    assert judge_ocsp(answer, certificate=CARD, issuer=ISSUER, now=NOW, nonce=b"n" * 16)


def test_our_own_judge_refuses_a_card_on_hold():
    with pytest.raises(StatusRevoked):
        judge_ocsp(
            answered(Revoked(NOW, RevocationReason.certificate_hold)),
            certificate=CARD,
            issuer=ISSUER,
            now=NOW,
        )


# --- Requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_algorithm", CertIdHash)
def test_a_request_reads_as_the_certificate_it_asks_after(hash_algorithm: CertIdHash):
    question = parse_request(build_ocsp_request(CARD, ISSUER, nonce=None, hash_algorithm=hash_algorithm))

    assert question.cert_id == cert_id(ISSUER, CARD.serial_number, hash_algorithm)
    assert question.nonce is None


@pytest.mark.parametrize(("length", "echoed"), [(1, True), (16, True), (32, True), (33, False), (128, False)])
def test_a_nonce_of_up_to_32_bytes_is_echoed_and_a_longer_one_left_out(length: int, echoed: bool):
    nonce = b"n" * length

    question = parse_request(build_ocsp_request(CARD, ISSUER, nonce=nonce))

    assert question.nonce == (nonce if echoed else None)


def request_with(extension: bytes, *named: CertId) -> bytes:
    """Return a request as no library would write it."""
    asked = named or (cert_id(ISSUER, CARD.serial_number, CertIdHash.sha1),)
    single = [der.sequence(one.encoded) for one in asked]
    extensions = der.explicit(2, der.sequence(extension)) if extension else b""
    return der.sequence(der.sequence(der.sequence(*single), extensions))


NONCE = "1.3.6.1.5.5.7.48.1.2"
SHA1 = cert_id(ISSUER, CARD.serial_number, CertIdHash.sha1)
BROKEN = {
    "empty nonce": request_with(der.extension(NONCE, der.octet_string(b""))),
    "nonce of 129 bytes": request_with(der.extension(NONCE, der.octet_string(b"n" * 129))),
    "nonce without its wrapping": request_with(der.extension(NONCE, b"nnnn")),
    "two nonces": request_with(der.extension(NONCE, der.octet_string(b"a")) * 2),
    "critical extension that nobody knows": request_with(der.extension("2.25.1", der.NULL, critical=True)),
    "two certificates": request_with(b"", SHA1, SHA1),
    "no certificate": der.sequence(der.sequence(der.sequence())),
    "issuer by MD5": request_with(b"", SHA1).replace(der.oid("1.3.14.3.2.26"), der.oid("1.2.840.11.2")),
    "bytes behind it": request_with(b"") + b"\x00",
    "oversized": request_with(der.extension("2.25.1", der.octet_string(b"x" * 3000))),
    "empty": b"",
}


def test_the_request_writer_of_these_tests_writes_requests():
    assert parse_request(request_with(der.extension(NONCE, der.octet_string(b"nonce")))).nonce == b"nonce"


@pytest.mark.parametrize("defect", BROKEN)
def test_a_malformed_request_is_refused(defect: str):
    with pytest.raises(OcspRequestMalformed):
        parse_request(BROKEN[defect])


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_are_refused(unverified: bytes):
    with pytest.raises(OcspRequestMalformed):
        parse_request(unverified)


SOUND = build_ocsp_request(CARD, ISSUER, nonce=b"n" * 16)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_a_request_with_one_changed_byte_never_breaks_the_reader(place: int, other: int):
    changed = SOUND[:place] + bytes([SOUND[place] ^ other]) + SOUND[place + 1 :]
    try:
        question = parse_request(changed)
    except OcspRequestMalformed:
        return
    assert question.cert_id.serial is not None


@given(st.integers(1, 2**159 - 1))
def test_a_certificate_is_named_byte_for_byte_as_the_library_names_it(serial: int):
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(SHA1.issuer_name_hash, SHA1.issuer_key_hash, serial, hashes.SHA1())
        .build()
        .public_bytes(Encoding.DER)
    )

    assert cert_id(ISSUER, serial, CertIdHash.sha1).encoded in request
