"""What the bare application answers: media types, caches, limits, odd requests."""

import base64
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from tests.ca_builders import new_card, served

from zorgid.ca.model import CertificateStatus
from zorgid.web.pki.app import PkiApp


@pytest.fixture
async def serial(house):
    card = new_card()
    issued = await house.issue(card)
    await house.set_status(card, CertificateStatus.good)
    await house.publish()
    return issued[0].serial


@pytest.fixture
async def client(house):
    async with house.client() as client:
        yield client


@pytest.mark.parametrize("escape", [lambda text: text, quote, lambda text: quote(text, safe="")])
async def test_ocsp_by_get_and_by_post_say_the_same(client, house, serial, escape):
    request = house.request(serial)
    posted = await client.post("/ocsp", content=request, headers={"content-type": "application/ocsp-request"})
    got = await client.get("/ocsp/" + escape(base64.b64encode(request).decode()))

    for response in (posted, got):
        answer = ocsp.load_der_ocsp_response(response.content)
        assert (answer.serial_number, answer.certificate_status) == (serial, ocsp.OCSPCertStatus.GOOD)
        assert response.headers["content-type"] == "application/ocsp-response"


async def test_an_answer_by_get_may_be_cached_for_a_short_time_only(client, house, serial):
    got = await client.get("/ocsp/" + base64.b64encode(house.request(serial)).decode())

    assert got.headers["cache-control"] == "public, no-transform, must-revalidate, max-age=60"
    assert {"etag", "expires", "last-modified"} <= set(got.headers)


async def test_an_answer_to_a_nonce_or_an_error_is_never_cached(client, house, serial):
    for request in (house.request(serial, b"0123456789abcdef"), b"garbage"):
        got = await client.get("/ocsp/" + base64.b64encode(request).decode())
        assert got.headers["cache-control"] == "no-store"


async def test_a_nonce_comes_back_and_is_signed_apart(house, serial):
    one = await house.ask(serial, nonce=b"0123456789abcdef")
    plain = await house.ask(serial)

    assert one.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"0123456789abcdef"
    assert not any(isinstance(extension.value, x509.OCSPNonce) for extension in plain.extensions)


async def test_head_gives_the_headers_alone_and_a_known_list_is_not_sent_again(client, house, serial):
    got = await client.get("/crl/smartcard.crl")
    head = await client.head("/crl/smartcard.crl")
    again = await client.get("/crl/smartcard.crl", headers={"if-none-match": got.headers["etag"]})

    assert got.headers["content-type"] == "application/pkix-crl"
    assert (head.content, head.headers["content-length"]) == (b"", str(len(got.content)))
    assert (again.status_code, again.content) == (304, b"")


async def test_a_new_list_is_served_at_once(client, house, serial):
    first = x509.load_der_x509_crl((await client.get("/crl/smartcard.crl")).content)
    await house.issue()
    second = x509.load_der_x509_crl((await client.get("/crl/smartcard.crl")).content)

    number = [
        crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in (first, second)
    ]
    assert number[0] < number[1]
    assert len(second) == len(first) + 3


@pytest.mark.parametrize("name", ["root", "smartcard", "mobiel"])
async def test_each_authority_has_its_list_and_its_certificate_served(client, house, name):
    crl = await client.get(f"/crl/{name}.crl")
    certificate = await client.get(f"/ca/{name}.cer")

    issuer = x509.load_der_x509_certificate(certificate.content)
    assert x509.load_der_x509_crl(crl.content).is_signature_valid(issuer.public_key())
    assert certificate.headers["content-type"] == "application/pkix-cert"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/crl/other.crl", 404),
        ("GET", "/crl/smartcard.cer", 404),
        ("GET", "/ca/smartcard.crl", 404),
        ("GET", "/crl/../ca/root.cer", 404),
        ("POST", "/crl/smartcard.crl", 405),
        ("PUT", "/ocsp", 405),
        ("POST", "/ocsp/abc", 405),
        ("GET", "/ocspx", 404),
    ],
)
async def test_anything_else_is_not_found_or_not_allowed(house, method, path, status):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    await house.app(scope, receive, send)
    assert sent[0]["status"] == status


async def test_a_request_that_is_too_large_is_refused(client):
    assert (await client.post("/ocsp", content=b"0" * 9000)).status_code == 413
    assert (await client.get("/ocsp/" + "A" * 9000)).status_code == 413


