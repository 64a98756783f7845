"""Serves the test register over plain HTTP: OCSP, lists, certificates, and a page that says what it is."""

import base64
import binascii
from typing import Final
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from zorgid.demo.uzi_register.register import Mood, Register
from zorgid.pki.errors import OcspRequestMalformed
from zorgid.pki.ocsp import LARGEST_REQUEST_BYTES, OcspError, error_answer, parse_request

OCSP_ANSWER: Final = "application/ocsp-response"
CRL: Final = "application/pkix-crl"
CERTIFICATE: Final = "application/pkix-cert"

INTRODUCTION: Final = """TEST UZI REGISTER - a stand-in, trusted by nobody

Kaartnaam, zoals de opdrachten en de Desktop App haar noemen; pincode; wie of wat.
Name of the card, as the commands and the Desktop App take it; PIN; who or what."""


def create_app(register: Register) -> Starlette:
    """Return the ASGI application of a register; while it is dark, every answer is an empty 503."""

    async def start(_request: Request) -> Response:
        lines = [
            f"{f'uzi-{card.label}':36} {card.pin:8} {' / '.join(card.description.values())}"
            for card in register.cards
        ]
        return PlainTextResponse(f"{INTRODUCTION}\n\n" + "\n".join(lines))

    async def post_ocsp(request: Request) -> Response:
        return _answer(register, await _body(request))

    async def get_ocsp(request: Request) -> Response:
        try:
            asked = base64.b64decode(unquote(request.path_params["asked"]), validate=True)
        except (binascii.Error, ValueError):
            asked = b""
        return _answer(register, asked)

    async def crl(request: Request) -> Response:
        authority = register.authority(request.path_params["slug"])
        if authority is None or register.mood is Mood.dark:
            return _nothing(register)
        return Response(register.crl(authority), media_type=CRL)

    async def certificate(request: Request) -> Response:
        authority = register.authority(request.path_params["slug"])
        if authority is None or register.mood is Mood.dark:
            return _nothing(register)
        return Response(authority.certificate.public_bytes(Encoding.DER), media_type=CERTIFICATE)

    return Starlette(
        routes=[
            Route("/", start),
            Route("/ocsp", post_ocsp, methods=["POST"]),
            Route("/ocsp/{asked:path}", get_ocsp),
            Route("/cdp/{slug}.crl", crl),
            Route("/ca/{slug}.cer", certificate),
        ]
    )


def _nothing(register: Register) -> Response:
    return Response(status_code=503 if register.mood is Mood.dark else 404)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_REQUEST_BYTES:
            break
    return body


def _answer(register: Register, asked: bytes) -> Response:
    if register.mood is Mood.dark:
        return _nothing(register)
    try:
        answer = register.answer(parse_request(asked))
    except OcspRequestMalformed:
        return Response(error_answer(OcspError.malformed_request), media_type=OCSP_ANSWER)
    return Response(answer or error_answer(OcspError.unauthorized), media_type=OCSP_ANSWER)
