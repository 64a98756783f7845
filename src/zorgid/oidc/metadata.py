"""What the identity server says about itself (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

Everything that is named is true; what comes later is not named.
"""

from typing import Any

from zorgid.oidc.claims import PERSON_CLAIMS
from zorgid.oidc.errors import ResponseMode
from zorgid.oidc.jose import SIGNS_AS
from zorgid.oidc.model import Prompt, Scope
from zorgid.oidc.profiles import PROFILES
from zorgid.oidc.requirement import LEVELS
from zorgid.oidc.setup import AUTHORIZE, END_SESSION, JWKS, TOKEN, USERINFO

TOKEN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "sid")


def metadata(issuer: str) -> dict[str, Any]:
    """Return the metadata of the server that is called `issuer`."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USERINFO,
        "end_session_endpoint": issuer + END_SESSION,
        "jwks_uri": issuer + JWKS,
        **_abilities(),
    }


def _abilities() -> dict[str, Any]:
    assertion_algorithms = set[str]().union(*(rules.assertion_algorithms for rules in PROFILES.values()))
    return {
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": [scope.value for scope in Scope],
        "claims_supported": [*TOKEN_CLAIMS, *PERSON_CLAIMS],
        "claim_types_supported": ["normal"],
        "acr_values_supported": list(LEVELS),
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "ui_locales_supported": ["nl", "en"],
        "display_values_supported": ["page"],
        "id_token_signing_alg_values_supported": sorted(SIGNS_AS),
        "userinfo_signing_alg_values_supported": sorted(SIGNS_AS),
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(assertion_algorithms),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }
