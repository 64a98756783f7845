"""Decides whether the session that is there is proof enough for what a client asks, or a new proof is needed.

A proof that was given after the request came in counts as fresh, whatever `prompt` and `max_age` say;
otherwise nobody could ever come back from the login page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from zorgid.login.model import Session
from zorgid.oidc.errors import LoginRequired, UnmetAuthenticationRequirements
from zorgid.oidc.model import Wishes

LEVELS: Final = (
    "http://eidas.europa.eu/LoA/low",
    "http://eidas.europa.eu/LoA/substantial",
    "http://eidas.europa.eu/LoA/high",
)
"""The levels that can stand in `acr`; OpenID NLGov recommends these URIs.

Source: Implementing Regulation (EU) 2015/1502.
"""


@dataclass(frozen=True)
class ProofNeeded:
    """The person must prove anew who is there; `acr` is the level to ask for, when the client named one."""

    acr: str | None


@dataclass(frozen=True)
class Circumstances:
    """Who is there and since when the request waits.

    `kept_at` is when the request was kept for a login, or `None` when it just came in; `subject_of` gives the
    `sub` of a session for this client.
    """

    session: Session | None
    kept_at: datetime | None
    subject_of: Callable[[Session], str]
    now: datetime

    def is_fresh(self) -> bool:
        """Tell whether the session was proved after the request came in."""
        return (
            self.session is not None
            and self.kept_at is not None
            and self.session.authenticated_at >= self.kept_at
        )


def sufficient_session(wishes: Wishes, circumstances: Circumstances) -> Session | ProofNeeded:
    """Return the session when it is proof enough, or what proof is needed.

    Raises:
        UnmetAuthenticationRequirements: an essential level that no means has, or that the fresh proof does
            not have.
        LoginRequired: a proof is needed but the client forbids to ask, or another person than asked logged
            in.
    """
    _require_possible_level(wishes)
    session = circumstances.session
    if session is None or _falls_short(wishes, circumstances, session):
        return _proof_needed(wishes)
    if circumstances.is_fresh():
        return _accepted_fresh(wishes, circumstances, session)
    return session


def _require_possible_level(wishes: Wishes) -> None:
    if wishes.essential_acrs and not set(wishes.essential_acrs) & set(LEVELS):
        raise UnmetAuthenticationRequirements(description="No means gives the level that is asked for.")


def _falls_short(wishes: Wishes, circumstances: Circumstances, session: Session) -> bool:
    if circumstances.is_fresh():
        return False
    return any(
        (
            wishes.fresh,
            _is_too_old(wishes.max_age_s, session, circumstances.now),
            _lacks_level(wishes.essential_acrs, session),
            not wishes.silent and _lacks_level(wishes.acr_values, session),
            wishes.subject is not None and circumstances.subject_of(session) != wishes.subject,
        )
    )


def _is_too_old(max_age_s: int | None, session: Session, now: datetime) -> bool:
    return max_age_s is not None and now - session.authenticated_at >= timedelta(seconds=max_age_s)


def _lacks_level(levels: Sequence[str], session: Session) -> bool:
    return bool(levels) and session.means.level not in levels


def _proof_needed(wishes: Wishes) -> ProofNeeded:
    if wishes.silent:
        raise LoginRequired(description="A login is needed.")
    asked = [level for level in (*wishes.essential_acrs, *wishes.acr_values) if level in LEVELS]
    return ProofNeeded(asked[0] if asked else None)


def _accepted_fresh(wishes: Wishes, circumstances: Circumstances, session: Session) -> Session:
    """Return a session that was just proved.

    A wished level may be missed, an essential one or the person may not.
    """
    if _lacks_level(wishes.essential_acrs, session):
        raise UnmetAuthenticationRequirements(
            description="The means that was used does not have the level asked for."
        )
    if wishes.subject is not None and circumstances.subject_of(session) != wishes.subject:
        raise LoginRequired(description="Another person than the one asked for logged in.")
    return session
