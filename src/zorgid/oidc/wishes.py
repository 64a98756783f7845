"""Reads what a client wishes of the authentication: prompt, age, level, person and organisation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from zorgid.oidc.errors import InvalidRequest
from zorgid.oidc.model import Prompt
from zorgid.oidc.profiles import LONGEST_HINT

ORGANISATION_CLAIM: Final = "urn:zorgid:organisation"

WHOLE_SECONDS: Final = re.compile(r"[0-9]{1,9}")
URA: Final = re.compile(r"[0-9]{8}")
MOST_ACRS: Final = 10


@dataclass(frozen=True)
class RequestedClaims:
    """The `claims` parameter: per claim its wish (`essential`, `value`, `values`), or nothing."""

    id_token: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    userinfo: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def asked(self, name: str) -> Mapping[str, Any]:
        """Return the wish for a claim, that of the ID token first."""
        return self.id_token.get(name) or self.userinfo.get(name) or {}


def prompts(text: str | None) -> frozenset[Prompt]:
    """Return the values of `prompt`. Raises `InvalidRequest` for an unknown one, or `none` beside another."""
    try:
        found = frozenset(Prompt(word) for word in (text or "").split())
    except ValueError:
        raise InvalidRequest(description="The prompt has an unknown value.") from None
    if Prompt.none in found and len(found) > 1:
        raise InvalidRequest(description="The prompt none stands alone.")
    return found


def max_age_seconds(text: str | None) -> int | None:
    """Return `max_age` in seconds. Raises `InvalidRequest` when it is not a whole number."""
    if text is None:
        return None
    if not WHOLE_SECONDS.fullmatch(text):
        raise InvalidRequest(description="The max_age must be a whole number of seconds.")
    return int(text)


def requested_claims(text: str | None) -> RequestedClaims:
    """Return the `claims` parameter. Raises `InvalidRequest` when it is not of the form of the standard.

    Source: OpenID Connect Core 1.0, section 5.5. Unknown members and claims are ignored.
    """
    if text is None:
        return RequestedClaims()
    if len(text) > LONGEST_HINT:
        raise InvalidRequest(description="The claims parameter is too long.")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(description="The claims parameter is not JSON.") from None
    if not isinstance(value, dict):
        raise InvalidRequest(description="The claims parameter is not an object.")
    return RequestedClaims(_wishes(value.get("id_token")), _wishes(value.get("userinfo")))


def acr_wishes(
    claims: RequestedClaims, acr_values: str | None, default_acr: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the levels that must be met and those that are wished, each in order.

    The `claims` parameter goes before `acr_values`, and that before the default of the registration (OpenID
    Connect Core 1.0, sections 3.1.2.1 and 5.5.1.1).
    """
    wish = claims.asked("acr")
    values = wish.get("values", [wish["value"]] if "value" in wish else [])
    if (
        not isinstance(values, list)
        or not all(isinstance(value, str) for value in values)
        or len(values) > MOST_ACRS
    ):
        raise InvalidRequest(description="The acr in the claims parameter is malformed.")
    if wish.get("essential") is True and values:
        return tuple(values), ()
    wished = (acr_values or "").split()[:MOST_ACRS] or values or ([default_acr] if default_acr else [])
    return (), tuple(wished)


def asked_subject(claims: RequestedClaims, hinted: str | None) -> str | None:
    """Return the `sub` that must be the one who logs in. Raises `InvalidRequest` when two are asked."""
    asked = claims.asked("sub").get("value")
    if asked is not None and not isinstance(asked, str):
        raise InvalidRequest(description="The sub in the claims parameter is malformed.")
    if asked is not None and hinted is not None and asked != hinted:
        raise InvalidRequest(description="The id_token_hint and the claims parameter ask for two persons.")
    return hinted or asked


def asked_organisation(claims: RequestedClaims, parameter: str | None) -> str | None:
    """Return the URA asked for, by `organisation` or by the claim's `value`. Raises `InvalidRequest`."""
    value = claims.asked(ORGANISATION_CLAIM).get("value")
    asked = parameter or (value.get("ura") if isinstance(value, dict) else value)
    if asked is not None and not (isinstance(asked, str) and URA.fullmatch(asked)):
        raise InvalidRequest(description="The organisation must be a URA of eight digits.")
    return asked


def _wishes(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(description="A member of the claims parameter is not an object.")
    if not all(wish is None or isinstance(wish, dict) for wish in value.values()):
        raise InvalidRequest(description="A claim in the claims parameter is malformed.")
    return {name: wish or {} for name, wish in value.items()}
