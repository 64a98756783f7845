"""Proof Key for Code Exchange with S256, which every client must use.

Source: RFC 7636; FAPI 2.0 Security Profile, 5.3.2.2.
"""

import hashlib
import hmac
import re
from typing import Final

from zorgid.kernel.randomness import base64url
from zorgid.oidc.errors import InvalidGrant, InvalidRequest

CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 in base64url without padding."""

VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""Source: RFC 7636, section 4.1."""


def require_challenge(challenge: str | None, method: str | None) -> str:
    """Return the code challenge.

    Raises:
        InvalidRequest: it is missing, not a SHA-256, or its method is absent (which means plain) or not S256.
    """
    if challenge is None:
        raise InvalidRequest(description="The parameter code_challenge is missing.")
    if method != "S256":
        raise InvalidRequest(description="The parameter code_challenge_method must be S256.")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(description="The parameter code_challenge is not a SHA-256 in base64url.")
    return challenge


def require_verifier(verifier: str | None, challenge: str) -> None:
    """Check that `verifier` is the one whose hash was sent. Raises `InvalidGrant`."""
    if verifier is None or not VERIFIER.fullmatch(verifier):
        raise InvalidGrant(description="The parameter code_verifier is missing or malformed.")
    if not hmac.compare_digest(challenge_of(verifier), challenge):
        raise InvalidGrant(description="The parameter code_verifier does not fit the code_challenge.")


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())
