"""What the handlers of all parts of the web may use, put together once in `app.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

from zorgid.kernel.clock import Clock
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.sentences import Sentences

if TYPE_CHECKING:
    from zorgid.ca.keys import KeyProvider
    from zorgid.issuance.model import IssuanceSetup
    from zorgid.login.setup import LoginSetup
    from zorgid.oidc.exchange import TokenResponse
    from zorgid.oidc.granting import FromSession
    from zorgid.oidc.redeem import TokenRequest
    from zorgid.oidc.response import AuthorisationResponse
    from zorgid.oidc.setup import IdentityServer
    from zorgid.oidc.tokens import Told, UserinfoRequest
    from zorgid.settings import Settings
    from zorgid.storage.database import Database
    from zorgid.storage.together import Together
    from zorgid.trust.actions import Trust
    from zorgid.web.forms import FormGuard
    from zorgid.web.limits import Limits
    from zorgid.web.login.watch import Watch
    from zorgid.web.templates import Templates


@dataclass(frozen=True)
class Services:
    """The running platform as a handler sees it; the same object for every request."""

    settings: Settings
    database: Database
    keys: KeyProvider
    trust: Trust
    templates: Templates
    sentences: Sentences
    limits: Limits
    identity: IdentityServer
    authorising: Together[FromSession, AuthorisationResponse | None]
    redeeming: Together[TokenRequest, TokenResponse]
    asking_userinfo: Together[UserinfoRequest, Told]
    """The three requests of a login of somebody who has a session; those that come together share works."""
    forms: FormGuard
    clock: Clock
    random: RandomSource
    login: LoginSetup
    issuance: IssuanceSetup
    watch: Watch
    stopping: asyncio.Event
    """Set when the platform stops: whoever waits for something gives up."""
    is_listening: Callable[[], bool]
    """Tells whether this node hears what others announce."""
    virtual_workplace: str | None = None
    """Origin of the workplace in the browser; in demo and acceptance only."""


def services_of(connection: HTTPConnection) -> Services:
    """Return the services that `app.py` gave to the application of this request."""
    return cast("Services", connection.app.state.services)
