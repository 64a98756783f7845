"""What a person is asked to confirm with a card: the context that the app shows and the card signs.

It comes from the platform over the app's own connection, never from the link
(docs/desktop-protocol.md, chapter 3).
"""

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from zorgid.protocol.purposes import MeansUsed, Purpose

__all__ = [
    "Context",
    "MeansUsed",
    "Message",
    "Purpose",
    "canonical",
    "context_matches_act",
    "sha256_of_act",
    "still_open",
]


class Message(BaseModel):
    """A value that travels between platform and app: frozen, strict, nothing unknown in it.

    What is wrong with one is said without what was in it (ALL-4).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Context(Message):
    """All that the app shows before it asks for a PIN."""

    origin: str
    """Origin of the identity server: scheme://host[:port], no slash at the end."""
    care_application: str
    """Name of the care application (or of the portal) that asks."""
    organisation: str | None = None
    """Name of the organisation that the request is about, when there is one."""
    purpose: Purpose
    act: str | None = None
    """The sentence that describes the act, when the purpose needs one."""
    act_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the act as shown (UTF-8), in hexadecimal."""
    acr: str | None = None
    """Level of assurance that is asked for, as eIDAS URI."""
    accepts: tuple[MeansUsed, ...]
    """The kinds of card that can be used."""
    expires_at: AwareDatetime
    app_key: str
    """Thumbprint of the app key (RFC 7638, SHA-256, base64url)."""

    def canonical(self) -> bytes:
        """Return the canonical form that is hashed and signed (RFC 8785, JSON Canonicalization Scheme)."""
        return canonical(self.model_dump(mode="json"))


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of `value` (RFC 8785)."""
    return rfc8785.dumps(value)


def sha256_of_act(act: str) -> str:
    """Return the hash under which a shown act stands in its context."""
    return hashlib.sha256(act.encode("utf-8")).hexdigest()


def context_matches_act(context: Context) -> bool:
    """Tell whether the shown act is the hashed one.

    The app refuses to show a context for which this is false.
    """
    expected = sha256_of_act(context.act) if context.act is not None else None
    return context.act_sha256 == expected


def still_open(context: Context, *, now: datetime) -> bool:
    """Tell whether the context can still be answered at `now` (aware, UTC); the end is exclusive."""
    return now < context.expires_at
