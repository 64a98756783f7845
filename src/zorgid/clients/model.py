"""What a client is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NewType

from joserfc.jwk import KeySet

ClientId = NewType("ClientId", str)

PORTAL_ID: Final = ClientId("user-management")
"""The portal's own id, as the printed login request has it (LOGIN-1)."""

PORTAL_NAME: Final = "ZORG-ID Portaal"
"""The name of a product: the same in both languages."""


class Profile(StrEnum):
    """The rules a client is held to (LOGIN-8)."""

    nlgov = "nlgov"
    fapi2 = "fapi2"


class TokenEndpointAuth(StrEnum):
    """How a client proves itself; there are no client secrets. `none` is for a public client with PKCE."""

    private_key_jwt = "private_key_jwt"
    tls_client_auth = "tls_client_auth"
    none = "none"


class SigningAlgorithm(StrEnum):
    """With what the identity server signs this client's tokens (RFC 7518, section 3.1)."""

    ES256 = "ES256"
    PS256 = "PS256"
    RS256 = "RS256"


class RedirectPolicy(StrEnum):
    """Which addresses a client may register: the demo's speak plain HTTP on this machine."""

    https_only = "https_only"
    loopback_allowed = "loopback_allowed"


@dataclass(frozen=True)
class Client:
    """A care application or the portal. Addresses are compared as strings, letter by letter.

    `jwks` is a JWK Set with public keys only (RFC 7517, section 5). `sector` is the host that pairwise
    subjects are made for.
    """

    id: ClientId
    name: str
    profile: Profile
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    jwks: Mapping[str, Any]
    token_endpoint_auth: TokenEndpointAuth
    scopes: frozenset[str]
    sector: str
    default_acr: str | None
    signing_algorithm: SigningAlgorithm
    is_portal: bool

    @cached_property
    def keys(self) -> KeySet:
        """The client's public keys, parsed once; checking an RSA key takes long."""
        return KeySet.import_key_set({"keys": list(self.jwks["keys"])})
