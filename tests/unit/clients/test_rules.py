"""What a client may register, and where people may be sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from zorgid.clients import rules
from zorgid.clients.errors import ClientKeysUnfit, ClientUnfit, RedirectUriUnfit
from zorgid.clients.model import (
    Client,
    ClientId,
    Profile,
    RedirectPolicy,
    SigningAlgorithm,
    TokenEndpointAuth,
)
from zorgid.kernel.randomness import base64url

EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})


def jwks(*keys: Key | Mapping[str, Any], private: bool = False) -> Mapping[str, Any]:
    return {"keys": [key.as_dict(private=private) if isinstance(key, Key) else key for key in keys]}


def client(**facts: Any) -> Client:
    fields = {
        "id": ClientId("demo-xis"),
        "name": "Demo XIS",
        "profile": Profile.fapi2,
        "redirect_uris": ("https://xis.example/signin-oidc",),
        "post_logout_redirect_uris": ("https://xis.example/",),
        "jwks": jwks(EC),
        "token_endpoint_auth": TokenEndpointAuth.private_key_jwt,
        "scopes": frozenset({"openid"}),
        "sector": "xis.example",
        "default_acr": None,
        "signing_algorithm": SigningAlgorithm.ES256,
        "is_portal": False,
    }
    return Client(**{**fields, **facts})


def register(**facts: Any) -> Client:
    return rules.require_fit_client(client(**facts), redirects=RedirectPolicy.https_only)


def test_a_fit_client_is_taken_and_its_keys_are_parsed_once() -> None:
    taken = register()
    assert taken.keys is taken.keys
    assert [key.kid for key in taken.keys.keys] == ["ec"]


@pytest.mark.parametrize(
    ("part", "facts"),
    [
        ("id", {"id": ClientId("")}),
        ("id", {"id": ClientId("a\nb")}),
        ("id", {"id": ClientId("x" * 101)}),
        ("name", {"name": " "}),
        ("redirect_uris", {"redirect_uris": ()}),
        ("scopes", {"scopes": frozenset({"api"})}),
        ("sector", {"sector": ""}),
        ("signing_algorithm", {"signing_algorithm": SigningAlgorithm.RS256}),
        ("token_endpoint_auth", {"token_endpoint_auth": TokenEndpointAuth.none}),
    ],
)
def test_an_unfit_field_is_named(part: str, facts: Mapping[str, Any]) -> None:
    """LOGIN-8: FAPI 2.0 knows no RS256 and no public clients."""
    with pytest.raises(ClientUnfit) as refusal:
        register(**facts)
    assert refusal.value.facts == {"part": part}


def test_a_client_of_the_dutch_profile_may_use_rs256() -> None:
    """LOGIN-8."""
    register(profile=Profile.nlgov, signing_algorithm=SigningAlgorithm.RS256)


@pytest.mark.parametrize(
    "uri",
    [
        "https://xis.example/signin-oidc",
        "https://xis.example:8443/a?b=c",
        "https://xis.example",
        "https://[2001:db8::1]/a",
    ],
)
def test_an_absolute_https_address_may_be_registered(uri: str) -> None:
    for policy in RedirectPolicy:
        assert rules.require_fit_uri(uri, policy) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/signin-oidc",
        "xis.example/a",
        "https:///a",
        "https://",
        "http://xis.example/a",
        "http://127.0.0.1.xis.example/a",
        "http://localhost.xis.example/a",
        "https://user@xis.example/a",
        "https://user:word@xis.example/a",
        "https://@xis.example/a",
        "https://xis.example/a#b",
        "https://xis.example/a#",
        "https://*.xis.example/a",
        "https://xis.example/*",
        "https://xis.example/a b",
        "https://xis.example\\@evil.example/a",
        "https://xis.example/a\n",
        "https://xis.example:port/a",
        "https://xis.example:99999/a",
        "https://[::1/a",
        "https://xïs.example/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "zorgid:callback",
        "https://xis.example/" + "a" * 2000,
    ],
)
def test_an_address_that_could_send_people_astray_is_not_registered(uri: str) -> None:
    """LOGIN-5; RFC 9700, section 4.1."""
    for policy in RedirectPolicy:
        with pytest.raises(RedirectUriUnfit):
            rules.require_fit_uri(uri, policy)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:8602/a", "http://localhost:8600/portal/signin-oidc", "http://[::1]:1/a"]
)
def test_plain_http_to_this_machine_is_for_the_demo_only(uri: str) -> None:
    assert rules.require_fit_uri(uri, RedirectPolicy.loopback_allowed) == uri
    with pytest.raises(RedirectUriUnfit):
        rules.require_fit_uri(uri, RedirectPolicy.https_only)


def test_addresses_after_logout_follow_the_same_rules() -> None:
    with pytest.raises(RedirectUriUnfit):
        register(post_logout_redirect_uris=("http://xis.example/",))


@pytest.fixture(scope="module")
def strong_rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "strong"})


def keys_refused(unfit: Mapping[str, Any]) -> str:
    with pytest.raises(ClientKeysUnfit) as refusal:
        register(jwks=unfit)
    return refusal.value.facts["flaw"]


def test_a_private_key_is_never_registered(strong_rsa: RSAKey) -> None:
    """LOGIN-8: public keys only."""
    for key in (EC, strong_rsa, OKPKey.generate_key("Ed25519", {"kid": "ed"}), OctKey.generate_key(256)):
        assert keys_refused(jwks(key, private=True)) == "private"


def test_strong_public_keys_are_taken(strong_rsa: RSAKey) -> None:
    ed = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    assert {key.kid for key in register(jwks=jwks(EC, strong_rsa, ed)).keys.keys} == {"ec", "strong", "ed"}


def test_a_weak_key_is_refused() -> None:
    """FAPI 2.0 Security Profile, section 5.4.1."""
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    modulus = base64url(numbers.n.to_bytes(128))
    assert keys_refused(jwks({"kty": "RSA", "kid": "weak", "n": modulus, "e": "AQAB"})) == "weak"
    assert keys_refused(jwks(ECKey.generate_key("secp256k1", {"kid": "k"}))) == "weak"


@pytest.mark.parametrize(
    ("unfit", "flaw"),
    [
        ({}, "malformed"),
        ({"keys": "x"}, "malformed"),
        ({"keys": ["x"]}, "malformed"),
        ({"keys": []}, "missing"),
        ({"keys": [{"kty": "EC", "kid": "a"}]}, "malformed"),
        ({"keys": [{"kty": "new", "kid": "a"}]}, "malformed"),
    ],
)
def test_a_malformed_key_set_is_refused(unfit: Mapping[str, Any], flaw: str) -> None:
    assert keys_refused(unfit) == flaw


def test_keys_have_names_of_their_own_and_are_for_signing() -> None:
    public = EC.as_dict(private=False)
    assert keys_refused(jwks({**public, "kid": ""})) == "nameless"
    assert keys_refused(jwks({name: value for name, value in public.items() if name != "kid"})) == "nameless"
    assert keys_refused(jwks(public, public)) == "name-twice"
    assert keys_refused(jwks({**public, "use": "enc"})) == "other-use"


def test_a_client_that_proves_itself_by_tls_needs_no_keys() -> None:
    register(jwks={"keys": []}, token_endpoint_auth=TokenEndpointAuth.tls_client_auth)


def test_what_is_replaced_is_judged_anew() -> None:
    with pytest.raises(ClientUnfit):
        rules.require_fit_client(replace(client(), name=""), redirects=RedirectPolicy.https_only)
