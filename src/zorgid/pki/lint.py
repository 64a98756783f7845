"""Looks at a prepared certificate with fresh eyes before anything is signed: one rule, one function.

The rules read the bytes again and compare them with the tables of `profiles`; they share no code with what
built them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID, ObjectIdentifier

from zorgid.kernel.errors import Fault, Refusal
from zorgid.pki.algorithms import SignatureAlgorithm, admitted_key, algorithm_for, key_kind_of
from zorgid.pki.identity import OTHER_NAME_IDENTITY, OTHER_NAME_UPN, read_identity, read_upn
from zorgid.pki.names import LONGEST_NAME
from zorgid.pki.profiles import (
    AUTHORITY_OID,
    AUTHORITY_PROFILES,
    CARD_PROFILES,
    RULES,
    Profile,
    Rules,
    Usage,
    policy_oid,
)
from zorgid.pki.tbs import unsigned_certificate


class PreparedUnfit(Fault):
    """A prepared certificate breaks a rule of its profile; nothing was signed and the operator must look."""

    def __init__(self, *, profile: Profile, rule: str) -> None:
        self.profile = profile
        self.rule = rule
        super().__init__(f"prepared {profile} certificate: {rule}")


@dataclass(frozen=True)
class Candidate:
    """A prepared certificate with what it is measured by."""

    profile: Profile
    certificate: x509.Certificate
    algorithm: SignatureAlgorithm
    issuer: x509.Certificate | None
    """None for a root."""

    @property
    def rules(self) -> Rules:
        """The rules of the profile."""
        return RULES[self.profile]

    def demand(self, holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Raise `PreparedUnfit` under the name of `rule` unless it `holds`."""
        if not holds:
            raise PreparedUnfit(profile=self.profile, rule=rule)


_BASE: Final = {ExtensionOID.SUBJECT_KEY_IDENTIFIER: False, ExtensionOID.KEY_USAGE: True}
_BELOW: Final = {**_BASE, ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False}
_ISSUED: Final = {
    **_BELOW,
    ExtensionOID.CERTIFICATE_POLICIES: False,
    ExtensionOID.CRL_DISTRIBUTION_POINTS: False,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: False,
}
_CARD: Final = {
    **_ISSUED,
    ExtensionOID.EXTENDED_KEY_USAGE: False,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: False,
}
EXTENSIONS: Final[dict[Profile, dict[ObjectIdentifier, bool]]] = {
    Profile.root: {**_BASE, ExtensionOID.BASIC_CONSTRAINTS: True},
    **{profile: {**_ISSUED, ExtensionOID.BASIC_CONSTRAINTS: True} for profile in AUTHORITY_PROFILES},
    Profile.ocsp_responder: {
        **_BELOW,
        ExtensionOID.EXTENDED_KEY_USAGE: False,
        ExtensionOID.OCSP_NO_CHECK: False,
    },
    **dict.fromkeys(CARD_PROFILES, _CARD),
}
"""The extensions of each profile, all of them and no others, and whether each is critical."""

CARD_SUBJECT: Final = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.SURNAME,
    NameOID.GIVEN_NAME,
    NameOID.SERIAL_NUMBER,
    NameOID.COMMON_NAME,
)
AUTHORITY_SUBJECT: Final = (NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)

PLAIN_ADDRESS: Final = re.compile(r"http://([^/:]+\.[^/:]+|\[[0-9a-f:]+\])(:\d+)?/")
"""Plain HTTP to a full domain name or an IP address; `localhost` is neither. Source: RFC 5280, 4.2.1.6."""

SERIAL_BITS: Final = range(64, 160)
"""At least 64 bits and at most 20 bytes with the sign. Source: RFC 5280, 4.1.2.2."""


def lint_serial(candidate: Candidate) -> None:
    """The serial number is positive, long and fits in twenty bytes."""
    serial = candidate.certificate.serial_number
    candidate.demand(serial > 0 and serial.bit_length() in SERIAL_BITS, "serial number")


def lint_key(candidate: Candidate) -> None:
    """The key is of an admitted kind and is not its issuer's."""
    key = candidate.certificate.public_key()
    candidate.demand(key_kind_of(key) in candidate.rules.key_kinds, "kind of key")
    candidate.demand(candidate.issuer is None or candidate.issuer.public_key() != key, "the issuer's own key")


def lint_issuer(candidate: Candidate) -> None:
    """The issuer's name is byte for byte its subject, its key identifier is named, and it may sign this."""
    certificate, issuer = candidate.certificate, candidate.issuer
    candidate.demand((issuer is None) == (candidate.profile is Profile.root), "issuer")
    if issuer is None:
        candidate.demand(certificate.issuer == certificate.subject, "a root names itself")
        candidate.demand(algorithm_for(certificate.public_key()) is candidate.algorithm, "algorithm")
        return
    candidate.demand(certificate.issuer.public_bytes() == issuer.subject.public_bytes(), "issuer's name")
    candidate.demand(algorithm_for(issuer.public_key()) is candidate.algorithm, "algorithm")
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    candidate.demand(named.key_identifier == own, "authority key identifier")
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    candidate.demand(usage.key_cert_sign, "the issuer may not sign certificates")


def lint_validity(candidate: Candidate) -> None:
    """It begins before it ends, is not too long, and does not outlive its issuer."""
    begin, end = candidate.certificate.not_valid_before_utc, candidate.certificate.not_valid_after_utc
    candidate.demand(begin < end, "it ends before it begins")
    candidate.demand(end - begin <= candidate.rules.longest_validity, "too long")
    if candidate.issuer is not None:
        candidate.demand(end <= candidate.issuer.not_valid_after_utc, "it outlives its issuer")


