"""The authorities of the test register: one root, one level between, an issuer for each type of card.

Each issuer has two certificates with one key and one name, as the real ones have since 2019. Beside them
stand an issuer that nobody knows and an imitation of a real one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

from zorgid.demo.uzi_register.keep import Keep
from zorgid.demo.uzi_register.profile import (
    IMITATION_ISSUER,
    IMITATION_ROOT,
    TEST_ISSUERS,
    TEST_LEVEL_2,
    TEST_ROOT,
    UNKNOWN_ISSUER,
)
from zorgid.kernel.randomness import RandomSource
from zorgid.pki.algorithms import PrivateKey, PublicKey, admitted_key, algorithm_for
from zorgid.pki.identity import CardType
from zorgid.pki.prepare import new_serial
from zorgid.pki.profiles import ANY_POLICY, AUTHORITY_USAGES, Usage

ORGANIZATION_IDENTIFIER: Final = ObjectIdentifier("2.5.4.97")
YEAR: Final = timedelta(days=365)


@dataclass(frozen=True)
class Authority:
    """An authority with its key; `slug` is its name in files and addresses."""

    slug: str
    certificate: x509.Certificate
    key: PrivateKey
    base_url: str
    has_responder: bool

    @property
    def public_key(self) -> PublicKey:
        """The key that its signatures verify under."""
        return admitted_key(self.certificate.public_key())

    def below(self, builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        """Add what every certificate by this authority says about it."""
        own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            builder.issuer_name(self.certificate.subject)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False
            )
            .add_extension(self._access(), critical=False)
            .add_extension(x509.CRLDistributionPoints([self._list()]), critical=False)
        )

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Return the certificate that `builder` describes, signed by this authority."""
        return builder.sign(self.key, algorithm_for(self.public_key).hash_algorithm)

    def _access(self) -> x509.AuthorityInformationAccess:
        places = [(AuthorityInformationAccessOID.CA_ISSUERS, f"{self.base_url}/ca/{self.slug}.cer")]
        if self.has_responder:
            places.insert(0, (AuthorityInformationAccessOID.OCSP, f"{self.base_url}/ocsp"))
        return x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(method, x509.UniformResourceIdentifier(place))
                for method, place in places
            ]
        )

    def _list(self) -> x509.DistributionPoint:
        address = x509.UniformResourceIdentifier(f"{self.base_url}/cdp/{self.slug}.crl")
        return x509.DistributionPoint([address], None, None, None)


@dataclass(frozen=True)
class Hierarchy:
    """All authorities of the test register."""

    root: Authority
    level_2: Authority
    issuers: dict[CardType, Authority]
    older_issuer_certificates: tuple[x509.Certificate, ...]
    unknown_root: Authority
    unknown_issuer: Authority
    imitation_root: Authority
    imitation_issuer: Authority

    @property
    def all(self) -> tuple[Authority, ...]:
        """Every authority, the imitated and the unknown ones included."""
        strangers = (self.unknown_root, self.unknown_issuer, self.imitation_root, self.imitation_issuer)
        return (self.root, self.level_2, *self.issuers.values(), *strangers)


def key_usage(usages: frozenset[Usage]) -> x509.KeyUsage:
    """Return the extension with these usages."""
    return x509.KeyUsage(**{usage.value: usage in usages for usage in Usage})


@dataclass(frozen=True)
class Founder:
    """Founds authorities, once; later runs find them in the keep."""

    keep: Keep
    base_url: str
    now: datetime
    random: RandomSource

    def found(self) -> Hierarchy:
        """Return all authorities."""
        root = self.root(TEST_ROOT, "test_zorg_csp_root_ca_g3")
        level_2 = self.authority(TEST_LEVEL_2, "test_zorg_csp_level_2_persoon_ca_g3", root, path_length=1)
        issuers = {
            card_type: self.authority(line.name, f"test_uzi-register_{card_type.lower()}_ca_g3", level_2)
            for card_type, line in TEST_ISSUERS.items()
        }
        older = tuple(self.older(issuer, level_2) for issuer in issuers.values())
        stranger = self.root("TEST Onbekende Root CA", "test_onbekend_root")
        imitation = self.root(IMITATION_ROOT, "test_nagemaakt_root")
        return Hierarchy(
            root=root,
            level_2=level_2,
            issuers=issuers,
            older_issuer_certificates=older,
            unknown_root=stranger,
            unknown_issuer=self.authority(UNKNOWN_ISSUER, "test_onbekend_ca", stranger),
            imitation_root=imitation,
            imitation_issuer=self.authority(IMITATION_ISSUER, "test_nagemaakt_ca", imitation),
        )

    def root(self, name: str, slug: str) -> Authority:
        """Return a self-signed authority; it has a list but no responder, since its key would be offline."""
        key = self.keep.key(slug)

        def make() -> x509.Certificate:
            builder = self._builder(
                name, admitted_key(key.public_key()), self.now - 9 * YEAR, path_length=None
            )
            builder = builder.issuer_name(_name(name))
            return builder.sign(key, algorithm_for(key.public_key()).hash_algorithm)

        return Authority(slug, self.keep.certificate(slug, make), key, self.base_url, has_responder=False)

    def authority(self, name: str, slug: str, above: Authority, *, path_length: int = 0) -> Authority:
        """Return an authority below another."""
        key = self.keep.key(slug)

        def make() -> x509.Certificate:
            begin = self.now - 7 * YEAR
            builder = self._builder(name, admitted_key(key.public_key()), begin, path_length=path_length)
            return above.sign(above.below(builder))

        return Authority(slug, self.keep.certificate(slug, make), key, self.base_url, has_responder=True)

    def older(self, issuer: Authority, above: Authority) -> x509.Certificate:
        """Return an older certificate with the key and the name of an issuer."""

        def make() -> x509.Certificate:
            name = str(issuer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
            builder = self._builder(name, issuer.public_key, self.now - 8 * YEAR, path_length=0)
            return above.sign(above.below(builder))

        return self.keep.certificate(f"{issuer.slug}_older", make)

    def _builder(
        self, name: str, public_key: PublicKey, begin: datetime, *, path_length: int | None
    ) -> x509.CertificateBuilder:
        any_policy = x509.PolicyInformation(ObjectIdentifier(ANY_POLICY), None)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .public_key(public_key)
            .serial_number(new_serial(self.random))
            .not_valid_before(begin)
            .not_valid_after(self.now + 5 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(key_usage(AUTHORITY_USAGES), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.CertificatePolicies([any_policy]), critical=False)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TEST CIBG"),
            x509.NameAttribute(ORGANIZATION_IDENTIFIER, "NTRNL-00000000"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
