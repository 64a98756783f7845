"""Reads the registration of a client as a supplier writes it down: JSON with the standard's field names.

Source: RFC 7591, section 2; OpenID Connect Dynamic Client Registration 1.0, section 2.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zorgid.clients.errors import ClientUnfit
from zorgid.clients.model import PORTAL_ID, Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth

LARGEST_DOCUMENT_BYTES: Final = 64 * 1024


class Registration(BaseModel):
    """The document. What it leaves out gets the strictest value: profile fapi2, ES256, private_key_jwt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    jwks: dict[str, Any] = Field(default_factory=lambda: {"keys": []})
    token_endpoint_auth_method: TokenEndpointAuth = TokenEndpointAuth.private_key_jwt
    scope: str = "openid"
    id_token_signed_response_alg: SigningAlgorithm = SigningAlgorithm.ES256
    sector_identifier: str
    """The host that pairwise subjects are made for."""
    profile: Profile = Profile.fapi2
    default_acr: str | None = None


def read_registration(unverified: bytes) -> Client:
    """Return the client that a document describes; whether it may be registered is for `register_client`.

    It never describes the portal, which registers itself.

    Raises:
        ClientUnfit: the document is too large, no such JSON, or a field is missing, unknown or of another
            kind, or names the portal.
    """
    if len(unverified) > LARGEST_DOCUMENT_BYTES:
        raise ClientUnfit(part="size")
    try:
        told = Registration.model_validate_json(unverified)
    except ValidationError as wrong:
        place = wrong.errors()[0]["loc"]
        raise ClientUnfit(part=str(place[0]) if place else "document") from None
    if told.client_id == PORTAL_ID:
        raise ClientUnfit(part="client_id")
    return Client(
        id=ClientId(told.client_id),
        name=told.client_name,
        profile=told.profile,
        redirect_uris=told.redirect_uris,
        post_logout_redirect_uris=told.post_logout_redirect_uris,
        jwks=told.jwks,
        token_endpoint_auth=told.token_endpoint_auth_method,
        scopes=frozenset(told.scope.split()),
        sector=told.sector_identifier,
        default_acr=told.default_acr,
        signing_algorithm=told.id_token_signed_response_alg,
        is_portal=False,
    )
