"""The values that go through the identity server: checked requests, grants, codes and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from zorgid.audit.model import Subject
from zorgid.clients.model import ClientId
from zorgid.kernel.ids import GrantId, PersonId, SessionId
from zorgid.oidc.errors import Target
from zorgid.protocol.context import MeansUsed

Jti = NewType("Jti", str)
"""The id of a token: 128 random bits in base64url."""


class Scope(StrEnum):
    """The scopes that mean something here; others are ignored (OpenID Connect Core 1.0, section 3.1.2.1)."""

    openid = "openid"
    profile = "profile"
    api = "api"
    """The portal's own API; only the portal may have it."""


class Prompt(StrEnum):
    """What the client asks of the login page (OpenID Connect Core 1.0, section 3.1.2.1)."""

    none = "none"
    login = "login"
    consent = "consent"
    select_account = "select_account"


ASKS_FRESH_PROOF: Final = frozenset({Prompt.login, Prompt.consent, Prompt.select_account})
"""Each means a new proof.

Only there does a person see which application asks, agree with the PIN, or change cards.
"""


@dataclass(frozen=True)
class Wishes:
    """What the client asks of the authentication.

    `essential_acrs` must be met exactly, `acr_values` is a wish in order; `fresh` asks a new proof, `silent`
    forbids one.
    """

    silent: bool = False
    fresh: bool = False
    max_age_s: int | None = None
    acr_values: tuple[str, ...] = ()
    essential_acrs: tuple[str, ...] = ()
    subject: str | None = None
    """The `sub` that must be the one who logs in, from `id_token_hint` or `claims`."""


@dataclass(frozen=True)
class AuthorisationRequest:
    """An authorisation request that passed every check."""

    client_id: ClientId
    target: Target
    scope: tuple[Scope, ...]
    code_challenge: str
    nonce: str | None
    wishes: Wishes
    organisation: str | None
    """The URA that the client asks to work for."""
    id_token_claims: tuple[str, ...] = ()
    """Claims that the client asks for in the ID token, where they would not stand otherwise."""
    ui_locales: tuple[str, ...] = ()


@dataclass(frozen=True)
class Organisation:
    """The organisation of work as it is fixed in a grant.

    `guest` is true when the client asked for another one.
    """

    ura: str
    name: str | None
    guest: bool


@dataclass(frozen=True)
class Grant:
    """What a person granted a client in one login: the family to which codes and tokens belong."""

    id: GrantId
    client_id: ClientId
    person_id: PersonId
    session_id: SessionId
    sid: str
    scope: tuple[Scope, ...]
    nonce: str | None
    acr: str
    authenticated_at: datetime
    means: MeansUsed
    uzi_number: str
    ura_on_card: str
    full_name: str
    organisation: Organisation
    id_token_claims: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class IssuedCode:
    """A code as it is remembered, with the grant that is made with it."""

    grant: Grant
    code_hash: bytes
    redirect_uri: str
    code_challenge: str
    expires_at: datetime


@dataclass(frozen=True)
class RedeemedCode:
    """A code that was just used up, with its grant."""

    redirect_uri: str
    code_challenge: str
    grant: Grant


@dataclass(frozen=True)
class CodeAttempt:
    """What is counted and used up for one token request."""

    client_id: ClientId
    code_hash: bytes | None
    """`None` when what was sent cannot be a code."""
    jti_hash: bytes | None
    """`None` for a client that proves nothing but its verifier."""
    assertion_until: datetime | None


@dataclass(frozen=True)
class CodeUse:
    """What came of an attempt."""

    is_new: bool
    """Whether the assertion counts: it was not seen before."""
    code: RedeemedCode | None
    """The code, used up by this attempt."""


@dataclass(frozen=True)
class StoredRequest:
    """An authorisation request that waits for a login."""

    client_id: ClientId
    encoded: str
    created_at: datetime


@dataclass(frozen=True)
class IssuedToken:
    """An access token as it is remembered: by id only, never the token itself."""

    jti: Jti
    grant_id: GrantId
    expires_at: datetime


class SigningKeyState(StrEnum):
    """A key is published as next, signs while active, and is still published when retired."""

    next = "next"
    active = "active"
    retired = "retired"


@dataclass(frozen=True)
class SigningKey:
    """A key that signs tokens. The private half is behind the key provider under `name`."""

    kid: str
    name: str
    algorithm: str
    state: SigningKeyState
    public_jwk: Mapping[str, str]
    published_at: datetime
    active_at: datetime | None
    retired_at: datetime | None


def grant_subject(grant_id: GrantId) -> Subject:
    """Return a grant as the audit log names it."""
    return Subject("grant", str(grant_id))
