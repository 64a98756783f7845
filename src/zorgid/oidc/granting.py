"""Turns an authorisation request into a grant and its code, with a login in between where one is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from zorgid.clients.errors import ClientUnknown
from zorgid.clients.model import Client, ClientId
from zorgid.kernel.errors import Refusal
from zorgid.kernel.secrets import Secret
from zorgid.login.actions import begin_transaction
from zorgid.login.model import Begun, Purpose, Session, Shown
from zorgid.login.sessions import sessions_for
from zorgid.oidc import store
from zorgid.oidc.authorise import checked_request
from zorgid.oidc.codes import Granted, issue_codes
from zorgid.oidc.errors import AccessDenied, OAuthRefusal, RequestExpired
from zorgid.oidc.hints import read_hint
from zorgid.oidc.model import AuthorisationRequest
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.profiles import REQUEST_KEPT_FOR
from zorgid.oidc.requirement import Circumstances, ProofNeeded, sufficient_session
from zorgid.oidc.response import AuthorisationResponse, error_response
from zorgid.oidc.setup import AUTHORIZE, IdentityServer
from zorgid.storage.database import Work
from zorgid.storage.together import Part

DECLINED: Final = "declined"
"""The parameter with which a browser goes back to the client after its person broke the login off."""

CONTINUE: Final = "continue"
"""The parameter that carries the reference of a kept request; `request` is taken by RFC 9101."""


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


async def decline(work: Work, server: IdentityServer, waiting: Waiting) -> AuthorisationResponse:
    """Use a kept request up and return the response that tells the client that the person broke off.

    Raises:
        OAuthRefusal: a check failed, or the request was used meanwhile.
    """
    request = await _checked(work, server, waiting.unverified)
    await _use_up(work, waiting)
    refusal = AccessDenied(description="The person broke the login off.").sent_to(request.target)
    return error_response(refusal, issuer=server.issuer)


async def authorise(
    work: Work, server: IdentityServer, waiting: Waiting, session: Session | None
) -> AuthorisationResponse | LoginBegun:
    """Answer an authorisation request with a code, or begin the login that it needs.

    Raises:
        OAuthRefusal: a check failed, or the proof is not what the client insists on; `target` says whom to
            tell.
    """
    request = await _checked(work, server, waiting.unverified)
    enough = await _sufficient(work, server, request, waiting, session)
    if isinstance(enough, ProofNeeded):
        client = await server.clients.client(work, request.client_id)
        return_to = await _return_to(work, server, request, waiting)
        begun = await _begin_login(work, server, client, return_to=return_to, acr=enough.acr)
        return LoginBegun(begun, request.ui_locales)
    await _use_up(work, waiting)
    (response,) = await issue_codes([Granted(work, request, enough)], issuer=server.issuer)
    return response


@dataclass(frozen=True)
class FromSession:
    """A new request of a browser that has the cookie of a session."""

    unverified: UnverifiedParameters
    cookie: Secret


async def authorise_at_once(
    server: IdentityServer, parts: Sequence[Part[FromSession]]
) -> Sequence[AuthorisationResponse | OAuthRefusal | None]:
    """Answer requests with codes, in round trips that all share; `None` where a login must come first.

    The refusals are those of `authorise`, which begins the login.
    """
    requests = [await _request_or_refusal(part, server) for part in parts]
    sessions = await sessions_for(parts[0].work, [part.asked.cookie for part in parts])
    judged = [
        await _granted(part, server, request, session)
        if isinstance(request, AuthorisationRequest)
        else request
        for part, request, session in zip(parts, requests, sessions, strict=True)
    ]
    granted = [one for one in judged if isinstance(one, Granted)]
    responses = iter(await issue_codes(granted, issuer=server.issuer))
    return [next(responses) if isinstance(one, Granted) else one for one in judged]


async def _request_or_refusal(
    part: Part[FromSession], server: IdentityServer
) -> AuthorisationRequest | OAuthRefusal:
    try:
        return await _checked(part.work, server, part.asked.unverified)
    except OAuthRefusal as refusal:
        return refusal


async def _granted(
    part: Part[FromSession], server: IdentityServer, request: AuthorisationRequest, session: Session | Refusal
) -> Granted | OAuthRefusal | None:
    """Return the request with the session that will do, or a refusal, or `None` for a login."""
    living = session if isinstance(session, Session) else None
    try:
        enough = await _sufficient(part.work, server, request, Waiting(part.asked.unverified), living)
    except OAuthRefusal as refusal:
        return refusal
    return None if isinstance(enough, ProofNeeded) else Granted(part.work, request, enough)


async def _sufficient(
    work: Work,
    server: IdentityServer,
    request: AuthorisationRequest,
    waiting: Waiting,
    session: Session | None,
) -> Session | ProofNeeded:
    client = await server.clients.client(work, request.client_id)
    circumstances = Circumstances(
        session=session,
        kept_at=waiting.kept_at,
        subject_of=lambda one: server.subject(client, one.person_id),
        now=work.now,
    )
    try:
        return sufficient_session(request.wishes, circumstances)
    except OAuthRefusal as refusal:
        raise refusal.sent_to(request.target) from None


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