def lint_subject(candidate: Candidate) -> None:
    """The subject has exactly its attributes, in order, one each, within their bounds."""
    wanted = CARD_SUBJECT if candidate.profile in CARD_PROFILES else AUTHORITY_SUBJECT
    subject = candidate.certificate.subject
    candidate.demand(tuple(attribute.oid for attribute in subject) == wanted, "attributes of the subject")
    candidate.demand(all(len(rdn) == 1 for rdn in subject.rdns), "one attribute in each name part")
    candidate.demand(
        all(0 < len(str(attribute.value)) <= LONGEST_NAME for attribute in subject), "length of a name"
    )


def lint_extensions(candidate: Candidate) -> None:
    """There are exactly the extensions of the profile, each critical or not as it must be."""
    found = {extension.oid: extension.critical for extension in candidate.certificate.extensions}
    candidate.demand(found == EXTENSIONS[candidate.profile], "set of extensions")


def lint_usages(candidate: Candidate) -> None:
    """Key usages and purposes are exactly those of the profile for this kind of key."""
    certificate = candidate.certificate
    wanted = candidate.rules.usages_for(admitted_key(certificate.public_key()))
    candidate.demand(usages_of(certificate) == wanted, "key usage")
    if candidate.rules.purposes:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        found = tuple(purpose.dotted_string for purpose in purposes)
        candidate.demand(found == candidate.rules.purposes, "extended key usage")


def lint_constraints(candidate: Candidate) -> None:
    """Authorities, and only they, are authorities, with the path length of the profile."""
    is_authority = candidate.rules.path_length is not None
    if is_authority:
        constraints = candidate.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        candidate.demand(constraints.ca, "not an authority")
        candidate.demand(constraints.path_length == candidate.rules.path_length, "path length")


def lint_policies(candidate: Candidate) -> None:
    """There is exactly one policy, the profile's for attested or for unattested keys."""
    if candidate.rules.policy is None:
        return
    policies = candidate.certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    found = [policy.policy_identifier.dotted_string for policy in policies]
    admitted = {policy_oid(candidate.profile, attested=attested) for attested in (True, False)}
    candidate.demand(len(found) == 1 and found[0] in admitted, "policy")


def lint_identity(candidate: Candidate) -> None:
    """The identity string can be read back, agrees with the subject, and the UPN stands where it belongs."""
    if candidate.profile not in CARD_PROFILES:
        return
    certificate = candidate.certificate
    try:
        identity = read_identity(certificate)
    except Refusal as refusal:
        raise PreparedUnfit(profile=candidate.profile, rule=refusal.code) from refusal
    number = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
    candidate.demand(number == identity.uzi_number, "serial number of the subject")
    candidate.demand(identity.oid_ca in AUTHORITY_OID.values(), "authority in the identity")
    upn = identity.upn if candidate.profile is Profile.authentication else None
    candidate.demand(read_upn(certificate) == upn, "user principal name")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    types = [name.type_id for name in names if isinstance(name, x509.OtherName)]
    wanted = [OTHER_NAME_IDENTITY] if upn is None else [OTHER_NAME_UPN, OTHER_NAME_IDENTITY]
    candidate.demand(types == wanted and len(list(names)) == len(wanted), "alternative names")


def lint_addresses(candidate: Candidate) -> None:
    """CRL, OCSP and issuer are found over plain HTTP, since TLS would need the very answers it fetches."""
    if ExtensionOID.CRL_DISTRIBUTION_POINTS not in EXTENSIONS[candidate.profile]:
        return
    extensions = candidate.certificate.extensions
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    found = [description.access_location.value for description in access]
    found += [name.value for point in points for name in point.full_name or ()]
    candidate.demand(all(PLAIN_ADDRESS.match(str(address)) for address in found), "plain addresses")
    methods = {description.access_method for description in access}
    wanted = {AuthorityInformationAccessOID.CA_ISSUERS}
    if candidate.profile in CARD_PROFILES:
        wanted.add(AuthorityInformationAccessOID.OCSP)
    candidate.demand(methods >= wanted and len(list(points)) == 1, "addresses")


LINTS: Final[tuple[Callable[[Candidate], None], ...]] = (
    lint_serial,
    lint_key,
    lint_issuer,
    lint_validity,
    lint_subject,
    lint_extensions,
    lint_usages,
    lint_constraints,
    lint_policies,
    lint_identity,
    lint_addresses,
)
"""Every rule, in the order in which they are looked at."""


def usages_of(certificate: x509.Certificate) -> frozenset[Usage]:
    """Return the key usages that a certificate names; none when it has no such extension."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    only = {Usage.encipher_only, Usage.decipher_only} if not found.key_agreement else set()
    return frozenset(usage for usage in Usage if usage not in only and getattr(found, usage.value))


def check_prepared(
    profile: Profile, tbs: bytes, algorithm: SignatureAlgorithm, issuer: x509.Certificate | None
) -> x509.Certificate:
    """Return what `tbs` says, as a certificate without a signature.

    Raises:
        PreparedUnfit: it breaks a rule of its profile.
    """
    certificate = unsigned_certificate(tbs, algorithm)
    candidate = Candidate(profile, certificate, algorithm, issuer)
    for lint in LINTS:
        lint(candidate)
    return certificate
