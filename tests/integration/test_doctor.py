"""The doctor names each broken part, and what to do about it (ALL-3, ALL-11)."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from zorgid.ca.hierarchy import initialise_hierarchy
from zorgid.ca.keys import KeyKind
from zorgid.ca.model import HierarchyPlan, Places
from zorgid.doctor import examine
from zorgid.judgements import Finding, Verdict, names_host, of_clock, of_version
from zorgid.opening import make_platform_keys, open_database, open_keys, origin_of_command
from zorgid.settings import Environment, Settings
from zorgid.storage.database import OLDEST_SERVER

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
PUBLIC_FORM = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PASSPHRASE = "a passphrase for the tests"


def certificate_for(
    key: ec.EllipticCurvePrivateKey, host: str = "zorg.example", *, until: datetime | None = None
) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    until = until or now + timedelta(days=300)
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(min(now, until) - timedelta(days=400))
        .not_valid_after(until).add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a platform on which nothing is broken but what a test breaks."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "tls.pem").write_bytes(certificate_for(key))
    (tmp_path / "tls.key").write_bytes(pem_of(key))
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    roots = tmp_path / "trust" / "roots"
    roots.mkdir(parents=True)
    (roots / "root.pem").write_bytes(certificate_for(key, "root"))
    pinned = hashlib.sha256(key.public_key().public_bytes(*PUBLIC_FORM)).hexdigest()
    between = tmp_path / "trust" / "intermediates"
    between.mkdir()
    (between / "issuer.pem").write_bytes(certificate_for(key, "issuer"))
    (tmp_path / "trust" / "store.toml").write_text(
        f'[[issuer]]\nname = "one"\nkey_sha256 = "{pinned}"\ncard_type = "N"\noid_ca = "1.2"\n'
        'authentication_policy = "1.3"\nlevel = "high"\nis_test = false\n'
        f'[[ways]]\nkey_sha256 = "{pinned}"\nocsp = ["http://ocsp.example/"]\ncrl = []\n'
    )
    return Settings(
        environment="acceptance", origin="https://zorg.example", node="test", data_folder=tmp_path,
        database_url=database_url, key_passphrase_file=tmp_path / "passphrase", seals_folder=tmp_path / "seals",
        tls_certificate=tmp_path / "tls.pem", tls_key=tmp_path / "tls.key",
    )  # fmt: skip


@pytest.fixture
async def sound(settings: Settings) -> Settings:
    """The same, with keys and authorities made."""
    keys = open_keys(settings)
    make_platform_keys(keys)
    origin = origin_of_command(settings, "test")
    plan = HierarchyPlan(is_stand_in=True, key_kind=KeyKind.p256)
    async with open_database(settings, settings.database_url, keys) as database:
        await initialise_hierarchy(
            database, keys, root_keys=keys, plan=plan, places=Places(settings.pki_origin), origin=origin
        )
    return settings


def found(findings: list[Finding], part: str) -> Finding:
    """The finding about a part that is worst."""
    return max(
        (one for one in findings if one.part == part), key=lambda one: list(Verdict).index(one.verdict)
    )


async def test_a_sound_platform_has_no_broken_part_and_tells_of_its_stand_ins(sound: Settings) -> None:
    findings = await examine(sound)
    assert [one.line() for one in findings if one.verdict is Verdict.broken] == []
    assert found(findings, "stand-ins").verdict is Verdict.notable
    assert {one.part for one in findings} >= {"database", "clock", "migrations", "keys", "trust store", "TLS"}


async def test_a_database_that_cannot_be_reached_is_named(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"database_url": f"postgresql:///nothing?host={tmp_path}"})
    finding = found(await examine(away), "database")
    assert finding.verdict is Verdict.broken
    assert "cannot be reached" in finding.says
    assert "ZORGID_DATABASE_URL" in finding.remedy


async def test_an_embedded_database_that_was_never_made_is_named(settings: Settings) -> None:
    finding = found(await examine(settings.model_copy(update={"database_url": None})), "database")
    assert finding.verdict is Verdict.broken
    assert "zorgid migrate" in finding.remedy


def test_a_server_older_than_fifteen_is_too_old() -> None:
    """ALL-3."""
    assert of_version(OLDEST_SERVER).verdict is Verdict.sound
    finding = of_version(140011)
    assert (finding.verdict, finding.says) == (Verdict.broken, "PostgreSQL 14.11 is too old")


async def test_missing_migrations_are_named(settings: Settings, empty_url: str) -> None:
    finding = found(await examine(settings.model_copy(update={"database_url": empty_url})), "migrations")
    assert finding.verdict is Verdict.broken
    assert finding.remedy == "run `zorgid migrate`"


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [(1, Verdict.sound), (5, Verdict.notable), (11, Verdict.broken), (-11, Verdict.broken)],
)
def test_a_clock_that_is_off_against_the_database_is_named(apart: int, verdict: Verdict) -> None:
    """ALL-11."""
    assert of_clock(NOW + timedelta(seconds=apart), NOW).verdict is verdict


async def test_a_clock_that_is_off_is_measured_against_the_database(sound: Settings) -> None:
    findings = await examine(sound, clock=lambda: datetime.now(UTC) - timedelta(minutes=5))
    assert found(findings, "clock").verdict is Verdict.broken


Break = Callable[[Settings], Awaitable[None] | None]


def wrong_passphrase(settings: Settings) -> None:
    assert settings.key_passphrase_file is not None
    settings.key_passphrase_file.write_text("another passphrase entirely")


def short_passphrase(settings: Settings) -> None:
    assert settings.key_passphrase_file is not None
    settings.key_passphrase_file.write_text("short")


def no_passphrase(settings: Settings) -> None:
    assert settings.key_passphrase_file is not None
    settings.key_passphrase_file.unlink()


def missing_key(settings: Settings) -> None:
    next(settings.keys_in.glob("login*")).unlink()


def no_trust(settings: Settings) -> None:
    (settings.data_folder / "trust" / "roots" / "root.pem").unlink()


def unreadable_trust(settings: Settings) -> None:
    (settings.data_folder / "trust" / "roots" / "root.pem").write_text("nonsense")


def no_issuers(settings: Settings) -> None:
    (settings.data_folder / "trust" / "store.toml").write_text("")


def expired_trust(settings: Settings) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    key = serialization.load_pem_private_key((settings.data_folder / "tls.key").read_bytes(), None)
    path = settings.data_folder / "trust" / "roots" / "root.pem"
    path.write_bytes(certificate_for(key, "root", until=ended))


def seals_in_a_file(settings: Settings) -> None:
    settings.seals_in.write_text("")


def tls_of_another_host(settings: Settings) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (settings.data_folder / "tls.key").write_bytes(pem_of(key))
    (settings.data_folder / "tls.pem").write_bytes(certificate_for(key, "other.example"))


def tls_with_another_key(settings: Settings) -> None:
    (settings.data_folder / "tls.key").write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1())))


def tls_unreadable(settings: Settings) -> None:
    (settings.data_folder / "tls.pem").write_text("nonsense")


def tls_expired(settings: Settings) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (settings.data_folder / "tls.key").write_bytes(pem_of(key))
    ended = datetime.now(UTC) - timedelta(days=1)
    (settings.data_folder / "tls.pem").write_bytes(certificate_for(key, until=ended))


def crl_of_long_ago(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("update ca_crl set this_update = '2020-01-01', next_update = '2020-01-02'")


@pytest.mark.parametrize(
    ("breaks", "part", "words"),
    [
        (wrong_passphrase, "keys", "passphrase"),
        (short_passphrase, "keys", "shorter than 16"),
        (no_passphrase, "keys", "cannot be read"),
        (missing_key, "keys", "missing keys: login"),
        (no_trust, "trust store", "needs a root"),
        (unreadable_trust, "trust store", "root.pem"),
        (no_issuers, "trust store", "[[issuer]] is missing"),
        (expired_trust, "trust store", "CN=root ended on"),
        (seals_in_a_file, "seals", "cannot be written"),
        (tls_of_another_host, "TLS", "does not name zorg.example"),
        (tls_with_another_key, "TLS", "do not belong together"),
        (tls_unreadable, "TLS", "cannot be read"),
        (tls_expired, "TLS", "ended on"),
        (crl_of_long_ago, "CRL", "ended at 2020-01-02"),
    ],
)
async def test_a_broken_part_is_named_and_hides_no_other(
    sound: Settings, breaks: Break, part: str, words: str
) -> None:
    breaks(sound)
    findings = await examine(sound)
    broken = [one for one in findings if one.verdict is Verdict.broken]
    assert {one.part for one in broken} == {part}
    assert any(words in one.says for one in broken)
    assert all(one.remedy for one in broken)
    assert found(findings, "database").verdict is Verdict.sound


async def test_authorities_that_were_never_made_are_named(settings: Settings) -> None:
    make_platform_keys(open_keys(settings))
    finding = found(await examine(settings), "authorities")
    assert (finding.verdict, finding.remedy) == (Verdict.broken, "run `zorgid ca init`")


async def test_the_doctor_makes_and_writes_nothing(settings: Settings, tmp_path: Path) -> None:
    """On an empty folder, with all that the demo would make up."""
    empty = tmp_path / "empty"
    looked_at = settings.model_copy(
        update={
            "environment": Environment.demo,
            "data_folder": empty,
            "key_passphrase_file": None,
            "seals_folder": None,
            "trust_folder": tmp_path / "trust",
        }
    )
    finding = found(await examine(looked_at), "keys")
    assert (finding.verdict, "key-passphrase cannot be read" in finding.says) == (Verdict.broken, True)
    assert not empty.exists()


async def test_keys_that_were_never_made_are_named_and_not_made(settings: Settings) -> None:
    finding = found(await examine(settings), "keys")
    assert "no keys were ever made" in finding.says
    assert "zorgid ca init" in finding.remedy
    assert not settings.keys_in.exists()


async def test_seals_are_not_tried_out(sound: Settings) -> None:
    assert "is made with the first seal" in found(await examine(sound), "seals").says
    sound.seals_in.mkdir()
    assert "can be written" in found(await examine(sound), "seals").says
    assert not list(sound.seals_in.iterdir())


async def test_production_takes_no_stand_in(sound: Settings) -> None:
    findings = await examine(sound.model_copy(update={"environment": Environment.production}))
    assert found(findings, "stand-ins").verdict is Verdict.broken


async def test_nothing_secret_is_shown(sound: Settings) -> None:
    """ALL-4."""
    wrong_passphrase(sound)
    assert all(
        PASSPHRASE not in one.line() and "another pass" not in one.line() for one in await examine(sound)
    )


@pytest.mark.parametrize(
    ("name", "fits"),
    [("zorg.example", True), ("*.example", True), ("example", False), ("a.zorg.example", False)],
)
def test_a_certificate_names_a_host_or_a_wildcard_above_it(name: str, fits: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = x509.load_pem_x509_certificate(certificate_for(key, name))
    assert names_host(certificate, "zorg.example") is fits
