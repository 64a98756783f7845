"""Ends a session at the wish of a client or of the person (OpenID Connect RP-Initiated Logout 1.0).

A verified ID token, expired or not, ends the session that it names at once; anything else makes a page that
asks.
"""

from dataclasses import dataclass

from zorgid.clients.errors import ClientUnknown
from zorgid.clients.model import ClientId
from zorgid.kernel.errors import Refusal
from zorgid.login.model import Session
from zorgid.login.rules import EndReason
from zorgid.login.sessions import actor_of, end_session, session_by_sid
from zorgid.oidc.errors import InvalidRequest
from zorgid.oidc.hints import read_hint
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.profiles import LONGEST_STATE
from zorgid.oidc.response import with_query
from zorgid.oidc.setup import IdentityServer
from zorgid.storage.database import Work


@dataclass(frozen=True)
class Ending:
    """What a request to log out leads to.

    `session` is the living session that it names, if any; `return_to` is a registered address with the state;
    `is_sure` is true when a verified ID token names the session of this browser, so that nobody need be
    asked.
    """

    session: Session | None
    return_to: str | None
    is_sure: bool


async def requested_ending(
    work: Work, server: IdentityServer, unverified: UnverifiedParameters, own: Session | None
) -> Ending:
    """Return what a request to log out leads to; `own` is the session of the browser, if it came with one.

    Whatever in the request cannot be verified only makes the page ask.
    """
    try:
        hint = await _verified_hint(work, server, unverified)
    except InvalidRequest:
        return Ending(own, None, is_sure=False)
    named = await _living(work, str(hint["sid"]))
    if own is not None and own.sid != hint["sid"]:
        return Ending(own, None, is_sure=False)
    return_to = await _registered_return(work, server, unverified, ClientId(str(hint["aud"])))
    is_complete = return_to is not None or unverified.one("post_logout_redirect_uri") is None
    return Ending(named, return_to, is_sure=is_complete)


async def end(work: Work, session: Session) -> None:
    """End a session because its person logs out; its grants end with it."""
    await end_session(work, session, by=actor_of(session), reason=EndReason.logged_out)


async def _verified_hint(
    work: Work, server: IdentityServer, unverified: UnverifiedParameters
) -> dict[str, object]:
    hint = unverified.one("id_token_hint")
    if hint is None or unverified.repeated():
        raise InvalidRequest(description="The id_token_hint is missing.")
    client_id = unverified.one("client_id")
    ring = await server.signing_keys.ring(work)
    return read_hint(server, ring, hint, ClientId(client_id) if client_id else None)


async def _living(work: Work, sid: str) -> Session | None:
    try:
        return await session_by_sid(work, sid)
    except Refusal:
        return None


async def _registered_return(
    work: Work, server: IdentityServer, unverified: UnverifiedParameters, client_id: ClientId
) -> str | None:
    asked = unverified.one("post_logout_redirect_uri")
    state = unverified.one("state")
    try:
        client = await server.clients.client(work, client_id)
    except ClientUnknown:
        return None
    if asked is None or asked not in client.post_logout_redirect_uris or len(state or "") > LONGEST_STATE:
        return None
    return with_query(asked, {"state": state} if state else {})
