"""Recognising the authentication certificate of a UZI card (CARD-2, LOGIN-4)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import NOW, der, reissued, shared_register

from zorgid.demo.uzi_register.people import Defect, read_people
from zorgid.kernel.errors import Refusal
from zorgid.pki import der as asn1
from zorgid.pki.algorithms import KeyKind, new_private_key
from zorgid.pki.errors import UziChainInvalid, UziIssuerUnknown, UziTestIssuer
from zorgid.pki.identity import OTHER_NAME_IDENTITY, CardType, read_identity, upn_other_name
from zorgid.pki.recognise import Level, RecognisedUziCard, recognise_uzi_certificate

KNOWN_BY_STATUS_ONLY = {Defect.revoked}
LINES = {line.label: line for line in read_people()}


def recognise(certificate: x509.Certificate | bytes, *, now=NOW, store=None) -> RecognisedUziCard:
    unverified = certificate if isinstance(certificate, bytes) else der(certificate)
    return recognise_uzi_certificate(unverified, store=store or shared_register().trust_store(), now=now)


def refused(certificate: x509.Certificate | bytes, **circumstances) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        recognise(certificate, **circumstances)
    return refusal.value


@pytest.mark.parametrize("label", LINES)
def test_each_test_card_gets_the_outcome_that_the_table_expects(label: str):
    card, line = shared_register().card(label), LINES[label]
    certificate = card.authentication.certificate

    if line.expected != "good" and line.defect not in KNOWN_BY_STATUS_ONLY:
        assert refused(certificate).code == line.expected
        return
    recognised = recognise(certificate)
    person = line.person

    assert recognised.names == person.names
    assert recognised.organisation_name == person.organisation_name
    assert recognised.identity.uzi_number == person.uzi_number
    assert (recognised.identity.ura, recognised.identity.role) == (person.ura, person.role)
    assert recognised.identity.card_type is person.card_type
    assert recognised.level is Level.high


@pytest.mark.parametrize("label", [label for label, line in LINES.items() if line.expected == "good"])
def test_the_other_certificates_of_a_card_are_refused_by_their_usage(label: str):
    card = shared_register().card(label)

    for usage, key in card.keys.items():
        if key is not card.authentication:
            refusal = refused(key.certificate)
            assert (refusal.code, refusal.facts) == ("uzi-key-usage", {"usage": usage})


def test_the_chain_goes_from_the_card_to_the_root():
    register = shared_register()
    chain = recognise(register.card("assistente-linde").authentication.certificate).chain

    assert chain[0] == register.card("assistente-linde").authentication.certificate
    assert chain[-1] == register.hierarchy.root.certificate
    assert len(chain) == 4


def test_either_of_the_two_certificates_of_an_issuer_will_do():
    register = shared_register()
    store = register.trust_store()
    certificate = register.card("assistente-linde").authentication.certificate
    newer = register.hierarchy.issuers[CardType.N].certificate
    older = next(it for it in register.hierarchy.older_issuer_certificates if it.subject == newer.subject)

    for absent, present in ((newer, older), (older, newer)):
        between = tuple(it for it in store.intermediates if it != absent)
        only = type(store)(store.roots, between, store.issuers, accepts_test=True)
        assert recognise(certificate, store=only).chain[1] == present


def test_an_authority_that_is_not_pinned_issues_no_cards_even_below_a_trusted_root():
    register = shared_register()
    store = register.trust_store()
    unpinned = tuple(issuer for issuer in store.issuers if issuer.card_type is not CardType.N)
    fewer = type(store)(store.roots, store.intermediates, unpinned, accepts_test=True)

    assert isinstance(
        refused(register.card("assistente-linde").authentication.certificate, store=fewer), UziIssuerUnknown
    )


def test_a_pinned_issuer_without_a_trusted_root_is_refused():
    register = shared_register()
    store = register.trust_store()
    uprooted = type(store)(
        (register.hierarchy.unknown_root.certificate,), store.intermediates, store.issuers, accepts_test=True
    )

    assert isinstance(
        refused(register.card("assistente-linde").authentication.certificate, store=uprooted), UziChainInvalid
    )


@pytest.mark.parametrize("label", ["assistente-linde", "huisarts-linde", "verlopen", "onbekende-uitgever"])
def test_a_test_card_is_refused_by_name_in_production(label: str):
    register = shared_register()
    certificate = register.card(label).authentication.certificate

    assert isinstance(refused(certificate, store=register.production_like_store()), UziTestIssuer)


def test_a_card_with_the_production_profile_is_recognised_where_its_issuer_is_pinned():
    register = shared_register()
    certificate = register.card("echt-lijkend").authentication.certificate

    recognised = recognise(certificate, store=register.production_like_store())

    assert recognised.identity.oid_ca == "2.16.528.1.1003.1.3.5.5.3"


def test_a_card_is_good_through_its_last_second_and_not_before_its_first():
    certificate = shared_register().card("assistente-linde").authentication.certificate
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc

    assert recognise(certificate, now=first)
    assert recognise(certificate, now=last)
    assert refused(certificate, now=first - timedelta(seconds=1)).code == "uzi-not-yet-valid"
    assert refused(certificate, now=last + timedelta(seconds=1)).code == "uzi-expired"


def other_name(type_id: x509.ObjectIdentifier, tag: int, text: str) -> x509.OtherName:
    return x509.OtherName(type_id, asn1.tlv(tag, text.encode()))


def identity_text(text: str) -> x509.OtherName:
    return other_name(OTHER_NAME_IDENTITY, asn1.IA5_STRING, text)


GOOD = "2.16.528.1.1007.99.218-1-900000201-N-90000382-00.000-01000382"
IDENTITY = read_identity(shared_register().card("assistente-linde").authentication.certificate)
UPN = upn_other_name(IDENTITY)


def names(*values: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(list(values))


def usages(*wanted: str) -> x509.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(bits | dict.fromkeys(wanted, True)))


def policies(*dotted: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in dotted]
    )


POLICY = "2.16.528.1.1007.99.211"
EXTENSION_DEFECTS = {
    "identity absent": ([names(UPN)], "uzi-identity-missing"),
    "identity twice": ([names(UPN, identity_text(GOOD), identity_text(GOOD))], "uzi-identity-repeated"),
    "identity as UTF8String": (
        [names(UPN, other_name(OTHER_NAME_IDENTITY, asn1.UTF8_STRING, GOOD))],
        "uzi-identity-malformed",
    ),
    "identity of another card type": (
        [names(UPN, identity_text(GOOD.replace("-N-", "-M-")))],
        "uzi-identity-mismatch",
    ),
    "identity with another number": (
        [names(UPN, identity_text(GOOD.replace("900000201", "900000202")))],
        "uzi-identity-mismatch",
    ),
    "identity with another ura": (
        [names(UPN, identity_text(GOOD.replace("90000382", "90000401")))],
        "uzi-identity-mismatch",
    ),
    "user principal name absent": ([names(identity_text(GOOD))], "uzi-identity-mismatch"),
    "user principal name twice": ([names(UPN, UPN, identity_text(GOOD))], "uzi-identity-mismatch"),
    "user principal name as IA5String": (
        [names(other_name(UPN.type_id, asn1.IA5_STRING, IDENTITY.upn), identity_text(GOOD))],
        "uzi-identity-mismatch",
    ),
    "no second usage beside digitalSignature": (
        [usages("digital_signature", "content_commitment")],
        "uzi-key-usage",
    ),
    "authority": ([x509.BasicConstraints(ca=True, path_length=None)], "uzi-ca"),
    "no clientAuth": ([x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])], "uzi-purpose"),
    "any purpose instead of clientAuth": (
        [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])],
        "uzi-purpose",
    ),
    "second policy": ([policies(POLICY, "2.16.528.1.1007.99.212")], "uzi-policy"),
    "policy of the signature certificate": ([policies("2.16.528.1.1007.99.212")], "uzi-policy"),
    "any policy": ([policies("2.5.29.32.0")], "uzi-policy"),
}


@pytest.mark.parametrize("defect", EXTENSION_DEFECTS)
def test_a_certificate_with_one_wrong_extension_is_refused_by_the_name_of_its_defect(defect: str):
    register = shared_register()
    extensions, code = EXTENSION_DEFECTS[defect]
    certificate = register.card("assistente-linde").authentication.certificate

    broken = reissued(certificate, register.hierarchy.issuers[CardType.N], extensions=extensions)

    assert refused(broken).code == code


@pytest.mark.parametrize(
    ("absent", "code"),
    [
        (x509.SubjectAlternativeName, "uzi-identity-missing"),
        (x509.KeyUsage, "uzi-key-usage"),
        (x509.ExtendedKeyUsage, "uzi-purpose"),
        (x509.CertificatePolicies, "uzi-policy"),
        (x509.AuthorityKeyIdentifier, "uzi-issuer-unknown"),
    ],
)
def test_a_certificate_without_an_extension_is_refused(absent: type[x509.ExtensionType], code: str):
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate

    broken = reissued(certificate, register.hierarchy.issuers[CardType.N], without=[absent])

    assert refused(broken).code == code


def test_the_order_of_the_alternative_names_does_not_matter():
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate

    turned = reissued(
        certificate, register.hierarchy.issuers[CardType.N], extensions=[names(identity_text(GOOD), UPN)]
    )

    assert recognise(turned).identity == IDENTITY


@pytest.mark.parametrize("absent", [NameOID.COMMON_NAME, NameOID.SURNAME, NameOID.GIVEN_NAME])
def test_a_certificate_without_a_part_of_the_name_is_refused(absent: x509.ObjectIdentifier):
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate
    subject = x509.Name([part for part in certificate.subject if part.oid != absent])

    broken = reissued(certificate, register.hierarchy.issuers[CardType.N], subject=subject)

    assert refused(broken).code == "uzi-subject"


def test_a_certificate_that_only_claims_its_issuer_is_refused():
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate

    forged = reissued(
        certificate, register.hierarchy.issuers[CardType.N], signed_by=new_private_key(KeyKind.p256)
    )

    assert isinstance(refused(forged), UziIssuerUnknown)


def test_a_card_that_was_signed_by_another_pinned_issuer_is_refused_by_its_object_identifier():
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate
    professionals = register.hierarchy.issuers[CardType.Z]
    own = professionals.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    builder_input = reissued(certificate, professionals, extensions=[authority])

    renamed = rename_issuer(builder_input, professionals)

    assert refused(renamed).facts == {"what": "oid"}


def rename_issuer(certificate: x509.Certificate, issuer) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return issuer.sign(builder)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_certificate_are_refused(unverified: bytes):
    assert refused(unverified).code == "uzi-malformed"


def test_a_signature_of_which_the_last_bits_do_not_count_is_refused():
    """The library reads it as the same signature where those bits are zero."""
    register = shared_register()
    certificate = register.card("assistente-linde").authentication.certificate
    while certificate.signature[-1] & 1:
        certificate = reissued(certificate, register.hierarchy.issuers[CardType.N])
    sound = bytearray(der(certificate))
    assert recognise(bytes(sound))
    sound[-len(certificate.signature) - 1] = 1

    assert refused(bytes(sound)).code == "uzi-malformed"


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
def test_a_certificate_with_one_changed_byte_is_never_recognised(data: st.DataObject):
    """The library warns where the byte made the serial number negative, and reads on."""
    certificate = der(shared_register().card("assistente-linde").authentication.certificate)
    place = data.draw(st.integers(0, len(certificate) - 1))
    other = data.draw(st.integers(1, 255))
    changed = certificate[:place] + bytes([certificate[place] ^ other]) + certificate[place + 1 :]

    refused(changed)
