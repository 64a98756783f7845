"""The certificates of ZORG-ID against the tables of design and domain (CARD-5, CARD-6, ALL-7, ALL-11)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.pki.builders import HOLDER, NOW, counted_bytes, issued, own_authority

from zorgid.kernel.errors import Fault
from zorgid.pki.algorithms import KeyKind, SignatureAlgorithm, new_private_key, sign_with
from zorgid.pki.errors import IdentityMalformed
from zorgid.pki.identity import CardType, read_identity, read_upn
from zorgid.pki.lint import PreparedUnfit, check_prepared, usages_of
from zorgid.pki.names import HolderNames
from zorgid.pki.prepare import (
    Validity,
    assemble,
    authority_validity,
    card_validity,
    check_issued,
    new_serial,
    prepare_authority,
    prepare_card_certificate,
    prepare_responder,
    responder_validity,
)
from zorgid.pki.profiles import (
    ARC,
    CARD_PROFILES,
    OID_SMARTCARD_CA,
    POLICY_AUTHENTICATION,
    POLICY_AUTHENTICATION_UNATTESTED,
    POLICY_CONFIDENTIALITY,
    POLICY_SIGNATURE,
    RULES,
    Profile,
    Usage,
    policy_oid,
)
from zorgid.pki.tbs import unsigned_certificate

OWN = own_authority()


def extension(certificate: x509.Certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def test_the_subject_has_the_order_of_the_uzi_profile():
    subject = OWN.card_certificate().subject

    assert [(part.rfc4514_attribute_name, part.value) for part in subject] == [
        ("C", "NL"),
        ("O", "Huisartsenpraktijk De Linde"),
        ("2.5.4.4", "van der Berg"),
        ("2.5.4.42", "Sanne Elisabeth"),
        ("2.5.4.5", "900000201"),
        ("CN", "Sanne Elisabeth van der Berg"),
    ]


@pytest.mark.parametrize("profile", CARD_PROFILES)
def test_each_card_certificate_carries_the_identity_under_our_own_arc(profile: Profile):
    identity = read_identity(OWN.card_certificate(profile))

    assert identity.oid_ca == OID_SMARTCARD_CA
    assert identity.oid_ca.startswith(f"{ARC}.")
    assert (identity.card_type, identity.role) == (CardType.N, "00.000")
    assert (identity.uzi_number, identity.ura, identity.agb) == (HOLDER.uzi_number, HOLDER.ura, HOLDER.agb)


def test_the_user_principal_name_stands_in_the_authentication_certificate_only():
    upns = {profile: read_upn(certificate) for profile, certificate in OWN.card().items()}

    assert upns == {
        Profile.authentication: "900000201@90000382",
        Profile.signature: None,
        Profile.confidentiality: None,
    }


@pytest.mark.parametrize(
    ("profile", "kind", "wanted"),
    [
        (Profile.authentication, KeyKind.rsa2048, {Usage.digital_signature}),
        (Profile.authentication, KeyKind.p256, {Usage.digital_signature}),
        (Profile.signature, KeyKind.rsa2048, {Usage.content_commitment}),
        (Profile.signature, KeyKind.p256, {Usage.content_commitment}),
        (Profile.confidentiality, KeyKind.rsa2048, {Usage.key_encipherment, Usage.data_encipherment}),
        (Profile.confidentiality, KeyKind.p256, {Usage.key_agreement}),
    ],
)
def test_key_usages_fit_profile_and_kind_of_key(profile: Profile, kind: KeyKind, wanted: set[Usage]):
    certificate = OWN.card_certificate(profile, public_key=new_private_key(kind).public_key())

    assert usages_of(certificate) == wanted
    assert certificate.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).critical


def test_each_certificate_has_the_policy_of_its_profile_and_a_lower_one_without_attestation():
    def policy(profile: Profile, *, attested: bool) -> str:
        found = extension(OWN.card_certificate(profile, attested=attested), x509.CertificatePolicies)
        return found[0].policy_identifier.dotted_string

    assert [policy(profile, attested=True) for profile in CARD_PROFILES] == [
        POLICY_AUTHENTICATION,
        POLICY_SIGNATURE,
        POLICY_CONFIDENTIALITY,
    ]
    assert policy(Profile.authentication, attested=False) == POLICY_AUTHENTICATION_UNATTESTED
    assert not {policy_oid(it, attested=True) for it in CARD_PROFILES} & {
        policy_oid(it, attested=False) for it in CARD_PROFILES
    }


def test_a_card_certificate_says_where_list_responder_and_issuer_are():
    certificate = OWN.card_certificate()
    access = {
        it.access_method: it.access_location.value
        for it in extension(certificate, x509.AuthorityInformationAccess)
    }
    point = extension(certificate, x509.CRLDistributionPoints)[0]

    assert access == {
        AuthorityInformationAccessOID.OCSP: "http://127.0.0.1:8604/ocsp",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://127.0.0.1:8604/ca/smartcard.cer",
    }
    assert point.full_name[0].value == "http://127.0.0.1:8604/crl/smartcard.crl"


def test_a_stand_in_is_named_as_such_in_every_certificate():
    certificates = [OWN.root.certificate, OWN.issuer.certificate, *OWN.card().values()]

    assert all("TEST " in certificate.issuer.rfc4514_string() for certificate in certificates)


@pytest.mark.parametrize(
    ("made_at", "last"),
    [
        # made on a winter morning: ends on the day before the third anniversary, at the end of the Dutch day
        (datetime(2026, 11, 21, 9, 0, tzinfo=UTC), datetime(2029, 11, 20, 22, 59, 59, tzinfo=UTC)),
        # in UTC still the day before, in Amsterdam already the next
        (datetime(2026, 6, 30, 22, 30, tzinfo=UTC), datetime(2029, 6, 30, 21, 59, 59, tzinfo=UTC)),
        # a leap day has no third anniversary
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), datetime(2031, 2, 27, 22, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_card_is_valid_for_three_dutch_calendar_years_from_a_little_in_the_past(made_at, last):
    validity = card_validity(made_at)

    assert validity == Validity(made_at - timedelta(minutes=5), last)


@given(st.integers(0, 64 * 365 * 24 * 60))
def test_three_years_are_never_longer_than_the_profile_allows(minutes: int):
    validity = card_validity(NOW + timedelta(minutes=minutes))

    assert validity.not_after - validity.not_before <= RULES[Profile.authentication].longest_validity


def test_a_serial_number_is_positive_and_long_whatever_the_random_source_gives():
    for drawn in (b"\x00" * 16, b"\xff" * 16, b"\x80" + b"\x00" * 15):
        serial = new_serial(lambda size, drawn=drawn: drawn[:size])
        assert serial.bit_length() == 127
    assert new_serial(lambda size: b"\x00" * size) != new_serial(lambda size: b"\xff" * size)


def test_what_is_prepared_is_exactly_what_is_issued():
    prepared = OWN.prepared()

    certificate = issued(prepared, OWN.key)

    assert certificate.tbs_certificate_bytes == prepared.tbs
    assert len(prepared.tbs_sha256) == len(prepared.public_key_sha256) == 32
    certificate.verify_directly_issued_by(OWN.issuer.certificate)


@pytest.mark.parametrize("kind", [KeyKind.rsa2048, KeyKind.p384])
def test_authorities_with_other_kinds_of_keys_sign_with_their_own_algorithm(kind: KeyKind):
    authority = own_authority(kind)

    certificate = authority.card_certificate()

    certificate.verify_directly_issued_by(authority.issuer.certificate)
    expected = {KeyKind.rsa2048: SignatureAlgorithm.rsa_sha256, KeyKind.p384: SignatureAlgorithm.ecdsa_sha384}
    assert authority.prepared().algorithm is expected[kind]


def test_a_signature_by_another_key_is_found_before_the_certificate_leaves():
    prepared = OWN.prepared()
    stranger = new_private_key(KeyKind.p256)
    certificate = assemble(prepared.tbs, prepared.algorithm, sign_with(stranger)(prepared.tbs))

    with pytest.raises(Fault, match="signature"):
        check_issued(certificate, prepared, OWN.key.public_key())


def test_a_certificate_other_than_the_prepared_one_is_found():
    prepared, other = OWN.prepared(), OWN.prepared(attested=False)
    certificate = assemble(other.tbs, other.algorithm, sign_with(OWN.key)(other.tbs))

    with pytest.raises(Fault, match="another certificate"):
        check_issued(certificate, prepared, OWN.key.public_key())


def test_bytes_prepared_for_one_algorithm_are_not_assembled_with_another():
    with pytest.raises(Fault, match="another signature algorithm"):
        assemble(OWN.prepared().tbs, SignatureAlgorithm.rsa_sha256, b"")


def test_a_name_of_64_characters_with_accents_stays_whole():
    name = "Zoë Ayşe Wilhelmina Françoise van \u2019t Oever-Özdemir Kruithof Zuid"
    names = HolderNames(name, "van \u2019t Oever-Özdemir Kruithof Zuid", "Zoë Ayşe Wilhelmina Françoise")

    certificate = OWN.card_certificate(holder=replace(HOLDER, names=names))

    assert len(name) == 64
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name


def test_a_holder_with_a_number_that_cannot_be_is_refused():
    with pytest.raises(IdentityMalformed):
        OWN.prepared(holder=replace(HOLDER, uzi_number="90000020"))


def test_a_responder_is_charged_with_answering_and_with_nothing_else():
    key = new_private_key(KeyKind.p256)
    certificate = OWN.responder(key)

    assert usages_of(certificate) == {Usage.digital_signature}
    assert [it.dotted_string for it in extension(certificate, x509.ExtendedKeyUsage)] == ["1.3.6.1.5.5.7.3.9"]
    assert extension(certificate, x509.OCSPNoCheck) == x509.OCSPNoCheck()
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=30)


# --- What is found before anything is signed ------------------------------------------------------------------


def unfit(**changes) -> str:
    with pytest.raises(PreparedUnfit) as fault:
        OWN.prepared(**changes)
    return fault.value.rule


WEAK = {
    "rsa1024": rsa.generate_private_key(65537, 1024).public_key(),
    "exponent 3": rsa.generate_private_key(3, 2048).public_key(),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()).public_key(),
}


@pytest.mark.parametrize("key", WEAK)
def test_a_key_of_another_kind_is_not_certified(key: str):
    with pytest.raises(Exception, match="key-unfit"):
        OWN.prepared(public_key=WEAK[key])


def test_a_card_key_is_no_p384_since_cards_have_none():
    assert unfit(public_key=new_private_key(KeyKind.p384).public_key()) == "kind of key"


def test_an_authority_never_certifies_its_own_key_for_a_card():
    assert unfit(public_key=OWN.key.public_key()) == "the issuer's own key"


@pytest.mark.parametrize("serial", [1, 2**63 - 1])
def test_a_short_serial_number_is_found(serial: int):
    assert unfit(serial=serial) == "serial number"


def test_a_card_that_is_valid_for_too_long_is_found():
    assert unfit(validity=Validity(NOW, NOW + timedelta(days=1200))) == "too long"


def test_a_certificate_that_outlives_its_issuer_is_found():
    late = NOW + timedelta(days=12 * 365 - 30)
    assert unfit(validity=card_validity(late)) == "it outlives its issuer"


def test_an_empty_name_is_found():
    names = HolderNames("Sanne van der Berg", "van der Berg", "")

    assert unfit(holder=replace(HOLDER, names=names)) == "length of a name"


@pytest.mark.parametrize("address", ["crl", "ocsp", "ca_issuers"])
def test_an_address_over_tls_is_found_since_it_would_need_its_own_answer(address: str):
    addresses = replace(OWN.issuer.addresses, **{address: "https://localhost/x"})

    assert unfit(issuer=replace(OWN.issuer, addresses=addresses)) == "plain addresses"


@pytest.mark.parametrize("host", ["localhost", "localhost:8604", ""])
def test_an_address_without_a_full_name_or_an_ip_address_is_found(host: str):
    addresses = replace(OWN.issuer.addresses, crl=f"http://{host}/crl/smartcard.crl")

    assert unfit(issuer=replace(OWN.issuer, addresses=addresses)) == "plain addresses"


@pytest.mark.parametrize("host", ["pki.zorg-id.example", "127.0.0.1:8604", "[::1]:8604"])
def test_an_address_with_a_full_name_or_an_ip_address_is_in_order(host: str):
    addresses = replace(OWN.issuer.addresses, crl=f"http://{host}/crl/smartcard.crl")

    assert OWN.prepared(issuer=replace(OWN.issuer, addresses=addresses))


def test_an_issuer_without_a_responder_issues_no_cards():
    addresses = replace(OWN.issuer.addresses, ocsp=None)

    assert unfit(issuer=replace(OWN.issuer, addresses=addresses)) == "addresses"


def test_a_responder_of_more_than_thirty_days_is_found():
    with pytest.raises(PreparedUnfit, match="too long"):
        prepare_responder(
            issuer=OWN.issuer,
            public_key=new_private_key(KeyKind.p256).public_key(),
            serial=new_serial(counted_bytes()),
            validity=Validity(NOW, NOW + timedelta(days=31)),
        )


ALL = {**OWN.card(), Profile.root: OWN.root.certificate, Profile.smartcard_ca: OWN.issuer.certificate}
ALL[Profile.ocsp_responder] = OWN.responder(new_private_key(KeyKind.p256))
ISSUER_OF = dict.fromkeys(ALL, OWN.issuer.certificate) | {
    Profile.root: None,
    Profile.smartcard_ca: OWN.root.certificate,
}


@pytest.mark.parametrize("made_as", ALL)
@pytest.mark.parametrize("taken_for", ALL)
def test_no_certificate_passes_for_one_of_another_profile(made_as: Profile, taken_for: Profile):
    """All pairs: each profile passes its own rules and breaks those of every other."""
    tbs = ALL[made_as].tbs_certificate_bytes
    check = (taken_for, tbs, SignatureAlgorithm.ecdsa_sha256, ISSUER_OF[made_as])

    if made_as is taken_for:
        assert check_prepared(*check).tbs_certificate_bytes == tbs
        return
    with pytest.raises(PreparedUnfit):
        check_prepared(*check)


def test_a_card_certificate_is_not_made_by_the_way_for_authorities():
    facts = {
        "issuer": OWN.root,
        "public_key": new_private_key(KeyKind.p256).public_key(),
        "serial": new_serial(counted_bytes()),
    }
    with pytest.raises(Fault, match="profile"):
        prepare_authority(
            Profile.authentication, validity=authority_validity(NOW, years=3), stand_in=True, **facts
        )
    with pytest.raises(Fault, match="profile"):
        prepare_card_certificate(
            Profile.smartcard_ca, holder=HOLDER, validity=card_validity(NOW), attested=True, **facts
        )


def test_a_prepared_certificate_verifies_under_no_key():
    certificate = unsigned_certificate(OWN.prepared().tbs, SignatureAlgorithm.ecdsa_sha256)

    with pytest.raises(InvalidSignature):
        certificate.verify_directly_issued_by(OWN.issuer.certificate)


def test_responder_certificates_begin_a_little_in_the_past():
    assert responder_validity(NOW).not_before == NOW - timedelta(minutes=5)
