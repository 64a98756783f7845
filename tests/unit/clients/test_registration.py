"""What a supplier writes down to be registered (LOGIN-3)."""

import json

import pytest

from zorgid.clients.errors import ClientUnfit
from zorgid.clients.model import Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.clients.registration import LARGEST_DOCUMENT_BYTES, read_registration

DOCUMENT = {
    "client_id": "my-his",
    "client_name": "My HIS",
    "redirect_uris": ["https://his.example/callback"],
    "jwks": {"keys": []},
    "scope": "openid profile",
    "sector_identifier": "his.example",
}


def test_what_is_left_out_gets_the_strictest_value() -> None:
    client = read_registration(json.dumps(DOCUMENT).encode())
    assert client.profile is Profile.fapi2
    assert client.token_endpoint_auth is TokenEndpointAuth.private_key_jwt
    assert client.signing_algorithm is SigningAlgorithm.ES256
    assert client.scopes == frozenset({"openid", "profile"})


def test_a_document_never_makes_a_portal() -> None:
    assert not read_registration(json.dumps(DOCUMENT).encode()).is_portal
    with pytest.raises(ClientUnfit) as refused:
        read_registration(json.dumps({**DOCUMENT, "is_portal": True}).encode())
    assert refused.value.facts == {"part": "is_portal"}


@pytest.mark.parametrize("left_out", ["client_id", "client_name", "redirect_uris", "sector_identifier"])
def test_a_field_that_must_be_there_is_named(left_out: str) -> None:
    told = {name: value for name, value in DOCUMENT.items() if name != left_out}
    with pytest.raises(ClientUnfit) as refused:
        read_registration(json.dumps(told).encode())
    assert refused.value.facts == {"part": left_out}


@pytest.mark.parametrize(
    ("unverified", "part"),
    [(b"not json", "document"), (b"[]", "document"), (b" " * (LARGEST_DOCUMENT_BYTES + 1), "size")],
)
def test_what_is_no_such_document_is_refused(unverified: bytes, part: str) -> None:
    with pytest.raises(ClientUnfit) as refused:
        read_registration(unverified)
    assert refused.value.facts == {"part": part}
