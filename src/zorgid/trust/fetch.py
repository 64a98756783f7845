"""Fetches what issuers publish: short waits, bounded sizes, no redirects."""

import asyncio
from typing import Final

import httpx

from zorgid.pki.crl_judgement import LARGEST_CRL_BYTES
from zorgid.pki.errors import StatusUnavailable
from zorgid.pki.ocsp_judgement import LARGEST_OCSP_ANSWER_BYTES

OCSP_SECONDS: Final = 4.0
"""How long a responder may take altogether; somebody is waiting at a reader."""

CRL_SECONDS: Final = 15.0
"""How long a list may take; it may be megabytes."""

CONNECT_SECONDS: Final = 2.0

OK: Final = 200


def new_client() -> httpx.AsyncClient:
    """Return a client that follows no redirect and takes no proxy or password from its surroundings."""
    timeout = httpx.Timeout(OCSP_SECONDS, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout)


async def ask_ocsp(client: httpx.AsyncClient, address: str, request: bytes) -> bytes:
    """Return what a responder answers. Raises `StatusUnavailable` when it gives no answer in time."""
    headers = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
    asked = client.build_request("POST", address, content=request, headers=headers)
    return await _fetch(client, asked, OCSP_SECONDS, LARGEST_OCSP_ANSWER_BYTES)


async def fetch_crl(client: httpx.AsyncClient, address: str) -> bytes:
    """Return a list as it is published. Raises `StatusUnavailable` when there is none in time."""
    return await _fetch(client, client.build_request("GET", address), CRL_SECONDS, LARGEST_CRL_BYTES)


async def _fetch(client: httpx.AsyncClient, request: httpx.Request, seconds: float, most_bytes: int) -> bytes:
    """Return the body of a whole, successful answer; everything else is no answer."""
    try:
        async with asyncio.timeout(seconds):
            response = await client.send(request, stream=True)
            try:
                return await _read(response, most_bytes)
            finally:
                await response.aclose()
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise StatusUnavailable from error


async def _read(response: httpx.Response, most_bytes: int) -> bytes:
    if response.status_code != OK:
        raise StatusUnavailable
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > most_bytes:
            raise StatusUnavailable
    return bytes(body)
