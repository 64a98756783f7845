"""CARD-10: the proof that a key was made on a card; every way in which it can be none."""

import datetime as dt
from dataclasses import dataclass, field

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.unit.cardkit.builders import FACTORY_PIN, NOW, blank, managed, new_rsa_key

from cardkit import der
from cardkit.attestation import (
    FIRMWARE,
    FORM_FACTOR,
    POLICIES,
    SERIAL,
    FormFactor,
    TrustedRoot,
    verify_attestation,
)
from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy, PrivateKey, TouchPolicy
from cardkit.errors import AttestationFlaw, AttestationRefused
from cardkit.virtual import VirtualCard, make_test_attestation_root, pooled_keys

Flaw = AttestationFlaw
FACTS = {FIRMWARE: b"\x05\x04\x03", SERIAL: der.integer(123), POLICIES: b"\x02\x01", FORM_FACTOR: b"\x03"}


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Link:
    """A certificate of the chain that a test bends."""

    subject: str
    key: PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    is_ca: bool = True
    path_length: int | None = None
    starts: dt.datetime = NOW - dt.timedelta(days=1)
    ends: dt.datetime = NOW + dt.timedelta(days=1)
    facts: dict = field(default_factory=dict)

    def certificate(self, issuer: "Link | None" = None, signer: PrivateKey | None = None) -> bytes:
        above = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(self.subject))
            .issuer_name(name(above.subject))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.starts)
            .not_valid_after(self.ends)
        )
        if self.is_ca:
            builder = builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=self.path_length), critical=True
            )
        for oid, value in self.facts.items():
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        return builder.sign(signer or above.key, hashes.SHA256()).public_bytes(Encoding.DER)


class Maker:
    """A maker's chain: root, card, and a statement about `key`."""

    def __init__(self) -> None:
        self.root = Link("Maker root")
        self.card = Link("Card 123", path_length=0)
        self.statement = Link("YubiKey PIV Attestation 9c", is_ca=False, facts=dict(FACTS))

    def verify(self, **options):
        arguments = {
            "statement_der": self.statement.certificate(self.card),
            "intermediate_der": self.card.certificate(self.root),
            "roots": [TrustedRoot("maker", self.root.certificate())],
            "expected_public_key": self.statement.key.public_key(),
            "now": NOW,
        }
        return verify_attestation(**{**arguments, **options})

    def flaw(self, **options) -> AttestationFlaw:
        with pytest.raises(AttestationRefused) as refused:
            self.verify(**options)
        return refused.value.reason


@pytest.fixture
def maker():
    return Maker()


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.p384, KeyAlgorithm.rsa2048])
@pytest.mark.parametrize("slot", KeySlot)
def test_the_virtual_card_attests_its_keys_under_the_test_root(algorithm, slot):
    root = make_test_attestation_root(now=NOW)
    source = pooled_keys([RSA_KEY])
    card = managed(VirtualCard(blank(serial=55, attestation_root=root), key_source=source))
    key = card.generate_key(slot, algorithm)
    statement = card.attest(slot)

    attestation = verify_attestation(
        statement.statement_der,
        statement.intermediate_der,
        [TrustedRoot("test", root.certificate_der)],
        expected_public_key=key.public_key,
        expected_slot=slot,
        demand_pin_policy=PinPolicy.always if slot is KeySlot.signature else None,
        now=NOW,
    )

    assert (attestation.serial, attestation.firmware, attestation.root_name) == ("55", (5, 7, 1), "test")


RSA_KEY = new_rsa_key()


def test_an_attestation_tells_its_facts(maker):
    found = maker.verify(expected_slot=KeySlot.signature)
    assert found.serial == "123"
    assert found.firmware == (5, 4, 3)
    assert found.pin_policy is PinPolicy.once
    assert found.touch_policy is TouchPolicy.never
    assert found.form_factor is FormFactor.usb_c_keychain
    assert found.root_name == "maker"


def test_the_root_that_fits_is_found_among_several(maker):
    other = TrustedRoot("other", Link("Maker root").certificate())
    own = TrustedRoot("own", maker.root.certificate())
    assert maker.verify(roots=[other, own]).root_name == "own"


def test_a_maker_may_have_certificates_in_between(maker):
    batch = Link("Batch B")
    card_certificate = maker.card.certificate(batch)
    assert maker.flaw(intermediate_der=card_certificate) is Flaw.root_unknown
    found = maker.verify(
        intermediate_der=card_certificate, makers_intermediates=[batch.certificate(maker.root)]
    )
    assert found.root_name == "maker"


def test_certificates_that_certify_each_other_lead_nowhere(maker):
    one, other = Link("one"), Link("other")
    loop = [one.certificate(other), other.certificate(one)]
    assert (
        maker.flaw(intermediate_der=maker.card.certificate(one), makers_intermediates=loop)
        is Flaw.root_unknown
    )


@pytest.mark.parametrize("garbage", [b"", b"\x30\x00", b"not a certificate"])
@pytest.mark.parametrize("part", ["statement_der", "intermediate_der"])
def test_what_is_no_certificate_is_malformed(maker, part, garbage):
    assert maker.flaw(**{part: garbage}) is Flaw.malformed


def test_an_unknown_maker_is_refused(maker):
    assert maker.flaw(roots=[]) is Flaw.root_unknown
    assert maker.flaw(roots=[TrustedRoot("other", Link("Another root").certificate())]) is Flaw.root_unknown


