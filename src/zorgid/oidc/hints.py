"""Reads ID tokens that come back as a hint of who is meant, to log in or to log out."""

from typing import Any, Final

from zorgid.clients.model import ClientId
from zorgid.oidc.errors import InvalidRequest
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.setup import IdentityServer

ONLY_IN_ID_TOKENS: Final = frozenset({"sid", "auth_time", "jti"})
"""What tells an ID token from signed userinfo, which has the same `typ` (RFC 8725, section 3.12)."""


def read_hint(server: IdentityServer, ring: KeyRing, hint: str, client_id: ClientId | None) -> dict[str, Any]:
    """Return the claims of an ID token of ours, even an expired one, made for `client_id` when that is given.

    Raises:
        InvalidRequest: it is not such a token.
    """
    try:
        claims = ring.verified(UnverifiedToken(hint), typ="JWT")
    except TokenUnreadable as error:
        raise InvalidRequest(description="The id_token_hint is not one of ours.", detail=str(error)) from None
    if claims.get("iss") != server.issuer or not claims.keys() >= ONLY_IN_ID_TOKENS:
        raise InvalidRequest(description="The id_token_hint is not an ID token of ours.")
    if client_id is not None and claims.get("aud") != client_id:
        raise InvalidRequest(description="The id_token_hint is not for this client.")
    return dict(claims)
