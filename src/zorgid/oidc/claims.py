"""Builds what tokens and the userinfo answer say about a person. Pure; nothing here signs.

No `amr` (OpenID NLGov): the level is in `acr`, the means in a claim of our own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from zorgid.kernel.clock import CLOCK_SKEW
from zorgid.kernel.ids import PersonId
from zorgid.kernel.randomness import base64url
from zorgid.oidc.model import Grant, Jti, Organisation
from zorgid.oidc.profiles import ACCESS_TOKEN_LIVES_FOR, ID_TOKEN_LIVES_FOR
from zorgid.oidc.wishes import ORGANISATION_CLAIM

UZI_NUMBER_CLAIM: Final = "urn:zorgid:uzi_number"
URA_CLAIM: Final = "urn:zorgid:ura_on_card"
MEANS_CLAIM: Final = "urn:zorgid:means"

PERSON_CLAIMS: Final = ("name", "acr", UZI_NUMBER_CLAIM, URA_CLAIM, ORGANISATION_CLAIM, MEANS_CLAIM)
"""What userinfo tells besides `sub` (LOGIN-3)."""


def pairwise_subject(mac: Callable[[bytes], bytes], sector: str, person_id: PersonId) -> str:
    """Return the `sub` of a person for all clients of a sector: the same for ever, useless elsewhere.

    Source: OpenID Connect Core 1.0, section 8.1; a keyed hash, so that nobody can test who is behind it.
    """
    return base64url(mac(b"zid-sub-v1\0" + sector.encode() + b"\0" + person_id.bytes))


def id_token_claims(grant: Grant, *, issuer: str, subject: str, jti: Jti, now: datetime) -> dict[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core 1.0, section 2; OpenID NLGov)."""
    return {
        "iss": issuer,
        "sub": subject,
        "aud": grant.client_id,
        "exp": _seconds(now + ID_TOKEN_LIVES_FOR),
        "iat": _seconds(now),
        "nbf": _seconds(now),
        "jti": jti,
        "auth_time": _seconds(grant.authenticated_at),
        "acr": grant.acr,
        "sid": grant.sid,
        **({} if grant.nonce is None else {"nonce": grant.nonce}),
        **{name: value for name, value in _person(grant).items() if name in grant.id_token_claims},
    }


def access_token_claims(
    grant: Grant, *, issuer: str, subject: str, audiences: tuple[str, ...], jti: Jti, now: datetime
) -> dict[str, Any]:
    """Return the claims of an access token (RFC 9068, section 2.2; NL GOV asks `azp`)."""
    return {
        "iss": issuer,
        "sub": subject,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "azp": grant.client_id,
        "client_id": grant.client_id,
        "exp": _seconds(now + ACCESS_TOKEN_LIVES_FOR),
        "iat": _seconds(now),
        "nbf": _seconds(now),
        "jti": jti,
        "auth_time": _seconds(grant.authenticated_at),
        "acr": grant.acr,
        "scope": " ".join(grant.scope),
        "sid": grant.sid,
    }


def userinfo_claims(grant: Grant, *, subject: str) -> dict[str, Any]:
    """Return what userinfo tells: who, with which means and level, and for which organisation (LOGIN-3)."""
    return {"sub": subject, **_person(grant)}


def signed_userinfo_claims(grant: Grant, *, issuer: str, subject: str, now: datetime) -> dict[str, Any]:
    """Return userinfo as it is signed: with issuer and audience (OpenID Connect Core 1.0, section 5.3.2)."""
    bounds = {"iss": issuer, "aud": grant.client_id, "iat": _seconds(now)}
    return {**bounds, "exp": _seconds(now + ID_TOKEN_LIVES_FOR), **userinfo_claims(grant, subject=subject)}


def organisation_claim(organisation: Organisation) -> dict[str, Any]:
    """Return the organisation of work; the name is left out when no register of ours has it."""
    name: Mapping[str, Any] = {} if organisation.name is None else {"name": organisation.name}
    return {"ura": organisation.ura, **name, "guest": organisation.guest}


def is_in_force(claims: Mapping[str, Any], *, now: datetime) -> bool:
    """Tell whether a token of ours holds at `now`; clocks of nodes differ a little."""
    expires, begins = claims.get("exp"), claims.get("nbf")
    if not isinstance(expires, int) or not isinstance(begins, int):
        return False
    return begins <= (now + CLOCK_SKEW).timestamp() and now.timestamp() < expires


def _person(grant: Grant) -> dict[str, Any]:
    return {
        "name": grant.full_name,
        "acr": grant.acr,
        UZI_NUMBER_CLAIM: grant.uzi_number,
        URA_CLAIM: grant.ura_on_card,
        ORGANISATION_CLAIM: organisation_claim(grant.organisation),
        MEANS_CLAIM: grant.means.value,
    }


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
