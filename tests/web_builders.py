"""Builds the web's services around nothing but what a test of pages needs."""

import asyncio
import hmac
import re
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp

from zorgid.kernel.clock import system_clock
from zorgid.kernel.randomness import system_random
from zorgid.settings import Settings
from zorgid.web.forms import FormGuard
from zorgid.web.services import Services
from zorgid.web.shell import load_sentences, page_templates, static_files


def mac_of_tests(data: bytes) -> bytes:
    """Stands for a key that all nodes share."""
    return hmac.digest(b"form key of the tests", data, "sha256")


def services_for_pages(*, settings: Settings | None = None, **others: Any) -> Services:
    """Return services with pages, forms and sentences; what is not handed in is not there."""
    settings = settings or Settings(node="test-node")
    absent = dict.fromkeys(field.name for field in fields(Services))
    guard = FormGuard(
        mac=mac_of_tests,
        own_origin=settings.origin,
        cookie_name="zid-form",
        session_cookie_name="zid-portal",
        is_secure=settings.is_secure,
        random=system_random,
    )
    given: dict[str, Any] = {
        "settings": settings,
        "templates": page_templates(settings, static_files()),
        "sentences": load_sentences(),
        "forms": guard,
        "clock": system_clock,
        "random": system_random,
        "stopping": asyncio.Event(),
    }
    return Services(**{**absent, **given, **others})


def browser(application: ASGIApp, origin: str = "http://localhost:8600", **options: Any) -> httpx.AsyncClient:
    """Return a client that speaks to the application as a browser at `origin` would."""
    assert urlsplit(origin).netloc
    transport = httpx.ASGITransport(app=application, client=("192.0.2.7", 40000))
    return httpx.AsyncClient(transport=transport, base_url=origin, **options)


def form_token_of(page: str) -> str:
    """Return the token of the first form on a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)
