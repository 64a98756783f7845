"""What each profile asks of its clients, as one table, and the fixed terms of codes, tokens and requests.

Sources: NL GOV Assurance profile for OAuth 2.0 and OpenID NLGov 1.0.1 (Logius); FAPI 2.0 Security Profile
Final.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from zorgid.clients.model import Profile

CODE_LIVES_FOR: Final = timedelta(seconds=60)
"""FAPI 2.0 Security Profile, 5.3.2.1: at most 60 seconds."""

ID_TOKEN_LIVES_FOR: Final = timedelta(minutes=5)
"""OpenID NLGov: at most five minutes."""

ACCESS_TOKEN_LIVES_FOR: Final = timedelta(minutes=15)
"""As long as an idle session; NL GOV allows one hour."""

REQUEST_KEPT_FOR: Final = timedelta(minutes=10)
"""How long a person may take to log in before the authorisation request lapses."""

LONGEST_STATE: Final = 8_192
LONGEST_NONCE: Final = 2_048
"""Characters.

The portal's state has about 300; a nonce returns in the ID token, which must stay within a header.
"""

LONGEST_HINT: Final = 8_192
"""Characters of `claims`, `login_hint`, `ui_locales` and `id_token_hint`."""


@dataclass(frozen=True)
class ProfileRules:
    """How one profile differs from the other.

    `required` names the parameters of an authorisation request; `assertion_algorithms` bounds what a client
    may register for its assertions; `assertion_lives_for` is the longest time from now until an assertion's
    `exp`.
    """

    required: tuple[str, ...]
    assertion_algorithms: frozenset[str]
    assertion_claims: tuple[str, ...]
    assertion_lives_for: timedelta
    token_url_is_audience: bool


PROFILES: Final[Mapping[Profile, ProfileRules]] = {
    Profile.nlgov: ProfileRules(
        required=("response_type", "redirect_uri", "scope", "state", "nonce"),
        assertion_algorithms=frozenset({"RS256", "PS256", "ES256", "Ed25519"}),
        assertion_claims=("iss", "sub", "aud", "iat", "exp", "jti"),
        # Client libraries that people use sign for an hour by default; the replay table remembers as long.
        assertion_lives_for=timedelta(hours=1),
        token_url_is_audience=True,
    ),
    Profile.fapi2: ProfileRules(
        required=("response_type", "redirect_uri", "scope"),
        assertion_algorithms=frozenset({"PS256", "ES256", "Ed25519"}),
        assertion_claims=("iss", "sub", "aud", "exp", "jti"),
        assertion_lives_for=timedelta(minutes=10),
        token_url_is_audience=False,
    ),
}
