"""Answers who is behind an access token, for as many as ask at once (`storage.together`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zorgid.kernel.errors import Refusal, outcome
from zorgid.login.sessions import sessions_by_sid
from zorgid.oidc import store
from zorgid.oidc.claims import is_in_force, signed_userinfo_claims, userinfo_claims
from zorgid.oidc.errors import InvalidToken, OAuthRefusal
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, signed
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.model import Grant
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Work
from zorgid.storage.together import Part


@dataclass(frozen=True)
class UserinfoRequest:
    """An access token, and in which form the client takes the answer."""

    unverified: UnverifiedToken
    as_jwt: bool


Told = Mapping[str, Any] | str
"""What userinfo tells: claims, or a signed JWT."""


async def userinfo(
    server: IdentityServer, parts: Sequence[Part[UserinfoRequest]]
) -> Sequence[Told | OAuthRefusal]:
    """Return for each request what its access token may know about its person, or why it may know nothing.

    The session and the means behind it are checked at every request, in round trips that all share.
    `InvalidToken`: the token is not ours, not for here, over, or its session or means is not good any more.
    """
    work = parts[0].work
    ring = await server.signing_keys.ring(work)
    claims = [outcome(_for_userinfo, server, ring, part.asked.unverified, work.now) for part in parts]
    grants = iter(await _living_grants(work, [str(one["jti"]) for one in claims if isinstance(one, dict)]))
    found = [next(grants) if isinstance(one, dict) else one for one in claims]
    return [
        await _told(part, server, str(one["sub"]), grant) if isinstance(grant, Grant) else grant
        for part, one, grant in zip(parts, claims, found, strict=True)
    ]


def _for_userinfo(
    server: IdentityServer, ring: KeyRing, unverified: UnverifiedToken, now: datetime
) -> dict[str, Any]:
    return access_token(server, ring, unverified, audience=server.userinfo_url, now=now)


async def _living_grants(work: Work, jtis: Sequence[str]) -> Sequence[Grant | InvalidToken]:
    """Return for each token its grant, whose session and means are good at this moment, or why there is none.

    No card is locked: nothing is made of the answer that a hold would have to end.
    """
    grants = await store.grants_of_tokens(work, jtis)
    sids = [grant.sid for grant in grants if grant is not None]
    sessions = iter(await sessions_by_sid(work, sids, stays=False))

    def checked(jti: str, grant: Grant | None) -> Grant | InvalidToken:
        if grant is None:
            return InvalidToken(description="The access token is not valid any more.", detail=f"jti {jti}")
        if isinstance(refusal := next(sessions), Refusal):
            return InvalidToken(description="The session has ended.", detail=refusal.code)
        return grant

    return [checked(jti, grant) for jti, grant in zip(jtis, grants, strict=True)]


async def _told(part: Part[UserinfoRequest], server: IdentityServer, subject: str, grant: Grant) -> Told:
    if not part.asked.as_jwt:
        return userinfo_claims(grant, subject=subject)
    client = await server.clients.client(part.work, grant.client_id)
    ring = await server.signing_keys.ring(part.work)
    told = signed_userinfo_claims(grant, issuer=server.issuer, subject=subject, now=part.work.now)
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
