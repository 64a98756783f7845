"""Puts the virtual workplace together: the platform's own layers round its pages, and cards for its desks."""

import ssl
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import httpx
from starlette.types import ASGIApp

from zorgid.demo.card_numbers import CardNumbers
from zorgid.demo.workplace.desks import Desks
from zorgid.demo.workplace.laying_out import lay_out
from zorgid.demo.workplace.pages import Pages, cookie_name
from zorgid.demo.workplace.run import AppParts, Connect
from zorgid.demo.world import World
from zorgid.kernel.sentences import Language
from zorgid.opening import WEB_COOKIES
from zorgid.settings import Settings
from zorgid.storage.database import Origin
from zorgid.web.application import web_application
from zorgid.web.forms import FormGuard
from zorgid.web.services import Services
from zorgid.web.shell import static_files
from zorgid_desktop.server import Platform

STAND_IN: Final = "virtual workplace"
FORM_COOKIE: Final = "zid-desk-form"
STATIC_PACKAGE: Final = "zorgid.demo"


@dataclass(frozen=True)
class Workplace:
    """The workplace as it is served."""

    application: ASGIApp
    desks: Desks


def create_workplace(services: Services, world: World, *, connect: Connect | None = None) -> Workplace:
    """Return the workplace beside a running platform.

    Raises:
        SettingsUnfit: this is production.
    """
    settings = services.settings
    settings.require_nothing_pretends([STAND_IN])
    desks = Desks(
        lay_out(services, world),
        AppParts(connect or connect_to(settings), services.clock),
        clock=services.clock,
        random=services.random,
    )
    links = {
        "platform": f"{settings.origin}/",
        "make_card": f"{settings.origin}/portal/make-card",
        "portal": f"{settings.origin}/portal",
        "care": f"{world.places.care_origin}/",
    }
    numbers = CardNumbers(services.database, Origin("workplace", None, settings.node))
    pages = Pages(desks, world.register, numbers, links)
    routes = [*pages.routes(), static_files([STATIC_PACKAGE]).route()]
    return Workplace(web_application(_own_services(services, world), routes), desks)


def _own_services(services: Services, world: World) -> Services:
    """Return the platform's services as they are at the address of the workplace."""
    own = services.settings.model_copy(update={"origin": world.places.workplace_origin})
    forms = FormGuard(
        mac=partial(services.keys.mac, WEB_COOKIES),
        own_origin=own.origin,
        cookie_name=f"__Host-{FORM_COOKIE}" if own.is_secure else FORM_COOKIE,
        session_cookie_name=cookie_name(is_secure=own.is_secure),
        is_secure=own.is_secure,
        random=services.random,
    )
    return replace(services, settings=own, forms=forms)


def connect_to(settings: Settings) -> Connect:
    """Return how the app reaches the platform: as anybody does, at its origin."""

    def connect(language: Language) -> Platform:
        transport = (
            httpx.HTTPTransport(verify=_trust(settings), trust_env=False) if settings.is_secure else None
        )
        return Platform(settings.origin, language=language, transport=transport)

    return connect


def _trust(settings: Settings) -> ssl.SSLContext:
    """Return what the system trusts, and the certificate that this very process shows."""
    trust = ssl.create_default_context()
    if settings.tls_certificate:
        trust.load_verify_locations(settings.tls_certificate)
        trust.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return trust
