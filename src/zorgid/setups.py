"""What rooms and the edge are handed of the settings and the keys: a function for each, for `zorgid.app`."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from cardkit.attestation import TrustedRoot
from zorgid.ca.keys import KeyProvider
from zorgid.ca.model import Hierarchy
from zorgid.issuance.model import IssuanceSetup
from zorgid.kernel.randomness import RandomSource
from zorgid.login.setup import LoginSetup
from zorgid.node_memory import Memory
from zorgid.oidc.setup import IdentityServer
from zorgid.opening import CARD_MASTER, LOGIN, WEB_COOKIES
from zorgid.settings import Settings
from zorgid.stock.model import AttestationRoot
from zorgid.trust.actions import Trust
from zorgid.web.forms import FormGuard
from zorgid.web.portal.session import session_cookie_name

FORM_COOKIE: Final = "zid-form"


def login_setup(settings: Settings, keys: KeyProvider, trust: Trust) -> LoginSetup:
    """Return what logins are handed."""
    return LoginSetup(
        origin=settings.origin,
        environment=settings.environment.value,
        derive=partial(keys.derive, LOGIN),
        recognise_uzi_card=trust.recognise_uzi_card,
        least_app_version=settings.least_app_version,
    )


def identity_server(
    settings: Settings, keys: KeyProvider, memory: Memory, login: LoginSetup
) -> IdentityServer:
    """Return the engine of the identity server."""
    return IdentityServer(
        issuer=settings.issuer,
        portal_api=f"{settings.origin}/portal",
        login=login,
        keys=keys,
        signing_keys=memory.signing_keys,
        clients=memory.clients,
    )


def issuance_setup(
    settings: Settings,
    keys: KeyProvider,
    hierarchy: Hierarchy,
    login: LoginSetup,
    attestation_roots: Mapping[AttestationRoot, Sequence[TrustedRoot]],
) -> IssuanceSetup:
    """Return what the making of cards is handed."""
    return IssuanceSetup(
        login=login,
        keys=keys,
        hierarchy=hierarchy,
        derive=partial(keys.derive, CARD_MASTER),
        means_policy=settings.means_policy,
        admitted_types=settings.admitted_types,
        attestation_roots=attestation_roots,
        key_kind=settings.card_key_kind,
        may_attest_nothing=settings.may_attest_nothing,
        allows_stand_ins=settings.allows_stand_ins,
    )


def form_guard(settings: Settings, keys: KeyProvider, random: RandomSource) -> FormGuard:
    """Return what protects the forms of the portal's own pages."""
    return FormGuard(
        mac=partial(keys.mac, WEB_COOKIES),
        own_origin=settings.origin,
        cookie_name=f"__Host-{FORM_COOKIE}" if settings.is_secure else FORM_COOKIE,
        session_cookie_name=session_cookie_name(settings),
        is_secure=settings.is_secure,
        random=random,
    )
