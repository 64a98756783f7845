"""How a client proves itself: private_key_jwt and nothing else (FAPI 2.0 Security Profile, 5.3.2.1; NL GOV)."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OKPKey
from tests.oidc_builders import (
    EC_KEY,
    ISSUER,
    RSA_KEY,
    TOKEN_URL,
    a_client,
    a_token_request,
    an_assertion,
    jwks,
    seconds_of,
)

from zorgid.clients.model import Client, Profile, TokenEndpointAuth
from zorgid.kernel.randomness import base64url
from zorgid.oidc.assertion import Addresses, Authenticated, authenticated_client, claimed_client
from zorgid.oidc.errors import InvalidClient
from zorgid.oidc.parameters import UnverifiedParameters

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
THERE = Addresses(ISSUER, TOKEN_URL)
OKP_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "okp-1"})


def form(assertion: str, **changes: str | None) -> UnverifiedParameters:
    return UnverifiedParameters.of(
        a_token_request("code", now=NOW, client_assertion=assertion, **changes).items()
    )


def prove(client: Client, assertion: str, **changes: str | None) -> Authenticated:
    return authenticated_client(form(assertion, **changes), client=client, addresses=THERE, now=NOW)


def at(**shift: float) -> int:
    return seconds_of(NOW + timedelta(**shift))


def test_a_right_assertion_is_taken_with_its_id_and_end() -> None:
    proved = prove(a_client(), an_assertion(now=NOW, jti="only-once"))
    assert proved.jti == "only-once"
    assert proved.expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("profile", "key", "alg"),
    [
        (Profile.nlgov, RSA_KEY, "RS256"),
        (Profile.nlgov, RSA_KEY, "PS256"),
        (Profile.nlgov, EC_KEY, "ES256"),
        (Profile.nlgov, OKP_KEY, "Ed25519"),
        (Profile.fapi2, RSA_KEY, "PS256"),
        (Profile.fapi2, EC_KEY, "ES256"),
        (Profile.fapi2, OKP_KEY, "Ed25519"),
    ],
)
def test_the_algorithms_of_a_profile_are_taken(profile: Profile, key: Any, alg: str) -> None:
    client = a_client(profile=profile, jwks=jwks(key))
    assert prove(client, an_assertion(now=NOW, key=key, alg=alg)).client is client


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": TOKEN_URL},
        {"iat": at(seconds=10)},
        {"nbf": at(seconds=8)},
        {"exp": at(minutes=60)},
        {"exp": at(seconds=1)},
    ],
)
def test_what_nl_gov_allows_is_taken(changes: dict[str, Any]) -> None:
    """Module fapi2-…-client-assertion-with-iat-10-seconds-in-future."""
    prove(a_client(), an_assertion(now=NOW, **changes))


@pytest.mark.parametrize(
    ("defect", "changes"),
    [
        ("other-issuer", {"iss": "other"}),
        ("other-subject", {"sub": "other"}),
        ("no-issuer", {"iss": None}),
        ("no-audience", {"aud": None}),
        ("no-jti", {"jti": None}),
        ("no-exp", {"exp": None}),
        ("no-iat", {"iat": None}),
        ("audience-array", {"aud": [ISSUER]}),
        ("audience-array-of-two", {"aud": [ISSUER, TOKEN_URL]}),
        ("audience-with-slash", {"aud": ISSUER + "/"}),
        ("audience-of-another-endpoint", {"aud": f"{ISSUER}/connect/par"}),
        ("audience-foreign", {"aud": "https://other.example"}),
        ("expired", {"exp": at(seconds=0)}),
        ("lives-too-long", {"exp": at(hours=2)}),
        ("exp-is-text", {"exp": str(at(minutes=1))}),
        ("exp-is-true", {"exp": True}),
        ("exp-beyond-the-calendar", {"exp": 10**15}),
        ("iat-in-the-future", {"iat": at(seconds=61)}),
        ("iat-just-too-far", {"iat": at(seconds=11)}),
        ("nbf-in-the-future", {"nbf": at(seconds=61)}),
        ("jti-empty", {"jti": ""}),
        ("jti-too-long", {"jti": "x" * 513}),
        ("jti-a-number", {"jti": 7}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_claim_is_refused(defect: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidClient):
        prove(a_client(), an_assertion(now=NOW, **changes))


@pytest.mark.parametrize("audience", [TOKEN_URL, f"{ISSUER}/connect/par", [ISSUER], [ISSUER, TOKEN_URL]])
def test_a_fapi_client_names_the_issuer_as_one_string(audience: Any) -> None:
    """Modules fapi2-…-ensure-client-assertion-with-…-aud-fails."""
    client = a_client(profile=Profile.fapi2)
    prove(client, an_assertion(now=NOW, aud=ISSUER))
    with pytest.raises(InvalidClient):
        prove(client, an_assertion(now=NOW, aud=audience))


def test_a_fapi_client_may_not_sign_with_rs256_nor_for_an_hour() -> None:
    client = a_client(profile=Profile.fapi2, jwks=jwks(RSA_KEY))
    with pytest.raises(InvalidClient):
        prove(client, an_assertion(now=NOW, key=RSA_KEY, alg="RS256"))
    with pytest.raises(InvalidClient):
        prove(client, an_assertion(now=NOW, key=RSA_KEY, alg="PS256", exp=at(minutes=30)))


def unsigned(header: dict[str, Any]) -> str:
    parts = [
        header,
        {"iss": "xis", "sub": "xis", "aud": ISSUER, "jti": "1", "iat": at(), "exp": at(minutes=1)},
    ]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        + "."
    )


def signed_as_it_is(header: dict[str, Any]) -> str:
    """Sign whatever the header says; the library would refuse to write some of these."""
    signing_input = unsigned(header).rstrip(".")
    der = EC_KEY.private_key.sign(signing_input.encode(), ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    return f"{signing_input}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@pytest.mark.parametrize("alg", ["none", "None", "HS256", None, 7])
def test_an_assertion_without_a_signature_of_a_registered_kind_is_refused(alg: Any) -> None:
    with pytest.raises(InvalidClient):
        prove(a_client(), unsigned({"alg": alg, "kid": "ec-1"}))


def test_a_public_key_used_as_hmac_secret_is_refused() -> None:
    signing_input = unsigned({"alg": "HS256", "kid": "rsa-1"}).rstrip(".")
    mac = hmac.digest(RSA_KEY.as_pem(private=False), signing_input.encode(), "sha256")
    forged = f"{signing_input}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(InvalidClient):
        prove(a_client(jwks=jwks(RSA_KEY)), forged)


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"typ": "at+jwt"},
        {"typ": "dpop+jwt"},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_header_of_another_kind_is_refused(header: dict[str, Any]) -> None:
    assertion = signed_as_it_is({"alg": "ES256", "kid": "ec-1", **header})
    with pytest.raises(InvalidClient):
        prove(a_client(), assertion)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "client-authentication+jwt"])
def test_the_types_of_an_assertion_are_taken(typ: str) -> None:
    prove(a_client(), an_assertion(now=NOW, header={"typ": typ}))


def test_a_key_that_comes_along_in_the_header_is_not_looked_at() -> None:
    foreign = ECKey.generate_key("P-256", parameters={"kid": "ec-1"})
    with pytest.raises(InvalidClient):
        prove(a_client(), an_assertion(now=NOW, key=foreign, header={"jwk": foreign.as_dict(private=False)}))


def test_without_a_kid_the_only_registered_key_counts() -> None:
    nameless = ECKey.import_key(EC_KEY.as_dict(private=True))
    assertion = an_assertion(now=NOW, key=nameless, header={"kid": ""})
    with pytest.raises(InvalidClient):
        prove(a_client(), assertion)


def test_a_key_registered_for_one_algorithm_does_not_sign_with_another() -> None:
    registered = {"keys": [{**RSA_KEY.as_dict(private=False), "alg": "PS256"}]}
    client = a_client(jwks=registered)
    prove(client, an_assertion(now=NOW, key=RSA_KEY, alg="PS256"))
    with pytest.raises(InvalidClient):
        prove(client, an_assertion(now=NOW, key=RSA_KEY, alg="RS256"))


@pytest.mark.parametrize("kind", [None, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"])
def test_another_type_of_assertion_is_refused(kind: str | None) -> None:
    with pytest.raises(InvalidClient):
        prove(a_client(), an_assertion(now=NOW), client_assertion_type=kind)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "é.é.é", "x" * 20_000])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidClient):
        prove(a_client(), text)


def test_a_claim_given_twice_is_refused() -> None:
    from joserfc import jws

    twice = f'{{"iss":"xis","sub":"xis","aud":"{ISSUER}","jti":"1","iat":{at()},"exp":{at(seconds=-5)},"exp":{at(minutes=1)}}}'
    assertion = jws.serialize_compact({"alg": "ES256", "kid": "ec-1"}, twice, EC_KEY, ["ES256"])
    with pytest.raises(InvalidClient):
        prove(a_client(), assertion)


def test_a_client_with_keys_must_use_them() -> None:
    with pytest.raises(InvalidClient):
        authenticated_client(
            UnverifiedParameters.of([("client_id", "xis")]), client=a_client(), addresses=THERE, now=NOW
        )


def test_a_public_client_proves_nothing_and_may_not_pretend_to() -> None:
    client = a_client(token_endpoint_auth=TokenEndpointAuth.none, jwks={"keys": []})
    named = UnverifiedParameters.of([("client_id", "xis")])
    assert authenticated_client(named, client=client, addresses=THERE, now=NOW).jti is None
    with pytest.raises(InvalidClient):
        prove(client, an_assertion(now=NOW))


def test_client_and_assertion_must_name_the_same() -> None:
    assert claimed_client(form(an_assertion(now=NOW), client_id=None)) == "xis"
    for changes in ({"client_id": "other"}, {"client_id": None, "client_assertion": None}):
        given = a_token_request("code", now=NOW, **changes)
        with pytest.raises(InvalidClient):
            claimed_client(UnverifiedParameters.of(given.items()))


def test_a_header_with_a_certificate_chain_is_not_too_long() -> None:
    """RFC 7515, section 4.1.6; the library's own bound is 512 characters."""
    prove(a_client(), an_assertion(now=NOW, header={"x5c": ["A" * 1500]}))
