"""The content security policy of a page: nothing runs, loads or frames but what is named here.

Source: Content Security Policy Level 3. In Chromium a `form-action` also holds for the redirect that follows
a form (docs/decisions/0240-identity-server.md).
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

FIXED: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def content_policy(
    *, scripts: Iterable[str] = (), form_targets: Iterable[str] = (), may_connect: bool = False
) -> str:
    """Return the policy of one page.

    `scripts` are the inline scripts that the page holds, byte for byte: they are allowed by hash.
    `form_targets` are foreign origins to which a form of the page, or the redirect that follows it, may go.
    `may_connect` lets our own script files fetch from our own origin.
    """
    hashes = " ".join(script_hash(script) for script in scripts)
    targets = " ".join(form_targets)
    parts = [FIXED, f"script-src 'self' {hashes}".rstrip(), f"form-action 'self' {targets}".rstrip()]
    if may_connect:
        parts.append("connect-src 'self'")
    return "; ".join(parts)


def script_hash(script: str) -> str:
    """Return the source expression that allows exactly this inline script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


PLAIN_PAGE: Final = content_policy()
