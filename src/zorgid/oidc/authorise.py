"""Checks an authorisation request: two ordered lists of small checks, each adding what it checked to a draft.

The first list ends with an address to which errors may go; whatever it refuses is shown to the person,
because the address could be an attacker's. Whatever the second list refuses is answered to the client.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from zorgid.clients.model import Client
from zorgid.oidc.addresses import registered_address
from zorgid.oidc.claims import PERSON_CLAIMS
from zorgid.oidc.errors import (
    ClientNotKnown,
    InvalidRequest,
    InvalidScope,
    OAuthRefusal,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    ResponseMode,
    ReturnAddressNotRegistered,
    Target,
    UnsupportedResponseType,
)
from zorgid.oidc.model import ASKS_FRESH_PROOF, AuthorisationRequest, Prompt, Scope, Wishes
from zorgid.oidc.parameters import UnverifiedParameters
from zorgid.oidc.pkce import require_challenge
from zorgid.oidc.profiles import LONGEST_HINT, LONGEST_NONCE, LONGEST_STATE, PROFILES
from zorgid.oidc.wishes import (
    RequestedClaims,
    acr_wishes,
    asked_organisation,
    asked_subject,
    max_age_seconds,
    prompts,
    requested_claims,
)

STATE: Final = re.compile(r"[\x20-\x7e]*")
"""Source: RFC 6749, appendix A.5. Anything else would not come back byte for byte through a form."""

ReadHint = Callable[[str], str]
"""Gives the `sub` of an `id_token_hint` that this server signed for this client. Raises `InvalidRequest`."""


@dataclass(frozen=True)
class Draft:
    """What is known of a request while the checks go through it.

    Everything but `unverified` has been checked.
    """

    unverified: UnverifiedParameters
    client: Client | None
    read_hint: ReadHint
    target: Target | None = None
    scope: tuple[Scope, ...] = ()
    code_challenge: str = ""
    nonce: str | None = None
    prompts: frozenset[Prompt] = frozenset()
    claims: RequestedClaims = field(default_factory=RequestedClaims)
    wishes: Wishes = field(default_factory=Wishes)
    organisation: str | None = None
    ui_locales: tuple[str, ...] = ()

    def known_client(self) -> Client:
        """Return the client that `check_client_is_known` found."""
        assert self.client is not None
        return self.client

    def known_target(self) -> Target:
        """Return the target that `check_return_address` found."""
        assert self.target is not None
        return self.target


Check = Callable[[Draft], Draft]


def check_client_is_known(draft: Draft) -> Draft:
    """The client is registered."""
    client_id = draft.unverified.one("client_id")
    if draft.client is None or client_id != draft.client.id:
        raise ClientNotKnown(description="The client is not known.", detail=f"client_id {_shown(client_id)}")
    return draft


def check_return_address(draft: Draft) -> Draft:
    """The return address is one that the client registered (RFC 9700, section 2.1)."""
    asked = draft.unverified.one("redirect_uri")
    address = registered_address(asked, draft.known_client().redirect_uris)
    if address is None:
        raise ReturnAddressNotRegistered(
            description="The redirect_uri is missing or not registered.",
            detail=f"redirect_uri {_shown(asked)}",
        )
    return replace(draft, target=Target(address))


def check_response_mode(draft: Draft) -> Draft:
    """The response travels by query or by form; an error about the mode itself goes by query."""
    asked = draft.unverified.one("response_mode") or ResponseMode.query
    if asked not in set(ResponseMode):
        raise InvalidRequest(description="The response_mode must be query or form_post.")
    return replace(draft, target=replace(draft.known_target(), mode=ResponseMode(asked)))


def check_state(draft: Draft) -> Draft:
    """The state can come back byte for byte; from here on it does, errors included."""
    state = draft.unverified.one("state")
    if state is not None and (len(state) > LONGEST_STATE or not STATE.fullmatch(state)):
        raise InvalidRequest(
            description=f"The state must be at most {LONGEST_STATE} printable ASCII characters."
        )
    return replace(draft, target=replace(draft.known_target(), state=state))


def check_nothing_is_repeated(draft: Draft) -> Draft:
    """No parameter is given twice (RFC 6749, section 3.1)."""
    repeated = draft.unverified.repeated()
    if repeated:
        raise InvalidRequest(description="A parameter is given more than once.", detail=", ".join(repeated))
    return draft


def check_request_objects(draft: Draft) -> Draft:
    """Nothing is handed over by value, by reference or by self-registration.

    Source: OpenID Connect Core 1.0, sections 3.1.2.6, 6 and 7.2.1.
    """
    if draft.unverified.one("request"):
        raise RequestNotSupported(description="The parameter request is not supported.")
    if draft.unverified.one("request_uri"):
        raise RequestUriNotSupported(description="The parameter request_uri is not supported.")
    if draft.unverified.one("registration"):
        raise RegistrationNotSupported(description="The parameter registration is not supported.")
    return draft


def check_response_type(draft: Draft) -> Draft:
    """Only the code flow (OpenID NLGov; FAPI 2.0 Security Profile, 5.3.2.2)."""
    asked = draft.unverified.one("response_type")
    if asked is not None and asked != "code":
        raise UnsupportedResponseType(description="The response_type must be code.")
    return draft


def check_required_parameters(draft: Draft) -> Draft:
    """What the client's profile requires is there."""
    for name in PROFILES[draft.known_client().profile].required:
        if draft.unverified.one(name) is None:
            raise InvalidRequest(description=f"The parameter {name} is missing.")
    return draft


