"""Makes the test cards: three certificates each (two on cards without a name), right or wrong on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from zorgid.demo.uzi_register.authorities import Authority, Hierarchy, key_usage
from zorgid.demo.uzi_register.keep import Keep
from zorgid.demo.uzi_register.people import CardLine, Defect, TestPerson
from zorgid.demo.uzi_register.profile import (
    REAL_ISSUERS,
    TEST_ISSUERS,
    USAGES,
    CardUsage,
    IssuerLine,
)
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.sentences import Language
from zorgid.pki import der
from zorgid.pki.algorithms import PrivateKey, PublicKey, admitted_key
from zorgid.pki.identity import OTHER_NAME_IDENTITY, CardType, UziIdentity, upn_other_name, write_identity
from zorgid.pki.names import attribute
from zorgid.pki.prepare import new_serial

VALID_FOR: Final = timedelta(days=3 * 365)
MADE_BEFORE: Final = timedelta(days=180)
MONTH: Final = timedelta(days=30)


@dataclass(frozen=True)
class TestKey:
    """A key of a test card with its certificate."""

    __test__ = False  # not a test, whatever its name begins with

    certificate: x509.Certificate
    private_key: PrivateKey


@dataclass(frozen=True)
class TestCard:
    """A test UZI card with everything that a real one keeps to itself."""

    __test__ = False  # not a test, whatever its name begins with

    label: str
    description: Mapping[Language, str]
    person: TestPerson
    pin: str
    puk: str
    expected: str
    """"good", or the code of the refusal that this card must get."""
    authentication: TestKey
    signature: TestKey | None
    """None on cards without a name, which cannot sign."""
    confidentiality: TestKey

    @property
    def keys(self) -> dict[CardUsage, TestKey]:
        """The keys that the card has."""
        found = {
            CardUsage.authentication: self.authentication,
            CardUsage.signature: self.signature,
            CardUsage.confidentiality: self.confidentiality,
        }
        return {usage: key for usage, key in found.items() if key is not None}


@dataclass(frozen=True)
class CardMaker:
    """Makes cards, once; later runs find them in the keep."""

    keep: Keep
    hierarchy: Hierarchy
    now: datetime
    random: RandomSource

    def make(self, line: CardLine) -> TestCard:
        """Return the card of one line of the table."""
        issuer, profile = self._issuer(line)
        keys = {usage: self._key(line, usage, issuer, profile) for usage in profile.policies}
        return TestCard(
            label=line.label,
            description=line.description,
            person=line.person,
            pin=line.pin,
            puk=line.puk,
            expected=line.expected,
            authentication=keys[CardUsage.authentication],
            signature=keys.get(CardUsage.signature),
            confidentiality=keys[CardUsage.confidentiality],
        )

    def _issuer(self, line: CardLine) -> tuple[Authority, IssuerLine]:
        card_type = line.person.card_type
        match line.defect:
            case Defect.unknown_issuer:
                return self.hierarchy.unknown_issuer, TEST_ISSUERS[card_type]
            case Defect.production_like:
                return self.hierarchy.imitation_issuer, REAL_ISSUERS[card_type]
            case _:
                return self.hierarchy.issuers[card_type], TEST_ISSUERS[card_type]

    def _key(self, line: CardLine, usage: CardUsage, issuer: Authority, profile: IssuerLine) -> TestKey:
        name = f"card_{line.label}_{usage}"
        private_key = self.keep.key(name)

        def make() -> x509.Certificate:
            public_key = admitted_key(private_key.public_key())
            return self._certificate(line, usage, issuer, profile, public_key)

        return TestKey(self.keep.certificate(name, make), private_key)

    def _certificate(
        self,
        line: CardLine,
        usage: CardUsage,
        issuer: Authority,
        profile: IssuerLine,
        public_key: PublicKey,
    ) -> x509.Certificate:
        begin = self._begin(line.defect)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(line.person))
            .public_key(public_key)
            .serial_number(new_serial(self.random))
            .not_valid_before(begin)
            .not_valid_after(begin + VALID_FOR)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(_alternative_names(line, usage, profile), critical=False)
            .add_extension(_policies(line, usage, profile), critical=False)
        )
        return issuer.sign(_with_usages(issuer.below(builder), usage, public_key))

    def _begin(self, defect: Defect) -> datetime:
        now = self.now.replace(microsecond=0)
        match defect:
            case Defect.expired:
                return now - VALID_FOR - MONTH
            case Defect.not_yet_valid:
                return now + MONTH
            case _:
                return now - MADE_BEFORE


def _subject(person: TestPerson) -> x509.Name:
    """Return the subject in the order of the real cards."""
    names = person.names
    parts = (
        (NameOID.COUNTRY_NAME, "NL"),
        (NameOID.ORGANIZATION_NAME, person.organisation_name),
        (NameOID.TITLE, names.title),
        (NameOID.SURNAME, names.surname),
        (NameOID.GIVEN_NAME, names.given_names),
        (NameOID.SERIAL_NUMBER, person.uzi_number),
        (NameOID.COMMON_NAME, names.full_name),
    )
    return x509.Name([attribute(oid, value) for oid, value in parts if value])


def _alternative_names(line: CardLine, usage: CardUsage, profile: IssuerLine) -> x509.SubjectAlternativeName:
    person = line.person
    identity = UziIdentity(
        profile.oid_ca, person.uzi_number, person.card_type, person.ura, person.role, person.agb
    )
    names = [_identity(identity, line.defect)]
    if usage is CardUsage.authentication:
        names.insert(0, upn_other_name(identity))
    return x509.SubjectAlternativeName(names)


def _identity(identity: UziIdentity, defect: Defect) -> x509.OtherName:
    text = write_identity(identity)
    match defect:
        case Defect.six_parts:
            text = text.rpartition("-")[0]
        case Defect.eight_parts:
            text += "-00000000"
        case Defect.wrong_oid:
            text = write_identity(replace(identity, oid_ca=TEST_ISSUERS[CardType.Z].oid_ca))
        case _:
            pass
    return x509.OtherName(OTHER_NAME_IDENTITY, der.tlv(der.IA5_STRING, text.encode("ascii")))


def _policies(line: CardLine, usage: CardUsage, profile: IssuerLine) -> x509.CertificatePolicies:
    policy = profile.policies[usage]
    if line.defect is Defect.wrong_policy:
        policy = TEST_ISSUERS[CardType.M].policies[CardUsage.authentication]
    return x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(policy), None)])


def _with_usages(
    builder: x509.CertificateBuilder, usage: CardUsage, public_key: PublicKey
) -> x509.CertificateBuilder:
    line = USAGES[usage]
    purposes = [ObjectIdentifier(purpose) for purpose in line.purposes]
    builder = builder.add_extension(key_usage(line.usages_for(public_key)), critical=True)
    return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
