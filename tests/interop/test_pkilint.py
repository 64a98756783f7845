"""What pkilint, a linter that others wrote, says about our certificates, lists and OCSP answers: no error."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from cryptography import x509
from pkilint import loader, pkix
from pkilint.pkix import certificate as pkix_certificate
from pkilint.pkix import crl as pkix_crl
from pkilint.pkix import extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity, ValidationResult
from tests.unit.pki.builders import NOW, OwnAuthority, der, own_authority

from zorgid.pki.algorithms import KeyKind, new_private_key, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.ocsp import Answer, CertIdHash, Good, Responder, Revoked, Unknown, build_answer, cert_id
from zorgid.pki.profiles import CARD_PROFILES, Profile

KINDS = (KeyKind.p256, KeyKind.rsa2048)
GRAVE = {
    ValidationFindingSeverity.FATAL,
    ValidationFindingSeverity.ERROR,
    ValidationFindingSeverity.WARNING,
}


def grave(results: Iterable[ValidationResult]) -> list[str]:
    return [
        f"{described.finding.code}: {described.message or ''}"
        for result in results
        for described in result.finding_descriptions
        if described.finding.severity in GRAVE
    ]


def findings_in_certificate(certificate: x509.Certificate) -> list[str]:
    validator = pkix_certificate.create_pkix_certificate_validator_container(
        pkix_certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        ),
        [
            pkix_certificate.create_issuer_validator_container([]),
            pkix_certificate.create_validity_validator_container(),
            pkix_certificate.create_subject_validator_container([]),
            pkix_certificate.create_extensions_validator_container([]),
            pkix_certificate.create_spki_validator_container([]),
        ],
    )
    document = loader.load_der_certificate(der(certificate), "certificate")
    return grave(validator.validate(document.root))


def findings_in_crl(crl: bytes) -> list[str]:
    validator = pkix_crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            pkix_crl.create_issuer_validator_container([]),
            pkix_crl.create_validity_validator_container([]),
            pkix_crl.create_extensions_validator_container([]),
        ],
    )
    return grave(validator.validate(loader.load_der_crl(crl, "crl").root))


def findings_in_answer(answer: bytes) -> list[str]:
    validator = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return grave(validator.validate(loader.load_der_ocsp_response(answer, "answer").root))


@pytest.mark.parametrize("kind", KINDS)
def test_the_authorities_are_in_order(kind: KeyKind):
    authority = own_authority(kind)

    assert findings_in_certificate(authority.root.certificate) == []
    assert findings_in_certificate(authority.issuer.certificate) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_responder_is_in_order(kind: KeyKind):
    assert findings_in_certificate(own_authority(kind).responder(new_private_key(kind))) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", CARD_PROFILES)
@pytest.mark.parametrize("attested", [True, False])
def test_the_card_certificates_are_in_order(profile: Profile, kind: KeyKind, attested: bool):
    certificate = own_authority(kind).card_certificate(
        profile, public_key=new_private_key(kind).public_key(), attested=attested
    )

    assert findings_in_certificate(certificate) == []


def test_the_linter_does_find_what_is_out_of_order():
    """Without this, a linter that is called the wrong way would pass everything."""
    authority = own_authority()
    certificate = authority.card_certificate()
    builder = x509.CertificateBuilder(
        issuer_name=certificate.issuer,
        subject_name=certificate.subject,
        public_key=certificate.public_key(),
        serial_number=1,
        not_valid_before=NOW,
        not_valid_after=NOW + timedelta(days=1),
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)

    broken = builder.sign(authority.key, certificate.signature_hash_algorithm)

    assert findings_in_certificate(broken)


def crl(authority: OwnAuthority, reasons: Iterable[RevocationReason]) -> bytes:
    tbs = build_tbs_crl(
        authority.issuer.certificate,
        number=5,
        this_update=NOW,
        next_update=NOW + timedelta(hours=2),
        entries=[encode_entry(number, NOW, reason) for number, reason in enumerate(reasons, start=1)],
        expired_from=NOW,
    )
    return assemble_crl(tbs, authority.issuer.algorithm, sign_with(authority.key)(tbs))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reasons", [(), tuple(RevocationReason)], ids=["empty", "every reason"])
def test_the_list_is_in_order(kind: KeyKind, reasons: tuple[RevocationReason, ...]):
    assert findings_in_crl(crl(own_authority(kind), reasons)) == []


@pytest.mark.parametrize("hash_algorithm", CertIdHash)
@pytest.mark.parametrize(
    "answer", [Good(), Unknown(), *(Revoked(NOW, reason) for reason in RevocationReason)], ids=str
)
def test_each_ocsp_answer_is_in_order(answer: Answer, hash_algorithm: CertIdHash):
    authority = own_authority()
    key = new_private_key(KeyKind.p256)
    encoded = build_answer(
        cert_id(authority.issuer.certificate, 5, hash_algorithm),
        answer,
        responder=Responder(authority.responder(key), sign_with(key)),
        produced_at=NOW,
        this_update=NOW,
        next_update=NOW + timedelta(minutes=10),
        archive_cutoff=NOW,
        nonce=b"n" * 32,
    )

    assert findings_in_answer(encoded) == []