def check_scope(draft: Draft) -> Draft:
    """The scope has `openid` and nothing that the client may not have; unknown scopes are ignored.

    Whatever is registered, `api` is for the portal alone (docs/supplier.md).
    """
    asked = (draft.unverified.one("scope") or "").split(" ")
    scope = tuple(known for known in Scope if known in asked)
    if Scope.openid not in scope:
        raise InvalidScope(description="The scope must have openid.")
    client = draft.known_client()
    if not set(scope) <= client.scopes or (Scope.api in scope and not client.is_portal):
        raise InvalidScope(description="The client is not registered for this scope.")
    return replace(draft, scope=scope)


def check_pkce(draft: Draft) -> Draft:
    """A challenge with S256 is there."""
    challenge = draft.unverified.one("code_challenge")
    method = draft.unverified.one("code_challenge_method")
    return replace(draft, code_challenge=require_challenge(challenge, method))


def check_nonce(draft: Draft) -> Draft:
    """The nonce, whatever its alphabet, stays within the bound."""
    nonce = draft.unverified.one("nonce")
    if nonce is not None and len(nonce) > LONGEST_NONCE:
        raise InvalidRequest(description=f"The nonce must be at most {LONGEST_NONCE} characters.")
    return replace(draft, nonce=nonce)


def check_prompt(draft: Draft) -> Draft:
    """The prompt has known values, and `none` stands alone."""
    return replace(draft, prompts=prompts(draft.unverified.one("prompt")))


def check_claims(draft: Draft) -> Draft:
    """The `claims` parameter is an object of the right form (OpenID Connect Core 1.0, section 5.5)."""
    return replace(draft, claims=requested_claims(draft.unverified.one("claims")))


def check_authentication_wishes(draft: Draft) -> Draft:
    """Age, level and person asked for can be read, and no two of them contradict each other."""
    hint = _bounded(draft, "id_token_hint")
    essential, wished = acr_wishes(
        draft.claims, draft.unverified.one("acr_values"), draft.known_client().default_acr
    )
    wishes = Wishes(
        silent=Prompt.none in draft.prompts,
        fresh=bool(draft.prompts & ASKS_FRESH_PROOF),
        max_age_s=max_age_seconds(draft.unverified.one("max_age")),
        acr_values=wished,
        essential_acrs=essential,
        subject=asked_subject(draft.claims, draft.read_hint(hint) if hint else None),
    )
    return replace(draft, wishes=wishes)


def check_organisation(draft: Draft) -> Draft:
    """The organisation asked for is a URA (LOGIN-3)."""
    asked = asked_organisation(draft.claims, draft.unverified.one("organisation"))
    return replace(draft, organisation=asked)


def check_hints(draft: Draft) -> Draft:
    """What only helps the page stays within bounds.

    `login_hint` is read no further, a card names its holder.
    """
    _bounded(draft, "login_hint")
    return replace(draft, ui_locales=tuple((_bounded(draft, "ui_locales") or "").split()))


ADDRESS_CHECKS: Final[tuple[Check, ...]] = (
    check_client_is_known,
    check_return_address,  # until here errors are shown, not sent
)

AUTHORISATION_CHECKS: Final[tuple[Check, ...]] = (
    check_response_mode,
    check_state,
    check_nothing_is_repeated,
    check_request_objects,
    check_response_type,
    check_required_parameters,
    check_scope,
    check_pkce,
    check_nonce,
    check_prompt,
    check_claims,
    check_authentication_wishes,
    check_organisation,
    check_hints,
)


def checked_request(
    unverified: UnverifiedParameters, *, client: Client | None, read_hint: ReadHint
) -> AuthorisationRequest:
    """Return the request when every check passes.

    Args:
        unverified: the parameters as received, or as kept.
        client: whoever is registered under the `client_id` in them.
        read_hint: reads an `id_token_hint`.

    Raises:
        OAuthRefusal: with `target` when the refusal is for the client, without when it is for the person
            only.
    """
    draft = Draft(unverified, client, read_hint)
    for check in ADDRESS_CHECKS:
        draft = check(draft)
    for check in AUTHORISATION_CHECKS:
        try:
            draft = check(draft)
        except OAuthRefusal as refusal:
            raise refusal.sent_to(draft.known_target()) from None
    return _request(draft)


def _request(draft: Draft) -> AuthorisationRequest:
    return AuthorisationRequest(
        client_id=draft.known_client().id,
        target=draft.known_target(),
        scope=draft.scope,
        code_challenge=draft.code_challenge,
        nonce=draft.nonce,
        wishes=draft.wishes,
        organisation=draft.organisation,
        id_token_claims=tuple(name for name in PERSON_CLAIMS if name in draft.claims.id_token),
        ui_locales=draft.ui_locales,
    )


def _shown(value: str | None) -> str:
    """Return the beginning of what was sent, for the operator's log; a query may hold what no log should."""
    return repr(None if value is None else value.partition("?")[0][:100])


def _bounded(draft: Draft, name: str) -> str | None:
    value = draft.unverified.one(name)
    if value is not None and len(value) > LONGEST_HINT:
        raise InvalidRequest(description=f"The parameter {name} is too long.")
    return value