async def test_without_a_database_nothing_is_said_and_nothing_cached(client, house, serial, monkeypatch):
    def broken(_origin):
        raise OSError

    monkeypatch.setattr(house.database, "work", broken)
    for response in (
        await client.post("/ocsp", content=house.request(serial)),
        await client.get("/crl/smartcard.crl"),
    ):
        assert (response.status_code, response.content) == (503, b"")
        assert response.headers["cache-control"] == "no-store"


async def test_a_request_that_is_broken_off_gets_no_answer_and_breaks_nothing(house):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/ocsp", "headers": []}
    await house.app(scope, receive, sent.append)
    assert sent == []


async def test_garbage_gets_a_malformed_answer_over_real_http(house):
    async with served(house.app, house.port) as url, httpx.AsyncClient(trust_env=False) as client:
        for response in (
            await client.post(f"{url}/ocsp", content=b"garbage"),
            await client.get(f"{url}/ocsp/%%%"),
            await client.post(f"{url}/ocsp", content=b""),
        ):
            answer = ocsp.load_der_ocsp_response(response.content)
            assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


async def test_of_a_certificate_of_another_issuer_nothing_is_said(house, serial):
    root = house.hierarchy.root.certificate
    builder = ocsp.OCSPRequestBuilder().add_certificate(house.authority.certificate, root, hashes.SHA1())
    answer = await house.responder.answer(builder.build().public_bytes(Encoding.DER))

    assert ocsp.load_der_ocsp_response(answer.der).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


async def test_times_in_answers_are_those_that_are_promised(house, serial, clock):
    answer = await house.ask(serial)

    assert answer.this_update_utc == clock()
    assert answer.next_update_utc == clock() + timedelta(minutes=10)


class OverRsgi:
    """One request as Granian hands it over, and what went out."""

    def __init__(self, request: bytes, **headers):
        self.scope = SimpleNamespace(
            method="GET", path="/ocsp/" + base64.b64encode(request).decode(), headers=headers
        )
        self.sent = []

    def response_bytes(self, status, headers, body):
        self.sent.append((status, headers, body))

    async def ask(self, app):
        await app.__rsgi__(self.scope, self)
        return self.sent.pop()


@pytest.fixture
def listening(house):
    """An application whose node hears of every change."""
    house.responder = house.new_responder(monotonic=lambda: 0.0)
    memory = house.responder.memory
    memory.connected()
    memory.heard(memory.beat())
    return house.app


async def test_what_is_in_memory_goes_out_as_it_did_the_long_way(house, serial, listening, monkeypatch):
    """LIFE-3."""
    asked = OverRsgi(house.request(serial))
    the_long_way = await asked.ask(listening)

    monkeypatch.setattr(PkiApp, "_safe_reply", None)
    assert await asked.ask(listening) == the_long_way


@pytest.mark.parametrize("change", ["held", "not heard any more"])
async def test_what_memory_may_not_say_comes_from_the_database(house, listening, change):
    """LIFE-3."""
    card = new_card()
    serial = (await house.issue(card))[0].serial
    await house.set_status(card, CertificateStatus.good)
    asked, memory = OverRsgi(house.request(serial)), house.responder.memory
    await asked.ask(listening)

    await house.set_status(card, CertificateStatus.on_hold)
    if change == "held":
        memory.heard(f"{serial:x}")
    else:
        memory.lost()
    _, _, der = await asked.ask(listening)
    assert ocsp.load_der_ocsp_response(der).certificate_status is ocsp.OCSPCertStatus.REVOKED


async def test_who_has_the_answer_in_memory_already_is_told_so(house, serial, listening):
    _, headers, _ = await OverRsgi(house.request(serial)).ask(listening)
    again = OverRsgi(house.request(serial), **{"if-none-match": dict(headers)["etag"]})
    assert (await again.ask(listening))[::2] == (304, b"")


@pytest.mark.parametrize("unverified", [b"garbage", b"", b"0" * 9000])
async def test_what_cannot_be_read_goes_the_long_way(listening, unverified):
    status, headers, _ = await OverRsgi(unverified).ask(listening)
    assert status == (413 if len(unverified) > 8192 else 200)
    assert "etag" not in dict(headers)
