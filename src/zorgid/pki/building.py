"""The pieces of our certificates; the tables of `profiles` say which go where."""

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from zorgid.pki.algorithms import PublicKey
from zorgid.pki.names import HolderNames, attribute, cut, fit
from zorgid.pki.profiles import COUNTRY, ORGANISATION, RULES, Profile, Usage


def plain_name(common_name: str) -> x509.Name:
    """Return the name of an authority or a service of ours."""
    return x509.Name(
        [
            attribute(NameOID.COUNTRY_NAME, COUNTRY),
            attribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            attribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def holder_name(organisation_name: str, uzi_number: str, names: HolderNames) -> x509.Name:
    """Return the subject of a card certificate, in the order of the UZI profile."""
    names = fit(names)
    return x509.Name(
        [
            attribute(NameOID.COUNTRY_NAME, COUNTRY),
            attribute(NameOID.ORGANIZATION_NAME, cut(organisation_name)),
            attribute(NameOID.SURNAME, names.surname),
            attribute(NameOID.GIVEN_NAME, names.given_names),
            attribute(NameOID.SERIAL_NUMBER, uzi_number),
            attribute(NameOID.COMMON_NAME, names.full_name),
        ]
    )


def common_name_of(certificate: x509.Certificate) -> str:
    """Return the common name of an authority of ours."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def base_builder(
    subject: x509.Name,
    issuer: x509.Name,
    *,
    public_key: PublicKey,
    serial: int,
    validity: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    """Return the beginning of every certificate."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def authority_builder(
    profile: Profile,
    subject: x509.Name,
    issuer: x509.Name,
    *,
    public_key: PublicKey,
    serial: int,
    validity: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    """Return the beginning of a certificate for an authority."""
    builder = base_builder(subject, issuer, public_key=public_key, serial=serial, validity=validity)
    constraints = x509.BasicConstraints(ca=True, path_length=RULES[profile].path_length)
    return with_usages(builder.add_extension(constraints, critical=True), profile, public_key)


def with_usages(
    builder: x509.CertificateBuilder, profile: Profile, public_key: PublicKey
) -> x509.CertificateBuilder:
    """Add key usage and purposes of the profile for this kind of key."""
    rules = RULES[profile]
    wanted = rules.usages_for(public_key)
    builder = builder.add_extension(
        x509.KeyUsage(**{usage.value: usage in wanted for usage in Usage}), critical=True
    )
    if not rules.purposes:
        return builder
    purposes = [x509.ObjectIdentifier(purpose) for purpose in rules.purposes]
    return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)


def with_authority_key(builder: x509.CertificateBuilder, issuer: x509.Certificate) -> x509.CertificateBuilder:
    """Add the key identifier of the issuer."""
    key_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier)
    return builder.add_extension(authority, critical=False)


def with_addresses(
    builder: x509.CertificateBuilder, *, crl: str, ca_issuers: str, ocsp: str | None
) -> x509.CertificateBuilder:
    """Add where the issuer's CRL, certificate and responder are found."""
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(address))
        for method, address in (
            (AuthorityInformationAccessOID.OCSP, ocsp),
            (AuthorityInformationAccessOID.CA_ISSUERS, ca_issuers),
        )
        if address is not None
    ]
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
    return builder.add_extension(x509.AuthorityInformationAccess(access), critical=False).add_extension(
        x509.CRLDistributionPoints([point]), critical=False
    )


def policies(policy: str | None) -> x509.CertificatePolicies:
    """Return the extension with one policy and no qualifiers."""
    assert policy is not None, "card certificates and issuing authorities have a policy"
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
