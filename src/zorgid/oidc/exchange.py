"""Exchanges codes for tokens, for as many token requests at once as share one work (`storage.together`).

Each step is one round trip for all of them: use the codes up, look at sessions and cards, write tokens and
audit entries. What is refused to one has no part in the steps that follow.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zorgid.audit.actions import entry, record, record_all
from zorgid.audit.model import Actor, ActorKind, Entry, Event, Outcome
from zorgid.kernel.errors import Refusal, outcome
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login.sessions import sessions_by_sid
from zorgid.oidc import store
from zorgid.oidc.claims import access_token_claims, id_token_claims
from zorgid.oidc.errors import InvalidClient, InvalidGrant, OAuthRefusal
from zorgid.oidc.jose import signed
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.model import CodeAttempt, CodeUse, Grant, IssuedToken, Jti, Scope, grant_subject
from zorgid.oidc.profiles import ACCESS_TOKEN_LIVES_FOR
from zorgid.oidc.redeem import TokenRequest, require_fit
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Work
from zorgid.storage.together import Part

TokenResponse = Mapping[str, Any]
"""Source: RFC 6749, section 5.1."""


@dataclass(frozen=True)
class Issued:
    """What one request gets, what is remembered of it, and what the audit log says."""

    response: TokenResponse
    token: IssuedToken
    entry: Entry


async def redeem_codes(
    server: IdentityServer, parts: Sequence[Part[TokenRequest]]
) -> Sequence[TokenResponse | OAuthRefusal]:
    """Exchange codes for tokens; return for each request the token response, or why there is none.

    `InvalidClient`: the client assertion was seen before, and nothing was changed. `InvalidGrant`: the code
    is not one of this client, used, too old, does not fit the request, or its session has ended; what was
    written stays (`InvalidGrant.keeps_changes`).
    """
    work = parts[0].work
    attempts = [_attempt(part.asked) for part in parts]
    uses = await store.use_codes(work, attempts)
    fitting: Sequence[Grant | OAuthRefusal] = [
        outcome(_grant_of, part.asked, use) for part, use in zip(parts, uses, strict=True)
    ]
    grants = await _with_living_sessions(work, fitting)
    for part, attempt, use in zip(parts, attempts, uses, strict=True):
        # after the locks on cards: who holds a card changes card and grants in this same order
        if use.is_new and use.code is None:
            await _revoke_reused(part.work, attempt)
    ring = await server.signing_keys.ring(work)
    outcomes = [
        _issued(server, ring, part, grant) if isinstance(grant, Grant) else grant
        for part, grant in zip(parts, grants, strict=True)
    ]
    issued = [one for one in outcomes if isinstance(one, Issued)]
    await store.add_tokens(work, [one.token for one in issued])
    await record_all(work, [one.entry for one in issued])
    return [one.response if isinstance(one, Issued) else one for one in outcomes]


def _attempt(request: TokenRequest) -> CodeAttempt:
    by = request.authenticated
    try:
        code_hash = Secret.from_text(request.unverified_code).digest()
    except ValueError:
        code_hash = None
    jti_hash = None if by.jti is None else hashlib.sha256(by.jti.encode()).digest()
    return CodeAttempt(by.client.id, code_hash, jti_hash, by.expires_at)


def _grant_of(request: TokenRequest, use: CodeUse) -> Grant:
    if not use.is_new:
        raise InvalidClient(description="The client assertion was used before.")
    if use.code is None:
        raise InvalidGrant(description="The code is not valid.")
    return require_fit(request, use.code).grant


async def _with_living_sessions(
    work: Work, grants: Sequence[Grant | OAuthRefusal]
) -> Sequence[Grant | OAuthRefusal]:
    """Check session and means once more: a session may end while a code is being issued for it (LOGIN-10)."""
    sids = [grant.sid for grant in grants if isinstance(grant, Grant)]
    sessions = iter(await sessions_by_sid(work, sids))

    def checked(grant: Grant | OAuthRefusal) -> Grant | OAuthRefusal:
        if isinstance(grant, Grant) and isinstance(refusal := next(sessions), Refusal):
            return InvalidGrant(description="The session has ended.", detail=refusal.code)
        return grant

    return [checked(grant) for grant in grants]


async def _revoke_reused(work: Work, attempt: CodeAttempt) -> None:
    if attempt.code_hash is None:
        return
    grant_id = await store.revoke_family_of_used_code(
        work, code_hash=attempt.code_hash, client_id=attempt.client_id
    )
    if grant_id is not None:
        by = Actor(ActorKind.client, reference=attempt.client_id)
        await record(
            work, event=Event.code_replayed, by=by, on=grant_subject(grant_id), outcome=Outcome.refused
        )


def _issued(server: IdentityServer, ring: KeyRing, part: Part[TokenRequest], grant: Grant) -> Issued:
    work, client = part.work, part.asked.authenticated.client
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
    by = Actor(ActorKind.client, reference=client.id)
    return Issued(
        response={
            "access_token": signed(server.keys, key, access, typ="at+jwt"),
            "token_type": "Bearer",
            "expires_in": int(ACCESS_TOKEN_LIVES_FOR.total_seconds()),
            "scope": " ".join(grant.scope),
            "id_token": signed(server.keys, key, identity, typ="JWT"),
        },
        token=IssuedToken(jti, grant.id, work.now + ACCESS_TOKEN_LIVES_FOR),
        entry=entry(work, event=Event.tokens_issued, by=by, on=grant_subject(grant.id), facts={"jti": jti}),
    )


def _new_jti(work: Work) -> Jti:
    return Jti(base64url(work.random(16)))
