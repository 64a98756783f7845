"""The operator's log tells what happened, where and in which request, and nothing that is secret or personal (ALL-4)."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from cardkit.secrets import Pin
from zorgid.kernel.errors import Fault, Refusal
from zorgid.kernel.secrets import Secret
from zorgid.logs import configure_logs, route_of
from zorgid.web.middleware import Named

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was written since the test began; afterwards logging is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("zorgid")
    before = (root.handlers, root.level, ours.level, logging.raiseExceptions)
    written = io.StringIO()
    configure_logs(stream=written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level, ours.level, logging.raiseExceptions = before
    structlog.reset_defaults()


class Colour(StrEnum):
    red = "rood"


class CardHeld(Refusal):
    """For this test."""

    code = "card-held"
    personal = frozenset({"holder"})


def test_a_line_is_json_with_weight_time_part_and_request_id(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="R-1"):
        structlog.get_logger("zorgid.web").info("request", status=200, spent_ms=1.5)
    [line] = lines()
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "zorgid.web",
        "request_id": "R-1",
        "status": 200,
        "spent_ms": 1.5,
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Colour.red, "rood"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (timedelta(seconds=2), 2.0),
        ([1, "a", {"b": None}], [1, "a", {"b": None}]),
        (b"123456", "<bytes>"),
        (Secret(b"handle"), "<Secret>"),
        (Pin("123456"), "<Pin>"),
        (Ed25519PrivateKey.generate(), "<Ed25519PrivateKey>"),
        (object(), "<object>"),
        ({"deep": [Pin("123456")]}, {"deep": ["<Pin>"]}),
        (CardHeld(holder="De Vries", card="c-1"), {"code": "card-held", "card": "c-1"}),
    ],
)
def test_only_plain_values_are_written(value: object, written: object, lines: Lines) -> None:
    structlog.get_logger("zorgid").warning("seen", value=value)
    assert lines()[0]["value"] == written


def break_the_database() -> None:
    error = psycopg.errors.UniqueViolation("Key (name)=(De Vries) already exists")
    raise OSError("/home/devries/pin=123456") from error


def test_an_exception_tells_where_it_happened_and_not_what_it_quotes(lines: Lines) -> None:
    try:
        break_the_database()
    except OSError:
        structlog.get_logger("zorgid").exception("fault")
    [line] = lines()
    assert line["exception"]["type"] == "builtins.OSError"
    assert line["exception"]["frames"][-1].endswith("break_the_database")
    assert line["exception"]["cause"]["type"] == "psycopg.errors.UniqueViolation"
    assert line["exception"]["cause"]["sqlstate"] == "23505"
    assert "ries" not in json.dumps(line)
    assert "123456" not in json.dumps(line)


def test_a_fault_tells_its_text_and_a_refusal_its_loggable_facts(lines: Lines) -> None:
    for error in [Fault("disk full"), CardHeld(holder="De Vries", card="c-1")]:
        structlog.get_logger("zorgid").error("fault", exc_info=error)
    fault, refusal = (line["exception"] for line in lines())
    assert fault["text"] == "disk full"
    assert refusal["refusal"] == {"code": "card-held", "card": "c-1"}


def test_the_parts_of_a_group_are_told(lines: Lines) -> None:
    group = ExceptionGroup("many", [ValueError("De Vries"), ExceptionGroup("deep", [KeyError("x")])])
    structlog.get_logger("zorgid").error("fault", exc_info=group)
    parts = lines()[0]["exception"]["parts"]
    assert [part["type"] for part in parts] == ["builtins.ValueError", "builtins.ExceptionGroup"]


def test_an_endless_chain_of_causes_is_cut(lines: Lines) -> None:
    error = ValueError()
    error.__cause__ = error
    structlog.get_logger("zorgid").error("fault", exc_info=error)
    assert len(lines()) == 1


def test_foreign_libraries_are_heard_from_warnings_on_in_the_same_form(lines: Lines) -> None:
    logging.getLogger("httpx").info("GET https://example.nl/?code=secret")
    with structlog.contextvars.bound_contextvars(request_id="R-1"):
        logging.getLogger("psycopg.pool").warning("slow: %s", 3, extra={"pool": "main", "key": b"x"})
    [line] = lines()
    assert (line["event"], line["logger"], line["request_id"]) == ("slow: 3", "psycopg.pool", "R-1")
    assert (line["pool"], line["key"]) == ("main", "<bytes>")


def test_our_own_lines_through_the_standard_library_are_heard_from_the_level_on(lines: Lines) -> None:
    logging.getLogger("zorgid.storage.listener").info("connected")
    logging.getLogger("zorgid.storage.listener").debug("asked")
    assert [line["event"] for line in lines()] == ["connected"]


def test_what_strangers_send_cannot_begin_a_line_of_its_own(lines: Lines) -> None:
    structlog.get_logger("zorgid").info("seen", value='a\n{"event": "forged"}\r\x00')
    assert len(lines()) == 1


def test_an_address_is_told_by_its_pattern() -> None:
    scope = {
        "path": "/cards/12345",
        "query_string": b"code=x",
        "route": SimpleNamespace(path="/cards/{number}"),
    }
    assert route_of(scope) == "/cards/{number}"
    assert route_of({"path": "/typed-by-someone"}) == "unmatched"


async def test_a_request_gives_one_line_with_the_pattern_of_its_address_only(lines: Lines) -> None:
    """No query string, no value in the path, no address of the caller."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    routes = Router([Route("/cards/{number}", answer)])
    around = SimpleNamespace(node="n", trusted_proxies=(), random=bytes)
    transport = httpx.ASGITransport(Named(routes, around))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/cards/S-12345?code=very-secret")
        await client.get("/typed-by-someone")
    known, unknown = lines()
    assert isinstance(known.pop("spent_ms"), float)
    assert known.pop("request_id") == response.headers["x-request-id"]
    known.pop("at")
    assert known == {
        "event": "request",
        "level": "info",
        "logger": "zorgid.web",
        "method": "GET",
        "route": "/cards/{number}",
        "status": 200,
    }
    assert (unknown["route"], unknown["status"]) == ("unmatched", 404)
