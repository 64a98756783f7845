"""Our PKCS#11 driver on a token that somebody else wrote (SoftHSM2)."""

import subprocess
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.interop.tokens.tokens import (
    NEW_PIN,
    NEW_PUK,
    PIN,
    PUK,
    SOFTHSM,
    WRONG_PIN,
    blank_token,
    certified,
    openssl_takes,
    personalise,
)

from cardkit.card import CertificateUsage, Chuid, KeyAlgorithm, KeySlot, PinPolicy
from cardkit.errors import (
    CardAnswerMalformed,
    CardBusy,
    CardCannot,
    CardError,
    CardGone,
    CardNotRecognised,
    CertificateMissing,
    KeyMissing,
    PinNeeded,
    PinUnfit,
    PinWrong,
    PukUnfit,
    PukWrong,
    ReaderEmpty,
)
from cardkit.pkcs11 import module
from cardkit.pkcs11.objects import certificate_template
from cardkit.pkcs11.readers import Pkcs11Reader, Pkcs11Readers
from cardkit.secrets import ANY_PUK, Pin, PinRules, Puk, factory_management_key

ALGORITHMS = [KeyAlgorithm.rsa2048, KeyAlgorithm.p256, KeyAlgorithm.p384]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_blank_token_becomes_a_card_with_three_keys_and_certificates(
    tokens: Pkcs11Readers, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    """Begun with C_InitToken; openssl judges the signature of each key (CARD-5)."""
    reader = blank_token(tokens)
    with reader.open_card() as card:
        card.unblock_pin(PUK, PIN)
        keys = personalise(card, lambda: card.verify_pin(PIN), PIN, algorithm)
    hash_algorithm, name = (
        (hashes.SHA384(), "sha384") if algorithm is KeyAlgorithm.p384 else (hashes.SHA256(), "sha256")
    )
    with reader.open_card() as card:
        assert [each.slot for each in card.read_certificates()] == list(KeySlot)
        for usage in (CertificateUsage.authentication, CertificateUsage.signature):
            key = card.certificate_for(usage).key
            assert key == keys[key.slot]
            card.verify_pin(PIN)
            signature = card.sign(key, b"what is signed", hash_algorithm)
            assert openssl_takes(tmp_path, key, b"what is signed", signature, name)


def test_what_was_encrypted_to_the_card_is_decrypted(token: Pkcs11Reader) -> None:
    """CARD-5: the confidentiality key is used where it was made."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.rsa2048)
        assert isinstance(key.public_key, rsa.RSAPublicKey)
        ciphertext = key.public_key.encrypt(b"a secret", padding.PKCS1v15())
        assert card.decrypt(key, ciphertext) == b"a secret"
        with pytest.raises(CardAnswerMalformed):
            card.decrypt(key, b"\x01" * 256)
        with pytest.raises(ValueError, match="this RSA key"):
            card.decrypt(key, b"short")


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.p256, KeyAlgorithm.p384])
def test_an_agreed_secret_is_the_one_that_the_other_side_finds(
    token: Pkcs11Reader, algorithm: KeyAlgorithm
) -> None:
    """The other side is OpenSSL, by way of cryptography."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.confidentiality, algorithm)
        assert isinstance(key.public_key, ec.EllipticCurvePublicKey)
        peer = ec.generate_private_key(key.public_key.curve)
        assert card.agree(key, peer.public_key()) == peer.exchange(ec.ECDH(), key.public_key)
        other = ec.SECP384R1() if algorithm is KeyAlgorithm.p256 else ec.SECP256R1()
        with pytest.raises(ValueError, match="same curve"):
            card.agree(key, ec.generate_private_key(other).public_key())


def test_one_wrong_pin_does_not_stop_the_security_officer(token: Pkcs11Reader) -> None:
    """A session that is lost with a wrong PIN makes the next login of the other user fail (PIN-2)."""
    with token.open_card() as card:
        with pytest.raises(PinWrong) as wrong:
            card.verify_pin(WRONG_PIN)
        assert wrong.value.tries_left is None
        card.unblock_pin(PUK, NEW_PIN)
        card.verify_pin(NEW_PIN)
    with token.open_card() as card, pytest.raises(PinWrong):
        card.verify_pin(PIN)
    with token.open_card() as card:
        card.unblock_pin(PUK, PIN)
        card.verify_pin(PIN)


def test_the_holder_changes_the_pin(token: Pkcs11Reader) -> None:
    """PIN-2; whoever shows the wrong old PIN changes nothing."""
    with token.open_card() as card:
        with pytest.raises(PinWrong):
            card.change_pin(WRONG_PIN, NEW_PIN)
        card.change_pin(PIN, NEW_PIN)
        card.verify_pin(NEW_PIN)
        card.change_pin(NEW_PIN, PIN)
        with pytest.raises(PinWrong):
            card.verify_pin(NEW_PIN)


def test_the_holder_changes_the_puk(token: Pkcs11Reader) -> None:
    """CARD-8: the PUK is replaced where the card is."""
    with token.open_card() as card:
        with pytest.raises(PukWrong):
            card.change_puk(NEW_PUK, PUK)
        card.change_puk(PUK, NEW_PUK)
        with pytest.raises(PukWrong):
            card.unblock_pin(PUK, NEW_PIN)
        card.unblock_pin(NEW_PUK, NEW_PIN)
        card.verify_pin(NEW_PIN)


def test_a_pin_that_cannot_be_right_is_not_shown_to_the_token(
    token: Pkcs11Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PIN-3: SoftHSM2 takes four to 255 characters, our rules six to eight; nothing is called at all."""
    long = Pin("123456789012", PinRules(6, 20, digits_only=False))
    with token.open_card() as card:
        assert card.pin_rules == PinRules(6, 8, digits_only=False)

        def shown(*_: object) -> int:
            raise AssertionError("a PIN was shown")

        for call in ("login", "set_pin", "init_pin"):
            monkeypatch.setattr(token.module.cryptoki, call, shown)
        with pytest.raises(PinUnfit):
            card.verify_pin(long)
        with pytest.raises(PinUnfit):
            card.change_pin(PIN, long)
        with pytest.raises(PinUnfit):
            card.unblock_pin(PUK, long)
        monkeypatch.undo()


def test_a_puk_that_the_token_cannot_have_costs_no_try(token: Pkcs11Reader) -> None:
    """PIN-3."""
    too_long = Puk("1" * 300, PinRules(6, 400, digits_only=True))
    with token.open_card() as card, pytest.raises(PukUnfit):
        card.unblock_pin(too_long, NEW_PIN)


def test_a_key_is_used_after_the_pin_only_and_the_signature_key_directly_after(token: Pkcs11Reader) -> None:
    """ALL-2: the same rule as on a PIV card, whoever wrote the token."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        authentication = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        signature = card.generate_key(KeySlot.signature, KeyAlgorithm.p256)
        never_made = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
        card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
        card.verify_pin(PIN)
        card.sign(signature, b"once")
        with pytest.raises(PinNeeded):
            card.sign(signature, b"twice")
        card.sign(authentication, b"once")
        card.sign(authentication, b"twice")
        with pytest.raises(KeyMissing):
            card.sign(never_made, b"gone")
        card.log_out()
        with pytest.raises(PinNeeded):
            card.sign(authentication, b"no more")


def test_a_key_can_be_made_that_wants_the_pin_once(token: Pkcs11Reader) -> None:
    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.signature, KeyAlgorithm.p256, PinPolicy.once)
        for message in (b"once", b"twice"):
            signature = card.sign(key, message)
            assert isinstance(key.public_key, ec.EllipticCurvePublicKey)
            key.public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def test_nobody_is_logged_in_after_a_hold(token: Pkcs11Reader) -> None:
    """No trace is left, also where the flow broke off (ALL-2; docs/desktop-protocol.md, chapter 4)."""
    with pytest.raises(RuntimeError, match="broke off"), token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        raise RuntimeError("broke off")
    with token.open_card() as card, pytest.raises(PinNeeded):
        card.sign(key, b"by the next one")


def test_one_part_of_the_program_holds_a_token(token: Pkcs11Reader) -> None:
    """A login is the whole process's in PKCS#11, so two parts never have one token."""
    with token.open_card(), pytest.raises(CardBusy), token.open_card():
        pass
    with token.open_card():
        pass


def test_an_older_certificate_makes_place(token: Pkcs11Reader) -> None:
    """CARD-5: certificates belong to the keys that are there."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        assert card.read_key(KeySlot.authentication) == key
        for name in ("first", "second"):
            card.write_certificate(
                KeySlot.authentication, certified(key.public_key, "authentication", name=name)
            )
        assert "second" in str(card.certificate_for(CertificateUsage.authentication).certificate.subject)
        card.delete_certificate(KeySlot.authentication)
        with pytest.raises(CertificateMissing):
            card.certificate_for(CertificateUsage.authentication)


def test_certificates_are_told_apart_by_key_usage_wherever_they_stand(token: Pkcs11Reader) -> None:
    """LOGIN-2: never by label or place; those of authorities and others are left out."""
    import pkcs11

    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.confidentiality, KeyAlgorithm.p256)
        card.write_certificate(KeySlot.confidentiality, certified(key.public_key, "authentication"))
        session = card._session
        other = certified(key.public_key, "mixed")
        session.create_object(certificate_template(b"\x77", "handtekening", other))
        broken = certificate_template(b"\x78", "kapot", other) | {pkcs11.Attribute.VALUE: b"no certificate"}
        session.create_object(broken)
        (found,) = card.read_certificates()
        assert found.usage is CertificateUsage.authentication
        assert found.slot is KeySlot.authentication
        card.verify_pin(PIN)
        card.sign(found.key, b"by the key of the certificate")
        assert card.read_key(KeySlot.authentication) == found.key


def test_a_key_is_found_without_the_help_of_identifiers(token: Pkcs11Reader, tmp_path: Path) -> None:
    """LOGIN-2: nobody here knows how the makers of UZI cards tie keys to certificates; those keys are RSA."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        key = card.generate_key(KeySlot.signature, KeyAlgorithm.rsa2048, PinPolicy.once)
        template = certificate_template(b"\x99", "elsewhere", certified(key.public_key, "authentication"))
        card._session.create_object(template)
        found = card.certificate_for(CertificateUsage.authentication).key
        assert openssl_takes(tmp_path, found, b"signed", card.sign(found, b"signed"))


def test_making_wants_the_holder(token: Pkcs11Reader) -> None:
    with token.open_card() as card:
        with pytest.raises(PinNeeded):
            card.generate_key(KeySlot.authentication, KeyAlgorithm.p256)
        with pytest.raises(PinNeeded):
            card.delete_certificate(KeySlot.authentication)


def test_what_a_token_cannot_do_it_says(token: Pkcs11Reader) -> None:
    """A management key is not shown to a token whose officer has a PUK: that would cost a try (PIN-3)."""
    key = factory_management_key()
    with token.open_card() as card:
        for act in (
            lambda: card.authenticate_management(key),
            lambda: card.set_management_key(key),
            lambda: card.attest(KeySlot.authentication),
            lambda: card.write_chuid(Chuid(bytes(16), date(2030, 1, 1))),
            card.reset,
        ):
            with pytest.raises(CardCannot):
                act()
        assert card.read_chuid() is None
        assert card.read_key(KeySlot.signature) is None
        assert card.puk_tries_left() is None
        card.unblock_pin(PUK, PIN)


def test_the_right_puk_is_needed_to_make_a_token_blank(token: Pkcs11Reader, tokens: Pkcs11Readers) -> None:
    """C_InitToken."""
    with pytest.raises(PukWrong):
        token.initialise(NEW_PUK, "other")
    with token.open_card() as card:
        card.verify_pin(PIN)
    again = token.initialise(PUK, "other")
    with again.open_card() as card:
        assert card.read_certificates() == []
        with pytest.raises(CardError):
            card.verify_pin(PIN)
        card.unblock_pin(PUK, PIN)
        card.verify_pin(PIN)
    with pytest.raises(ValueError, match="32 bytes"):
        again.initialise(PUK, "a label of more than thirty-two bytes")


def test_a_slot_is_told_from_a_token_and_a_token_from_a_blank_one(tokens: Pkcs11Readers) -> None:
    """ALL-2."""
    (empty,) = tokens.present()
    assert empty.has_card()
    with pytest.raises(CardNotRecognised), empty.open_card():
        pass
    nowhere = Pkcs11Reader(empty.module, 0x7777, "nowhere")
    assert not nowhere.has_card()
    with pytest.raises(ReaderEmpty), nowhere.open_card():
        pass


def test_a_new_token_is_noticed(tokens: Pkcs11Readers) -> None:
    """ALL-2: readers and cards come and go."""
    assert not tokens.wait(0)
    blank_token(tokens)
    assert tokens.wait(0)
    assert not tokens.wait(0.01)


def test_a_token_that_came_after_the_module_started_is_found(
    tokens: Pkcs11Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ALL-2: SoftHSM2 sees what another program made only when it starts anew, as some modules do with readers."""
    monkeypatch.setattr(module, "START_AGAIN_AFTER_SECONDS", 3600.0)
    assert len(tokens.present()) == 1
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "later",
        "--so-pin",
        "87654321",
        "--pin",
        "123456",
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name = f"SoftHSM slot ID {int(told.split()[-1]):#x}"
    assert tokens.at(name) == []  # it has only just started
    monkeypatch.setattr(module, "START_AGAIN_AFTER_SECONDS", 0.0)
    (found,) = tokens.at(name)
    with found.open_card() as card:
        card.verify_pin(Pin("123456"))
        assert tokens.at("nowhere") == []  # nor is anything started anew while a card is held
        card.verify_pin(Pin("123456"))


def test_what_was_written_is_read_by_another_tool(token: Pkcs11Reader) -> None:
    """OpenSC's tool sees three keys and three certificates that belong together."""
    with token.open_card() as card:
        personalise(card, lambda: card.verify_pin(PIN), PIN, KeyAlgorithm.p256)
    command = [
        "pkcs11-tool",
        "--module",
        SOFTHSM,
        "--token-label",
        "ZORG-ID test",
        "--login",
        "--pin",
        "Linde24",
    ]
    told = subprocess.run([*command, "-O"], capture_output=True, text=True, check=True).stdout
    assert told.count("Private Key Object; EC") == 3
    assert told.count("Certificate Object; type = X.509 cert") == 3
    for key_id in ("01", "02", "03"):
        assert told.count(f"ID:         {key_id}") == 3
    tested = subprocess.run([*command, "--test"], capture_output=True, text=True, check=False)
    assert "No errors" in tested.stdout, tested.stdout + tested.stderr


def test_a_token_that_vanishes_is_gone(token: Pkcs11Reader) -> None:
    """A connection is dead after the card was out (CARD-9)."""
    with token.open_card() as card:
        card.verify_pin(PIN)
        card._session.close()
        with pytest.raises(CardGone):
            card.read_certificates()


def test_any_puk_fits_a_token_that_takes_it(token: Pkcs11Reader) -> None:
    with token.open_card() as card:
        card.change_puk(PUK, Puk("Puk123", ANY_PUK))
        card.unblock_pin(Puk("Puk123", ANY_PUK), NEW_PIN)
    with token.open_card() as card:
        card.verify_pin(NEW_PIN)
        with pytest.raises(PukWrong):
            card.unblock_pin(PUK, PIN)
