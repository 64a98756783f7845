"""Exchanges codes for tokens, and answers who is behind an access token. Each runs within one transaction."""

import hashlib
from datetime import datetime
from typing import Any

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, ActorKind, Event, Outcome
from zorgid.clients.model import Client
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login.sessions import session_by_sid
from zorgid.oidc import store
from zorgid.oidc.assertion import Authenticated
from zorgid.oidc.claims import (
    access_token_claims,
    id_token_claims,
    is_in_force,
    signed_userinfo_claims,
    userinfo_claims,
)
from zorgid.oidc.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidToken,
    OAuthRefusal,
)
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, signed
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.model import Grant, IssuedToken, Jti, Scope, grant_subject
from zorgid.oidc.profiles import ACCESS_TOKEN_LIVES_FOR
from zorgid.oidc.redeem import TokenRequest, require_fit
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Work


async def redeem_code(work: Work, server: IdentityServer, request: TokenRequest) -> dict[str, Any]:
    """Exchange a code for tokens and return the token response (RFC 6749, section 5.1).

    Raises:
        InvalidClient: the client assertion was seen before.
        InvalidGrant: the code is not one of this client, used, too old, does not fit the request, or its
            session has ended.
    """
    client = request.authenticated.client
    await _count_once(work, request.authenticated)
    try:
        code_hash = Secret.from_text(request.unverified_code).digest()
    except ValueError:
        raise InvalidGrant(description="The code is not valid.") from None
    code = await store.use_code(work, code_hash=code_hash, client_id=client.id)
    if code is None:
        await _revoke_reused(work, client, code_hash)
        raise InvalidGrant(description="The code is not valid.")
    grant = require_fit(request, code).grant
    await _require_session(work, grant, InvalidGrant)
    return await _issue_tokens(work, server, client, grant)


async def _count_once(work: Work, authenticated: Authenticated) -> None:
    if authenticated.jti is None or authenticated.expires_at is None:
        return
    is_new = await store.note_assertion(
        work,
        client_id=authenticated.client.id,
        jti_hash=hashlib.sha256(authenticated.jti.encode()).digest(),
        expires_at=authenticated.expires_at,
    )
    if not is_new:
        raise InvalidClient(description="The client assertion was used before.")


async def _revoke_reused(work: Work, client: Client, code_hash: bytes) -> None:
    grant_id = await store.revoke_family_of_used_code(work, code_hash=code_hash, client_id=client.id)
    if grant_id is not None:
        by = Actor(ActorKind.client, reference=client.id)
        await record(
            work, event=Event.code_replayed, by=by, on=grant_subject(grant_id), outcome=Outcome.refused
        )


async def _issue_tokens(work: Work, server: IdentityServer, client: Client, grant: Grant) -> dict[str, Any]:
    ring = await server.signing_keys.ring(work)
    subject = server.subject(client, grant.person_id)
    audiences = (
        (server.portal_api, server.userinfo_url) if Scope.api in grant.scope else (server.userinfo_url,)
    )
    jti, id_jti = _new_jti(work), _new_jti(work)
    key = ring.active(client.signing_algorithm)
    access = access_token_claims(
        grant, issuer=server.issuer, subject=subject, audiences=audiences, jti=jti, now=work.now
    )
    identity = id_token_claims(grant, issuer=server.issuer, subject=subject, jti=id_jti, now=work.now)
    await store.add_token(work, IssuedToken(jti, grant.id, work.now + ACCESS_TOKEN_LIVES_FOR))
    by = Actor(ActorKind.client, reference=client.id)
    await record(work, event=Event.tokens_issued, by=by, on=grant_subject(grant.id), facts={"jti": jti})
    return {
        "access_token": signed(server.keys, key, access, typ="at+jwt"),
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIVES_FOR.total_seconds()),
        "scope": " ".join(grant.scope),
        "id_token": signed(server.keys, key, identity, typ="JWT"),
    }


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
    await _require_session(work, grant, InvalidToken)
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


async def _require_session(work: Work, grant: Grant, otherwise: type[OAuthRefusal]) -> None:
    """Check session and means once more: a session may end while a code is being issued for it (LOGIN-10)."""
    try:
        await session_by_sid(work, grant.sid)
    except Refusal as refusal:
        raise otherwise(description="The session has ended.", detail=refusal.code) from None


def _new_jti(work: Work) -> Jti:
    return Jti(base64url(work.random(16)))
