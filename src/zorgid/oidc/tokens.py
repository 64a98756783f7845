"""Answers who is behind an access token."""

from datetime import datetime
from typing import Any

from zorgid.kernel.errors import Refusal
from zorgid.login.sessions import session_by_sid
from zorgid.oidc import store
from zorgid.oidc.claims import is_in_force, signed_userinfo_claims, userinfo_claims
from zorgid.oidc.errors import InvalidToken
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, signed
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Work


async def userinfo(
    work: Work, server: IdentityServer, unverified: UnverifiedToken, *, as_jwt: bool
) -> dict[str, Any] | str:
    """Return what an access token may know about its person, as claims or as a signed JWT.

    The session and the means behind it are checked at every request.

    Raises:
        InvalidToken: the token is not ours, not for here, over, or its session or means is not good any more.
    """
    ring = await server.signing_keys.ring(work)
    claims = access_token(server, ring, unverified, audience=server.userinfo_url, now=work.now)
    grant = await store.grant_of_token(work, str(claims["jti"]))
    if grant is None:
        raise InvalidToken(
            description="The access token is not valid any more.", detail=f"jti {claims['jti']}"
        )
    try:
        await session_by_sid(work, grant.sid)
    except Refusal as refusal:
        raise InvalidToken(description="The session has ended.", detail=refusal.code) from None
    subject = str(claims["sub"])
    if not as_jwt:
        return userinfo_claims(grant, subject=subject)
    client = await server.clients.client(work, grant.client_id)
    told = signed_userinfo_claims(grant, issuer=server.issuer, subject=subject, now=work.now)
    return signed(server.keys, ring.active(client.signing_algorithm), told, typ="JWT")


def access_token(
    server: IdentityServer, ring: KeyRing, unverified: UnverifiedToken, *, audience: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of an access token that is ours, in force and for `audience` (RFC 9068, section 4).

    Whether its grant still lives is for the caller to ask. Raises `InvalidToken`.
    """
    try:
        claims = ring.verified(unverified, typ="at+jwt")
    except TokenUnreadable as error:
        raise InvalidToken(description="The access token is not valid.", detail=str(error)) from None
    audiences = claims.get("aud")
    named = audiences if isinstance(audiences, list) else [audiences]
    if claims.get("iss") != server.issuer or audience not in named or not is_in_force(claims, now=now):
        raise InvalidToken(description="The access token has expired or is for another place.")
    return dict(claims)
