"""What the identity server does, one function per request; each runs within one transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from zorgid.audit.actions import record
from zorgid.audit.model import Actor, ActorKind, Event, Outcome, Subject
from zorgid.clients.errors import ClientUnknown
from zorgid.clients.model import Client, ClientId
from zorgid.kernel.errors import Refusal
from zorgid.kernel.ids import GrantId, SessionId, new_id
from zorgid.kernel.randomness import base64url
from zorgid.kernel.secrets import Secret
from zorgid.login.actions import begin_transaction
from zorgid.login.model import Begun, Purpose, Session, Shown
from zorgid.login.sessions import actor_of, session_by_sid
from zorgid.oidc import store
from zorgid.oidc.assertion import Authenticated
from zorgid.oidc.authorise import checked_request
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
    InvalidRequest,
    InvalidToken,
    OAuthRefusal,
    RequestExpired,
)
from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken, signed
from zorgid.oidc.keys import KeyRing
from zorgid.oidc.model import AuthorisationRequest, Grant, IssuedToken, Jti, Scope
from zorgid.oidc.organisation import organisation_of_work
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.profiles import ACCESS_TOKEN_LIVES_FOR, CODE_LIVES_FOR, REQUEST_KEPT_FOR
from zorgid.oidc.redeem import TokenRequest, require_fit
from zorgid.oidc.requirement import Circumstances, ProofNeeded, sufficient_session
from zorgid.oidc.response import AuthorisationResponse, code_response
from zorgid.oidc.setup import AUTHORIZE, IdentityServer
from zorgid.storage.database import Companions, Work

CONTINUE: Final = "continue"
"""The parameter that carries the reference of a kept request; `request` is taken by RFC 9101."""

ONLY_IN_ID_TOKENS: Final = frozenset({"sid", "auth_time", "jti"})
"""What tells an ID token from signed userinfo, which has the same `typ` (RFC 8725, section 3.12)."""

GRANTS_KEPT_FOR: Final = timedelta(days=1)
"""Longer than any session: the reuse of a code is noticed as long."""


@dataclass(frozen=True)
class Waiting:
    """A request as it goes through authorisation.

    `reference` and `kept_at` are set when it was kept for a login.
    """

    unverified: UnverifiedParameters
    reference: Secret | None = None
    kept_at: datetime | None = None


@dataclass(frozen=True)
class LoginBegun:
    """The person must log in first: the browser gets the cookie and goes to the login page.

    `ui_locales` are the languages that the client wishes for that page.
    """

    begun: Begun
    ui_locales: tuple[str, ...]


async def keep_request(work: Work, server: IdentityServer, unverified: UnverifiedParameters) -> str:
    """Check a request and keep it; return the local address where it goes on.

    Raises:
        OAuthRefusal: a check failed.
    """
    checked = await _checked(work, server, unverified)
    return await _keep(work, server, checked, unverified)


async def waiting_request(work: Work, reference_text: str) -> Waiting:
    """Return a kept request. Raises `RequestExpired`."""
    try:
        reference = Secret.from_text(reference_text)
    except ValueError:
        raise RequestExpired(description="The reference is malformed.") from None
    kept = await store.kept_request(work, reference.digest())
    if kept is None:
        raise RequestExpired(description="The request has expired or was used.")
    return Waiting(UnverifiedParameters.decode(kept.encoded), reference, kept.created_at)


async def authorise(
    work: Work, server: IdentityServer, waiting: Waiting, session: Session | None
) -> AuthorisationResponse | LoginBegun:
    """Answer an authorisation request with a code, or begin the login that it needs.

    Raises:
        OAuthRefusal: a check failed, or the proof is not what the client insists on; `target` says whom to
            tell.
    """
    request = await _checked(work, server, waiting.unverified)
    client = await server.clients.client(work, request.client_id)
    circumstances = Circumstances(
        session=session,
        kept_at=waiting.kept_at,
        subject_of=lambda one: server.subject(client, one.person_id),
        now=work.now,
    )
    try:
        enough = sufficient_session(request.wishes, circumstances)
    except OAuthRefusal as refusal:
        raise refusal.sent_to(request.target) from None
    if isinstance(enough, ProofNeeded):
        return_to = await _return_to(work, server, request, waiting)
        begun = await _begin_login(work, server, client, return_to=return_to, acr=enough.acr)
        return LoginBegun(begun, request.ui_locales)
    await _use_up(work, waiting)
    return await _issue_code(work, server, request, enough)


async def _checked(
    work: Work, server: IdentityServer, unverified: UnverifiedParameters
) -> AuthorisationRequest:
    client = await _client(work, server, unverified.one("client_id"))
    ring = await server.signing_keys.ring(work)
    return checked_request(
        unverified,
        client=client,
        read_hint=lambda hint: read_hint(server, ring, hint, client.id if client else None)["sub"],
    )


async def _client(work: Work, server: IdentityServer, client_id: str | None) -> Client | None:
    if client_id is None:
        return None
    try:
        return await server.clients.client(work, ClientId(client_id))
    except ClientUnknown:
        return None


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


async def _keep(
    work: Work, server: IdentityServer, request: AuthorisationRequest, unverified: UnverifiedParameters
) -> str:
    reference = Secret.new(32, work.random)
    await store.keep_request(
        work,
        reference_hash=reference.digest(),
        client_id=request.client_id,
        encoded=unverified.encoded(),
        expires_at=work.now + REQUEST_KEPT_FOR,
    )
    return _continue_at(server, reference)


def _continue_at(server: IdentityServer, reference: Secret) -> str:
    path = server.issuer.removeprefix(server.login.origin) + AUTHORIZE
    return f"{path}?{CONTINUE}={reference.text_for_wire()}"


async def _return_to(
    work: Work, server: IdentityServer, request: AuthorisationRequest, waiting: Waiting
) -> str:
    if waiting.reference is not None:
        return _continue_at(server, waiting.reference)
    return await _keep(work, server, request, waiting.unverified)


async def _begin_login(
    work: Work, server: IdentityServer, client: Client, *, return_to: str, acr: str | None
) -> Begun:
    return await begin_transaction(
        work,
        server.login,
        purpose=Purpose.login,
        shown=Shown(client_name=client.name, client_id=client.id),
        return_to=return_to,
        acr=acr,
    )


async def _use_up(work: Work, waiting: Waiting) -> None:
    if waiting.reference is not None and not await store.use_up_request(work, waiting.reference.digest()):
        raise RequestExpired(description="The request has expired or was used.")


async def _issue_code(
    work: Work, server: IdentityServer, request: AuthorisationRequest, session: Session
) -> AuthorisationResponse:
    grant = Grant(
        id=GrantId(new_id(work.random)),
        client_id=request.client_id,
        person_id=session.person_id,
        session_id=session.id,
        sid=session.sid,
        scope=request.scope,
        nonce=request.nonce,
        acr=session.means.level,
        authenticated_at=session.authenticated_at,
        means=session.means.kind,
        uzi_number=session.means.uzi_number,
        ura_on_card=session.means.ura,
        full_name=session.means.full_name,
        organisation=await organisation_of_work(work, session, request.organisation),
        id_token_claims=request.id_token_claims,
        created_at=work.now,
    )
    code = Secret.new(32, work.random)
    await store.add_grant(work, grant)
    await store.add_code(
        work,
        grant,
        code_hash=code.digest(),
        redirect_uri=request.target.redirect_uri,
        code_challenge=request.code_challenge,
        expires_at=work.now + CODE_LIVES_FOR,
    )
    facts = {"client": grant.client_id, "acr": grant.acr, "guest": grant.organisation.guest}
    await record(work, event=Event.code_issued, by=actor_of(session), on=_subject(grant.id), facts=facts)
    return code_response(request.target, code=code.text_for_wire(), issuer=server.issuer)


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
        await record(work, event=Event.code_replayed, by=by, on=_subject(grant_id), outcome=Outcome.refused)


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
    await record(work, event=Event.tokens_issued, by=by, on=_subject(grant.id), facts={"jti": jti})
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
        raise InvalidToken(description="The access token is not valid any more.")
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


async def revoke_with_session(work: Work, facts: Any) -> None:
    """Companion of "session-ended": the session's grant families end in the same transaction."""
    await store.revoke_families_of_session(work, SessionId(UUID(str(facts["session_id"]))))


async def sweep(work: Work) -> None:
    """Drop requests, assertions, codes, tokens and grants that are over."""
    await store.sweep(work, grants_before=work.now - GRANTS_KEPT_FOR)


COMPANIONS: Final[Companions] = {"session-ended": (revoke_with_session,)}
"""What this room does in the transaction of other rooms' events; wired in `app.py`."""


def _new_jti(work: Work) -> Jti:
    return Jti(base64url(work.random(16)))


def _subject(grant_id: GrantId) -> Subject:
    return Subject("grant", str(grant_id))
