"""Our certificates, lists and OCSP answers under OpenSSL, with its own clock turned to that of the tests."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.pki.builders import NOW, OwnAuthority, own_authority, shared_register

from zorgid.pki.algorithms import KeyKind, algorithm_for, new_private_key, sign_with
from zorgid.pki.crl import RevocationReason, assemble_crl, build_tbs_crl, encode_entry
from zorgid.pki.identity import CardType
from zorgid.pki.ocsp import Answer, Good, Responder, Revoked, Unknown, build_answer, parse_request
from zorgid.pki.profiles import (
    CARD_PROFILES,
    POLICY_AUTHENTICATION,
    POLICY_AUTHENTICATION_UNATTESTED,
    Profile,
)

AT = str(int(NOW.timestamp()))
ANY_TIME = "1000000000"  # seconds; openssl ocsp measures the age of an answer by the machine's own clock

Openssl = Callable[..., tuple[int, str]]


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            ["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def crl(authority: OwnAuthority, *, root: bool = False, held: int | None = None) -> bytes:
    issuer, key = (
        (authority.root.certificate, authority.root_key)
        if root
        else (authority.issuer.certificate, authority.key)
    )
    entries = [] if held is None else [encode_entry(held, NOW, RevocationReason.certificate_hold)]
    tbs = build_tbs_crl(
        issuer,
        number=12,
        this_update=NOW,
        next_update=NOW + timedelta(hours=2),
        entries=entries,
        expired_from=NOW,
    )
    der = assemble_crl(tbs, algorithm_for(issuer.public_key()), sign_with(key)(tbs))
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)


@pytest.fixture(params=[KeyKind.p256, KeyKind.rsa2048])
def authority(request: pytest.FixtureRequest, tmp_path: Path) -> OwnAuthority:
    """An authority whose files lie beside those of the test."""
    own = own_authority(request.param)
    (tmp_path / "root.pem").write_bytes(pem(own.root.certificate))
    (tmp_path / "ca.pem").write_bytes(pem(own.issuer.certificate))
    (tmp_path / "chain.pem").write_bytes(pem(own.root.certificate) + pem(own.issuer.certificate))
    return own


VERIFY = ("verify", "-x509_strict", "-attime", AT, "-CAfile", "root.pem", "-untrusted", "ca.pem")


@pytest.mark.parametrize("profile", CARD_PROFILES)
def test_the_chain_of_a_card_certificate_holds_under_strict_rules(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path, profile: Profile
):
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate(profile)))

    assert openssl(*VERIFY, "card.pem") == (0, "card.pem: OK\n")


def test_the_authentication_certificate_serves_a_tls_client_under_its_policy_and_no_other(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate()))
    demand = (*VERIFY, "-purpose", "sslclient", "-explicit_policy", "-policy")

    assert openssl(*demand, POLICY_AUTHENTICATION, "card.pem")[0] == 0
    assert openssl(*demand, POLICY_AUTHENTICATION_UNATTESTED, "card.pem")[0] != 0


def test_the_signature_certificate_does_not_serve_a_tls_client(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate(Profile.signature)))

    status, said = openssl(*VERIFY, "-purpose", "sslclient", "card.pem")

    assert status != 0
    assert "unsuitable certificate purpose" in said or "unsupported certificate purpose" in said


def test_a_held_card_is_refused_by_its_list_and_others_are_not(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    certificate = authority.card_certificate()
    (tmp_path / "card.pem").write_bytes(pem(certificate))
    check = (*VERIFY, "-crl_check_all", "-CRLfile", "crls.pem", "card.pem")
    outcomes = {}
    for name, held in {"held": certificate.serial_number, "released": None, "other": 5}.items():
        (tmp_path / "crls.pem").write_bytes(crl(authority, held=held) + crl(authority, root=True))
        outcomes[name] = openssl(*check)

    assert outcomes["held"][0] != 0
    assert "certificate revoked" in outcomes["held"][1]
    assert outcomes["released"][0] == outcomes["other"][0] == 0


def test_the_list_reads_back_with_number_reason_and_promise(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    (tmp_path / "crl.pem").write_bytes(crl(authority, held=0xABCDEF))

    status, text = openssl("crl", "-in", "crl.pem", "-noout", "-text", "-CAfile", "chain.pem")

    assert status == 0
    assert "verify OK" in text
    assert "ABCDEF" in text
    assert "Certificate Hold" in text
    assert "X509v3 CRL Number: \n                12" in text


def test_the_identity_and_the_user_principal_name_read_back(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate()))

    _, text = openssl("x509", "-in", "card.pem", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")

    assert "-1-900000201-N-90000382-00.000-01000382" in text
    assert "900000201@90000382" in text
    assert (
        "C=NL,O=Huisartsenpraktijk De Linde,SN=van der Berg,GN=Sanne Elisabeth,serialNumber=900000201" in text
    )


@pytest.mark.parametrize("by", ["-sha1", "-sha256"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Good(), "card.pem: good"),
        (Revoked(NOW, RevocationReason.certificate_hold), "card.pem: revoked"),
        (Revoked(NOW, RevocationReason.unspecified), "card.pem: revoked"),
        (Unknown(), "card.pem: unknown"),
    ],
    ids=["good", "on hold", "revoked", "unknown"],
)
def test_openssl_asks_and_believes_our_responder(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path, answer: Answer, said: str, by: str
):
    key = new_private_key(KeyKind.p256)
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate()))
    about = (by, "-issuer", "ca.pem", "-cert", "card.pem", "-nonce")

    assert openssl("ocsp", *about, "-reqout", "request.der")[0] == 0
    question = parse_request((tmp_path / "request.der").read_bytes())
    encoded = build_answer(
        question.cert_id,
        answer,
        responder=Responder(authority.responder(key), sign_with(key)),
        produced_at=NOW,
        this_update=NOW,
        next_update=NOW + timedelta(minutes=10),
        archive_cutoff=NOW,
        nonce=question.nonce,
    )
    (tmp_path / "answer.der").write_bytes(encoded)
    status, text = openssl(
        "ocsp",
        *("-reqin", "request.der", "-respin", "answer.der", "-no_nonce", *about[:5]),
        *("-CAfile", "chain.pem", "-attime", AT, "-validity_period", ANY_TIME),
    )

    assert status == 0, text
    assert "Response verify OK" in text
    assert said in text
    assert "WARNING" not in text  # the nonce came back
    if answer == Revoked(NOW, RevocationReason.certificate_hold):
        assert "Reason: certificateHold" in text


def test_openssl_does_not_believe_a_responder_of_another_authority(
    openssl: Openssl, authority: OwnAuthority, tmp_path: Path
):
    other = own_authority(KeyKind.p384)
    key = new_private_key(KeyKind.p256)
    (tmp_path / "card.pem").write_bytes(pem(authority.card_certificate()))
    openssl("ocsp", "-issuer", "ca.pem", "-cert", "card.pem", "-reqout", "request.der")
    question = parse_request((tmp_path / "request.der").read_bytes())
    encoded = build_answer(
        question.cert_id,
        Good(),
        responder=Responder(other.responder(key), sign_with(key)),
        produced_at=NOW,
        this_update=NOW,
        next_update=NOW + timedelta(minutes=10),
        nonce=question.nonce,
    )
    (tmp_path / "answer.der").write_bytes(encoded)

    _, text = openssl(
        *("ocsp", "-reqin", "request.der", "-respin", "answer.der", "-issuer", "ca.pem"),
        *("-CAfile", "chain.pem", "-attime", AT, "-validity_period", ANY_TIME),
    )

    assert "Response Verify Failure" in text


def test_the_chain_of_a_test_card_of_the_uzi_register_holds(openssl: Openssl, tmp_path: Path):
    register = shared_register()
    hierarchy = register.hierarchy
    (tmp_path / "root.pem").write_bytes(pem(hierarchy.root.certificate))
    between = (hierarchy.issuers[CardType.N].certificate, hierarchy.level_2.certificate)
    (tmp_path / "ca.pem").write_bytes(b"".join(map(pem, between)))
    (tmp_path / "card.pem").write_bytes(pem(register.card("assistente-linde").authentication.certificate))

    assert openssl(*VERIFY, "card.pem") == (0, "card.pem: OK\n")
