"""The embedded server: two doors in one process, TLS, and a stop that breaks nothing off (ALL-2, ALL-8)."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import time
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.ports import free_port

from zorgid.web import server
from zorgid.web.server import AddressTaken, Door, serving

PATIENT = {"timeout": 60, "trust_env": False}


def saying(words: str) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await PlainTextResponse(f"{words} {request.url.scheme}")(scope, receive, send)

    return application


@pytest.fixture
def tls_files(tmp_path: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (tmp_path / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "k.pem").write_bytes(key.private_bytes(*form))
    return tmp_path / "c.pem", tmp_path / "k.pem"


async def test_two_doors_answer_in_one_process_one_of_them_over_tls(tls_files: tuple[Path, Path]) -> None:
    plain, secure = free_port(), free_port()
    doors = (
        Door(saying("plain"), "127.0.0.1", plain),
        Door(saying("secure"), "127.0.0.1", secure, *tls_files),
    )
    trusting = ssl.create_default_context(cafile=str(tls_files[0]))
    async with (
        serving(*doors, stop_within_seconds=5),
        httpx.AsyncClient(verify=trusting, **PATIENT) as client,
    ):
        assert (await client.get(f"http://127.0.0.1:{plain}/")).text == "plain http"
        assert (await client.get(f"https://127.0.0.1:{secure}/")).text == "secure https"


async def test_a_request_that_runs_at_the_stop_finishes_and_a_new_one_is_not_taken() -> None:
    port = free_port()
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await may_end.wait()
        await PlainTextResponse("finished")(scope, receive, send)

    async with httpx.AsyncClient(**PATIENT) as client:
        async with asyncio.timeout(60):
            async with serving(Door(slow, "127.0.0.1", port), stop_within_seconds=5):
                answer = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
                await begun.wait()
                asyncio.get_running_loop().call_later(0.2, may_end.set)
        assert (await answer).text == "finished"
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_a_request_that_never_ends_does_not_hold_up_the_stop_for_ever() -> None:
    port = free_port()
    begun = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with httpx.AsyncClient(**PATIENT) as client, asyncio.timeout(60):
        async with serving(Door(endless, "127.0.0.1", port), stop_within_seconds=0.2):
            answer = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await begun.wait()
            left = time.monotonic()
        assert time.monotonic() - left < 20  # far below the 30 s of the setting
        answer.cancel()
        await asyncio.wait([answer])


async def test_an_address_that_is_taken_is_named() -> None:
    port = free_port()
    async with serving(Door(saying("first"), "127.0.0.1", port), stop_within_seconds=5):
        with pytest.raises(AddressTaken, match=str(port)):
            async with serving(Door(saying("second"), "127.0.0.1", port), stop_within_seconds=5):
                pass


async def test_two_that_share_a_port_both_answer_and_one_that_stops_leaves_it_to_the_other() -> None:
    """ALL-8: more cores of one machine are more nodes behind one address."""
    port = free_port()
    first, second = (Door(saying(words), "127.0.0.1", port, is_shared=True) for words in ("first", "second"))

    async def told() -> str:
        async with httpx.AsyncClient(**PATIENT) as client:  # a connection of its own each time
            return (await client.get(f"http://127.0.0.1:{port}/")).text

    async with asyncio.timeout(60), serving(first, stop_within_seconds=5):
        async with serving(second, stop_within_seconds=5):
            heard = set()
            while len(heard) < 2:
                heard.add(await told())
        assert {await told() for _ in range(20)} == {"first http"}
        with pytest.raises(AddressTaken):
            async with serving(Door(saying("alone"), "127.0.0.1", port), stop_within_seconds=5):
                pass


async def test_who_does_not_share_a_port_is_not_joined_there() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(AddressTaken, match=str(port)):
        async with serving(Door(saying("x"), "127.0.0.1", port, is_shared=True), stop_within_seconds=5):
            pass


async def test_the_same_port_can_be_opened_again_after_a_stop() -> None:
    port = free_port()
    for words in ("first", "second"):
        async with (
            serving(Door(saying(words), "127.0.0.1", port), stop_within_seconds=5),
            httpx.AsyncClient(**PATIENT) as c,
        ):
            assert (await c.get(f"http://127.0.0.1:{port}/")).text == f"{words} http"


async def test_connections_that_only_wait_keep_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALL-2: every browser on a login page holds a connection; a hospital's morning has hundreds of them."""
    monkeypatch.setattr(server, "HEADERS_WITHIN_MS", 3_600_000)
    port = free_port()
    async with serving(Door(saying("still here:"), "127.0.0.1", port), stop_within_seconds=5):
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        async with asyncio.timeout(60), httpx.AsyncClient(**PATIENT) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "still here: http"
        for _, writer in waiting:
            writer.close()
