"""What strangers may try at the address of OCSP and CRLs, and what it costs everybody else: nothing."""

import asyncio
import base64
from unittest.mock import Mock

import pytest
from tests.ca_builders import ORIGIN, new_card, served

from zorgid.ca import status_store
from zorgid.ca.model import CertificateStatus
from zorgid.web.pki import app, http1, line
from zorgid.web.pki.http1 import MOST_FIELDS, NotUnderstood, read_head
from zorgid.web.pki.line import Line
from zorgid.web.pki.wire import Reply

HEAD = b"POST /ocsp HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
async def serial(house):
    card = new_card()
    issued = await house.issue(card)
    await house.set_status(card, CertificateStatus.good)
    await house.publish()
    return issued[0].serial


async def test_a_body_in_crumbs_has_its_head_read_once(monkeypatch):
    """Or a few kilobytes from a stranger would cost everybody half a minute of the event loop."""
    reads = Mock(wraps=http1.request_of)
    monkeypatch.setattr(line, "request_of", reads)
    door = Mock(now=lambda: 0.0, lines=set(), is_closing=False)
    door.application.at_once.return_value = b"answer"
    connection = Line(door, HEAD + b"Content-Length: 500\r\n\r\n")
    transport = Mock(is_closing=lambda: False, get_write_buffer_size=lambda: 0)
    connection.connection_made(transport)
    for _ in range(500):
        connection.data_received(b"x")

    transport.write.assert_called_once_with(b"answer")
    assert reads.call_count == 2


def test_thousands_of_tiny_fields_are_not_read():
    field = b"\r\na:"
    assert read_head(HEAD.strip() + field * (MOST_FIELDS - 1)).method == "POST"
    with pytest.raises(NotUnderstood) as refused:
        read_head(HEAD.strip() + field * MOST_FIELDS)
    assert refused.value.status == 431


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://pki.test/crl/root.crl", "/crl/root.crl"),
        (b"/crlhttp://pki.test/root.crl", "/crlhttp://pki.test/root.crl"),
        (b"http://a/http://b/crl/root.crl", "/http://b/crl/root.crl"),
    ],
)
def test_a_path_is_what_every_proxy_takes_it_for(target, path):
    """Or a cache in front would keep an answer under another name than it has here."""
    assert read_head(b"GET " + target + b" HTTP/1.1\r\nHost: a").path == path


@pytest.mark.parametrize(
    ("place", "name", "method", "path"),
    [(status_store, "status_now", "POST", "/ocsp"), (app, "current_crl_number", "GET", "/crl/root.crl")],
)
async def test_strangers_who_ask_without_end_leave_the_database_to_the_logins(
    house, serial, monkeypatch, place, name, method, path
):
    asked, may_go_on = asyncio.Semaphore(0), asyncio.Event()
    look_up = getattr(place, name)

    async def slow(*facts):
        asked.release()
        await may_go_on.wait()
        return await look_up(*facts)

    monkeypatch.setattr(place, name, slow)
    request = house.request(serial, b"0123456789abcdef")
    async with house.client() as client:
        flood = [asyncio.create_task(client.request(method, path, content=request)) for _ in range(50)]
        for _ in range(app.LISTS_AT_ONCE):
            await asked.acquire()
        async with asyncio.timeout(60), house.database.work(ORIGIN) as work:
            await work.connection.execute("select 1")
        may_go_on.set()
        told = await asyncio.gather(*flood)
    assert {one.status_code for one in told} == {200}


async def whole_answer(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_who_hangs_up_half_still_gets_the_whole_of_a_long_answer(house, monkeypatch):
    """Some programs say that they will ask nothing more, and then listen."""
    body = bytes(5_000_000)

    async def large(_self, _one):
        return Reply(200, body)

    monkeypatch.setattr(app.PkiApp, "_safe_reply", large)
    async with served(house.app, house.port), asyncio.timeout(60):
        answer = await whole_answer(house.port, "/large")
    assert len(answer.partition(b"\r\n\r\n")[2]) == len(body)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "DELETE", "PRI"])
async def test_an_odd_method_gets_an_answer_and_nothing_else(house, method):
    async with served(house.app, house.port), asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(f"{method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("path", ["/%63rl/root.crl", "/crl/%72oot.crl", "/crl/root%2Ecrl"])
async def test_an_escaped_name_is_the_same_name(house, serial, path):
    async with served(house.app, house.port), asyncio.timeout(60):
        plain, escaped = [await whole_answer(house.port, one) for one in ("/crl/root.crl", path)]
    assert plain.partition(b"\r\n\r\n")[2] == escaped.partition(b"\r\n\r\n")[2] != b""


@pytest.mark.parametrize("path", ["/ocsp/%", "/ocsp/%zz", "/ocsp/" + "%00" * 100, "/ocsp//../crl/root.crl"])
async def test_a_question_that_is_none_gets_an_answer_that_says_so(house, path):
    async with served(house.app, house.port), asyncio.timeout(60):
        answer = await whole_answer(house.port, path)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(base64.b64decode("MAMKAQE="))  # malformedRequest (RFC 6960, section 2.3)