def test_a_root_of_the_same_name_is_not_the_same_root(maker):
    namesake = TrustedRoot("maker", Link("Maker root").certificate())
    assert maker.flaw(roots=[namesake]) is Flaw.root_unknown


def test_a_statement_by_another_key_is_refused(maker):
    forged = maker.statement.certificate(maker.card, signer=ec.generate_private_key(ec.SECP256R1()))
    assert maker.flaw(statement_der=forged) is Flaw.chain_broken


def test_a_statement_for_another_key_is_refused(maker):
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert maker.flaw(expected_public_key=other) is Flaw.other_key


def test_a_statement_for_another_slot_is_refused(maker):
    assert maker.flaw(expected_slot=KeySlot.authentication) is Flaw.other_slot


def test_a_software_key_that_an_attested_key_vouches_for_is_refused(maker):
    """The holder of an attested key can sign what he likes with it; it is no CA, so it vouches for nothing."""
    attested = maker.statement
    software = Link("YubiKey PIV Attestation 9a", is_ca=False, facts=dict(FACTS))
    assert (
        maker.flaw(
            statement_der=software.certificate(attested),
            intermediate_der=attested.certificate(maker.card),
            makers_intermediates=[maker.card.certificate(maker.root)],
            expected_public_key=software.key.public_key(),
        )
        is Flaw.not_an_attestation_issuer
    )


def test_a_card_cannot_make_other_cards(maker):
    second = Link("Card of a card", path_length=0)
    assert (
        maker.flaw(
            statement_der=maker.statement.certificate(second),
            intermediate_der=second.certificate(maker.card),
            makers_intermediates=[maker.card.certificate(maker.root)],
        )
        is Flaw.not_an_attestation_issuer
    )


@pytest.mark.parametrize("part", ["root", "card", "statement"])
def test_validity_counts_at_both_ends(maker, part):
    link = getattr(maker, part)
    assert maker.verify(now=link.starts).serial == "123"
    assert maker.verify(now=link.ends).serial == "123"
    setattr(link, "ends", NOW - dt.timedelta(hours=1))  # noqa: B010
    assert maker.flaw() is Flaw.outside_validity
    link.ends, link.starts = NOW + dt.timedelta(days=1), NOW + dt.timedelta(hours=1)
    assert maker.flaw() is Flaw.outside_validity


@pytest.mark.parametrize(
    ("oid", "flaw"),
    [(SERIAL, Flaw.serial_missing), (POLICIES, Flaw.policy_missing), (FIRMWARE, Flaw.malformed)],
)
def test_a_missing_fact_is_refused(maker, oid, flaw):
    del maker.statement.facts[oid]
    assert maker.flaw() is flaw


@pytest.mark.parametrize(
    ("oid", "value", "flaw"),
    [
        (SERIAL, b"123", Flaw.malformed),
        (SERIAL, b"\x02\x00", Flaw.serial_missing),
        (SERIAL, b"\x04\x01\x01", Flaw.malformed),
        (POLICIES, b"\x02", Flaw.policy_missing),
        (POLICIES, b"\x09\x01", Flaw.policy_missing),
        (POLICIES, b"\x02\x09", Flaw.policy_missing),
        (FIRMWARE, b"\x05\x04", Flaw.malformed),
    ],
)
def test_a_garbled_fact_is_refused(maker, oid, value, flaw):
    maker.statement.facts[oid] = value
    assert maker.flaw() is flaw


@pytest.mark.parametrize(
    ("told", "shape"),
    [(None, FormFactor.other), (b"\x00", FormFactor.other), (b"\x81", FormFactor.usb_a_keychain)],
)
def test_a_form_factor_may_be_missing_or_carry_marks(maker, told, shape):
    maker.statement.facts.pop(FORM_FACTOR)
    if told is not None:
        maker.statement.facts[FORM_FACTOR] = told
    assert maker.verify().form_factor is shape


def test_a_key_that_never_asks_for_the_pin_is_refused(maker):
    maker.statement.facts[POLICIES] = b"\x01\x01"
    assert maker.flaw() is Flaw.pin_policy_too_weak
    assert maker.flaw(demand_pin_policy=PinPolicy.never) is Flaw.pin_policy_too_weak


def test_the_demanded_pin_policy_is_demanded(maker):
    assert maker.flaw(demand_pin_policy=PinPolicy.always) is Flaw.pin_policy_too_weak
    maker.statement.facts[POLICIES] = b"\x03\x01"
    assert maker.verify(demand_pin_policy=PinPolicy.always).pin_policy is PinPolicy.always


def test_an_rsa_maker_is_as_good(maker):
    maker.root = Link("Maker root", key=rsa.generate_private_key(65537, 2048))
    assert maker.verify().serial == "123"


def test_the_test_root_says_what_it_is():
    root = make_test_attestation_root(now=NOW)
    assert "TEST ONLY" in root.certificate.subject.rfc4514_string()
    assert type(root).from_pem(root.to_pem()).certificate == root.certificate
    state = blank(attestation_root=root)
    card = managed(VirtualCard(state))
    card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
    card.verify_pin(FACTORY_PIN)
    intermediate = x509.load_der_x509_certificate(card.attest(KeySlot.authentication).intermediate_der)
    assert "TEST ONLY" in intermediate.subject.rfc4514_string()


def test_another_key_is_no_test_root():
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    pem = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="test attestation root"):
        type(make_test_attestation_root(now=NOW)).from_pem(pem)
