"""What the bare application answers: media types, caches, limits, odd requests."""

import asyncio
import base64
import contextlib
import os
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st
from tests.ca_builders import new_card, served

from zorgid.ca.model import CertificateStatus
from zorgid.web.pki import wire
from zorgid.web.pki.app import PkiApp
from zorgid.web.pki.door import PlainDoor
from zorgid.web.pki.http1 import NotUnderstood, request_of
from zorgid.web.pki.line import Line
from zorgid.web.pki.wire import Reply, ocsp_request_of_path
from zorgid.web.server import Door, serving


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
    assert sent[1]["body"].decode().count("\n") == (status == 404)


async def test_who_opens_the_address_in_a_browser_reads_that_there_is_nothing_for_people_to_see(house):
    """Without a word a browser shows an error page of its own, as if the platform were down."""
    async with served(house.app, house.port):
        answer = await told(house.port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head, _, said = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 404 ")
    assert "content-type: text/plain; charset=utf-8" in head
    assert "voor mensen is hier niets te zien" in said
    assert "nothing here for people to see" in said


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
    async with served(house.app, house.port) as url, httpx.AsyncClient(trust_env=False, timeout=60) as client:
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


@pytest.fixture
def listening(house):
    """An application whose node hears of every change."""
    house.responder = house.new_responder(monotonic=lambda: 0.0)
    memory = house.responder.memory
    memory.connected()
    memory.heard(memory.beat())
    return house.app


def asked_by_get(request: bytes, fields: str = "") -> bytes:
    path = quote(base64.b64encode(request).decode(), safe="")
    return f"GET /ocsp/{path} HTTP/1.1\r\nHost: pki.test\r\n{fields}\r\n".encode()


async def told(port: int, *parts: bytes) -> bytes:
    """Everything that comes back on a new connection until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_what_is_in_memory_goes_out_as_it_did_the_long_way(house, serial, listening, monkeypatch):
    """LIFE-3."""
    asked = asked_by_get(house.request(serial), "Connection: close\r\n")
    async with served(listening, house.port):
        the_long_way = await told(house.port, asked)
        monkeypatch.setattr(PkiApp, "_safe_reply", None)
        assert await told(house.port, asked) == the_long_way


@pytest.mark.parametrize("change", ["held", "not heard any more"])
async def test_what_memory_may_not_say_comes_from_the_database(house, listening, change):
    """LIFE-3."""
    card = new_card()
    serial = (await house.issue(card))[0].serial
    await house.set_status(card, CertificateStatus.good)
    asked, memory = asked_by_get(house.request(serial), "Connection: close\r\n"), house.responder.memory
    async with served(listening, house.port):
        await told(house.port, asked)
        await house.set_status(card, CertificateStatus.on_hold)
        if change == "held":
            memory.heard(f"{serial:x}")
        else:
            memory.lost()
        _, _, der = (await told(house.port, asked)).partition(b"\r\n\r\n")
    assert ocsp.load_der_ocsp_response(der).certificate_status is ocsp.OCSPCertStatus.REVOKED


async def test_who_has_the_answer_in_memory_already_is_told_so(house, serial, listening):
    async with served(listening, house.port) as url, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        path = f"{url}/ocsp/{base64.b64encode(house.request(serial)).decode()}"
        first = await client.get(path)
        again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_requests_that_come_all_at_once_are_answered_in_their_order(house, serial, listening):
    """One is in memory, one is looked up, and the last says that it is."""
    other = asked_by_get(house.request(serial + 1))
    known = asked_by_get(house.request(serial))
    last = asked_by_get(house.request(serial), "Connection: close\r\n")
    async with served(listening, house.port):
        await told(house.port, last)
        answers = await told(house.port, other + known + last)
    said = [ocsp.load_der_ocsp_response(der) for der in bodies(answers)]
    assert [answer.serial_number for answer in said] == [serial + 1, serial, serial]


def bodies(answers: bytes) -> list[bytes]:
    found = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        found.append(rest[:length])
        answers = rest[length:]
    return found


async def test_a_request_in_pieces_is_answered_once_it_is_whole(house, serial, listening):
    request = house.request(serial)
    head = f"POST /ocsp HTTP/1.1\r\nHost: pki.test\r\nConnection: close\r\nContent-Length: {len(request)}\r\n\r\n"
    whole = head.encode() + request
    async with served(listening, house.port):
        answer = await told(house.port, *(whole[i : i + 40] for i in range(0, len(whole), 40)))
    assert ocsp.load_der_ocsp_response(bodies(answer)[0]).serial_number == serial


async def test_who_waits_for_the_word_before_sending_a_body_gets_it(house, serial, listening):
    request = house.request(serial)
    head = f"POST /ocsp HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {len(request)}\r\n\r\n"
    async with served(listening, house.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(request)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()


async def test_a_program_of_the_old_form_gets_one_answer_and_is_hung_up_on(house, serial, listening):
    asked = asked_by_get(house.request(serial)).replace(b"HTTP/1.1", b"HTTP/1.0")
    async with served(listening, house.port):
        assert len(bodies(await told(house.port, asked))) == 1


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"GET /ocsp/x HTTP/1.1\r\n\r\n", 400),
        (b"GET /ocsp/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /ocsp/x HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        (b"GET  /ocsp/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /ocsp/x HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET /ocsp/x HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400),
        (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n", 413),
        (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST /ocsp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /ocsp/x HTTP/1.1\r\nHost: a\r\nX: " + b" " * 17000 + b"\r\n\r\n", 431),
        (b"A" * 17000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused_and_hung_up_on(house, asked, status):
    async with served(house.app, house.port):
        answer = await told(house.port, asked)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in answer


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_break_the_reader_of_requests(noise, at):
    asked = b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    with contextlib.suppress(NotUnderstood):
        request_of(asked[:at] + noise + asked[at:])


@pytest.mark.parametrize("said", [b"", b"GET /ocsp/x HTT"])
async def test_who_says_nothing_whole_is_hung_up_on(house, monkeypatch, said):
    monkeypatch.setattr("zorgid.web.pki.line.WHOLE_WITHIN_SECONDS", 1.0)
    async with served(house.app, house.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(said or b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        monkeypatch.setattr("zorgid.web.pki.line.IDLE_SECONDS", 0.0)
        async with asyncio.timeout(60):
            await reader.read()
        writer.close()


async def test_a_stop_lets_finish_what_was_asked_and_hangs_up_on_who_waits(house, serial, monkeypatch):
    """ALL-8."""
    asked, may_go_on = asyncio.Event(), asyncio.Event()
    long_way = PkiApp._safe_reply

    async def slow(self, one):
        asked.set()
        await may_go_on.wait()
        return await long_way(self, one)

    monkeypatch.setattr(PkiApp, "_safe_reply", slow)
    stack = contextlib.AsyncExitStack()
    await stack.enter_async_context(served(house.app, house.port))
    idle_reader, idle = await asyncio.open_connection("127.0.0.1", house.port)
    idle.write(b"GET /none HTTP/1.1\r\n")
    answer = asyncio.create_task(told(house.port, asked_by_get(house.request(serial))))
    await asked.wait()
    closing = asyncio.create_task(stack.aclose())
    assert await idle_reader.read() == b""
    idle.close()
    may_go_on.set()
    assert ocsp.load_der_ocsp_response(bodies(await answer)[0]).serial_number == serial
    await closing


async def test_a_stop_does_not_wait_for_ever(house, serial, monkeypatch):
    """ALL-8."""
    asked = asyncio.Event()

    async def never(_self, _one):
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(PkiApp, "_safe_reply", never)
    async with serving(Door(house.app, "127.0.0.1", house.port), stop_within_seconds=0.1):
        answer = asyncio.create_task(told(house.port, asked_by_get(house.request(serial))))
        await asked.wait()
    assert await answer == b""


async def test_when_there_is_no_room_the_next_waits_until_somebody_leaves(house, monkeypatch):
    monkeypatch.setattr("zorgid.web.pki.door.MOST_CONNECTIONS", 1)
    asked = b"GET /none HTTP/1.1\r\nHost: a\r\n"
    async with served(house.app, house.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(asked + b"\r\n" + asked)  # and the rest of the second does not come yet
        assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
        waiting = asyncio.create_task(told(house.port, asked + b"Connection: close\r\n\r\n"))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        writer.close()
        assert (await waiting).startswith(b"HTTP/1.1 404 ")


async def test_who_holds_a_connection_and_asks_nothing_makes_room_for_who_asks(house, monkeypatch):
    """Or ten thousand idle connections, kept up by a question a minute, would keep everybody else out."""
    monkeypatch.setattr("zorgid.web.pki.door.MOST_CONNECTIONS", 1)
    monkeypatch.setattr("zorgid.web.pki.door.SWEEP_SECONDS", 0.01)
    asked = b"GET /none HTTP/1.1\r\nHost: a\r\n"
    async with served(house.app, house.port):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(asked + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
        assert (await told(house.port, asked + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
        writer.close()


async def test_who_takes_nothing_of_an_answer_is_hung_up_on(house, monkeypatch):
    monkeypatch.setattr("zorgid.web.pki.line.SENT_WITHIN_SECONDS", 0.0)

    async def large(_self, _one):
        return Reply(200, bytes(50_000_000))

    gone = asyncio.Event()
    monkeypatch.setattr(PkiApp, "_safe_reply", large)
    monkeypatch.setattr(PlainDoor, "lost", lambda _door, _line: gone.set())
    async with served(house.app, house.port):
        _, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(60):
            await gone.wait()
        writer.transport.abort()


async def test_who_takes_a_long_answer_bit_by_bit_gets_all_of_it(house, monkeypatch):
    monkeypatch.setattr("zorgid.web.pki.door.SWEEP_SECONDS", 0.01)

    async def large(_self, _one):
        return Reply(200, bytes(20_000_000))

    monkeypatch.setattr(PkiApp, "_safe_reply", large)
    async with served(house.app, house.port):
        answer = await told(house.port, b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert len(answer.partition(b"\r\n\r\n")[2]) == 20_000_000


def test_long_paths_of_strangers_are_not_remembered():
    before = wire._remembered.cache_info().currsize
    for _ in range(10):
        path = f"/ocsp/{base64.b64encode(os.urandom(3000)).decode()}"
        assert len(ocsp_request_of_path(path, "/ocsp")) == 3000
    assert wire._remembered.cache_info().currsize == before


async def test_who_asks_on_and_takes_nothing_fills_no_memory(house, serial, listening, monkeypatch):
    """What is asked after that waits with who asked it, not with us."""
    kept: list[int] = []
    gone, lost = asyncio.Event(), PlainDoor.lost

    def leaves(door, line):
        kept.append(len(line._received))
        gone.set()
        lost(door, line)

    many = asked_by_get(house.request(serial)) * 2_000
    async with served(listening, house.port):
        await told(house.port, asked_by_get(house.request(serial), "Connection: close\r\n"))
        monkeypatch.setattr(PlainDoor, "lost", leaves)
        _, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1)
        writer.transport.pause_reading()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                for _ in range(200):
                    writer.write(many)
                    await writer.drain()
        writer.transport.abort()
        async with asyncio.timeout(60):
            await gone.wait()
    assert max(kept) < 1_000_000


async def test_a_long_answer_is_in_memory_once_however_many_take_it_slowly(house, monkeypatch):
    """A list of revoked certificates may be tens of megabytes, and everybody may ask for it."""
    body = bytes(50_000_000)

    async def large(_self, _one):
        return Reply(200, body)

    sizes: list[int] = []
    sent = Line._sent

    def seen(line, **facts):
        sent(line, **facts)
        assert line._transport is not None
        sizes.append(line._transport.get_write_buffer_size())

    monkeypatch.setattr(PkiApp, "_safe_reply", large)
    monkeypatch.setattr(Line, "_sent", seen)
    async with served(house.app, house.port):
        answer = await told(house.port, b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert len(answer.partition(b"\r\n\r\n")[2]) == len(body)
    assert sizes
    assert max(sizes) < 1_000_000


async def test_who_goes_away_while_an_answer_is_looked_up_breaks_nothing(house, serial, monkeypatch):
    asked, may_go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    long_way = PkiApp._safe_reply

    async def slow(self, one):
        asked.set()
        await may_go_on.wait()
        reply = await long_way(self, one)
        done.set()
        return reply

    monkeypatch.setattr(PkiApp, "_safe_reply", slow)
    async with served(house.app, house.port):
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(asked_by_get(house.request(serial)))
        await asked.wait()
        writer.transport.abort()
        may_go_on.set()
        async with asyncio.timeout(60):
            await done.wait()
        again = await told(house.port, asked_by_get(house.request(serial), "Connection: close\r\n"))
    assert ocsp.load_der_ocsp_response(bodies(again)[0]).serial_number == serial
