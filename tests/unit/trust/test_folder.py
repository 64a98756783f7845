"""Reading a trust store from a folder."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.clock import FakeClock

from zorgid.demo.uzi_register.register import Register
from zorgid.demo.uzi_trust import trust_in
from zorgid.kernel.randomness import system_random
from zorgid.pki.algorithms import KeyKind
from zorgid.trust.folder import TrustStoreUnfit, load_trust_bundle, require_whole
from zorgid.trust.model import TrustBundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uzi")
    register = Register.open(
        folder, base_url="http://uzi.test", clock=FakeClock(), random=system_random, keys=KeyKind.p256
    )
    return trust_in(register)


def write(bundle, folder):
    """Lay down the folder that an operator would keep."""
    for name in ("roots", "intermediates"):
        (folder / name).mkdir()
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in getattr(bundle.store, name))
        (folder / name / "all.pem").write_bytes(pem)
    text = ""
    for issuer in bundle.store.issuers:
        text += f"""
[[issuer]]
name = "{issuer.name}"
key_sha256 = "{issuer.key_sha256.hex()}"
card_type = "{issuer.card_type}"
oid_ca = "{issuer.oid_ca}"
authentication_policy = "{issuer.authentication_policy}"
level = "{issuer.level}"
is_test = {str(issuer.is_test).lower()}
"""
    for key, ways in bundle.ways.items():
        text += f"""
[[ways]]
key_sha256 = "{key.hex()}"
ocsp = {list(ways.ocsp)}
crl = {list(ways.crl)}
"""
    (folder / "store.toml").write_text(text)


def test_what_was_laid_down_is_what_is_trusted(bundle, tmp_path):
    write(bundle, tmp_path)

    assert load_trust_bundle(tmp_path, accepts_test=True) == bundle
    assert not load_trust_bundle(tmp_path, accepts_test=False).store.accepts_test


def test_an_offline_authority_may_have_an_older_list(bundle, tmp_path):
    write(bundle, tmp_path)
    text = (tmp_path / "store.toml").read_text()
    (tmp_path / "store.toml").write_text(text.replace("\ncrl = ", "\ncrl_hours = 4400\ncrl = "))

    ways = load_trust_bundle(tmp_path, accepts_test=True).ways.values()
    assert {way.crl_age_limit for way in ways} == {timedelta(hours=4400)}


@pytest.mark.parametrize("file", ["store.toml", "roots/all.pem", "intermediates/all.pem"])
def test_a_folder_that_lacks_a_file_is_refused(bundle, tmp_path, file):
    write(bundle, tmp_path)
    (tmp_path / file).unlink()

    with pytest.raises(TrustStoreUnfit):
        load_trust_bundle(tmp_path, accepts_test=True)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('level = "', 'level = "very-'),
        ("oid_ca", "oid"),
        ("[[issuer]]", "[[issuers]]"),
        ("[[ways]]", "[[way]]"),
        ("[[", "["),
    ],
)
def test_a_malformed_description_is_refused(bundle, tmp_path, was, becomes):
    write(bundle, tmp_path)
    text = (tmp_path / "store.toml").read_text()
    (tmp_path / "store.toml").write_text(text.replace(was, becomes))

    with pytest.raises(TrustStoreUnfit):
        load_trust_bundle(tmp_path, accepts_test=True)


def test_a_file_that_holds_no_certificate_is_refused(bundle, tmp_path):
    write(bundle, tmp_path)
    (tmp_path / "roots" / "other.pem").write_text("nothing")

    with pytest.raises(TrustStoreUnfit):
        load_trust_bundle(tmp_path, accepts_test=True)


def test_an_authority_to_which_there_is_no_way_is_refused(bundle):
    with pytest.raises(TrustStoreUnfit):
        require_whole(TrustBundle(bundle.store, {}))
