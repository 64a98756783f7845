"""The operator's log: one JSON line per event on standard error, without personal data or secrets (ALL-4).

What may be written is decided by type, not by search: plain values are written, a refusal gives its loggable
facts, an exception its type and where it happened but not its text, and everything else no more than the name
of its type. So a PIN, key, token or handle, which have types of their own, cannot get through; what people
typed is never handed in. Every line carries the id of its request. The log for proof is another one:
`zorgid.audit`.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from enum import Enum
from typing import Any, Final, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from zorgid.kernel.errors import Fault, Refusal

OURS: Final = "zorgid"
"""Loggers below this name are ours.

Foreign ones are heard from warnings on: httpx tells whole addresses below that.
"""

DEEPEST_FRAMES: Final = 12
"""Frames of a trace that are written; the deepest ones tell where it broke."""

LONGEST_CHAIN: Final = 5
"""Exceptions of one chain of causes that are written."""


def configure_logs(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of this process, also those of libraries, to `stream` (standard error) as JSON.

    `level` is the least weight of our own lines: debug, info, warning or error. Called once, at the start of
    a command.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.ExtraAdder(),
                *NAMING,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                tell_exception,
                only_what_may_be_written,
                structlog.processors.JSONRenderer(serializer=_as_json),
            ],
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *NAMING,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    logging.raiseExceptions = False  # its complaint about a line would print the values of that line


NAMING: Final[Sequence[Processor]] = (
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)
"""What every line says of itself: which part wrote it, how heavy, when."""


def route_of(scope: Mapping[str, Any]) -> str:
    """Return the pattern of the address that was asked, such as `/cards/{number}`; no values, no query."""
    route = getattr(scope.get("route"), "path", None)
    return route if isinstance(route, str) else "unmatched"


def tell_exception(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    """Replace `exc_info` by what may be told of the exception."""
    del logger, name
    line.pop("stack_info", None)  # quotes lines of source
    exc_info = line.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        line["exception"] = _told(error, LONGEST_CHAIN)
    return line


def _told(error: BaseException, left: int) -> dict[str, Any]:
    """Return type, place and causes of an exception.

    Its text may quote a row or an address: only a `Fault`'s is told.
    """
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, Refusal):
        told["refusal"] = error
    if isinstance(error, Fault):
        told["text"] = str(error)
    if isinstance(sqlstate := getattr(error, "sqlstate", None), str):
        told["sqlstate"] = sqlstate
    told["frames"] = _frames(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause and left > 1:
        told["cause"] = _told(cause, left - 1)
    if isinstance(error, BaseExceptionGroup) and left > 1:
        told["parts"] = [_told(part, left - 1) for part in error.exceptions[:LONGEST_CHAIN]]
    return told


def _frames(error: BaseException) -> list[str]:
    """Return where it happened, the deepest frame last; no source lines and no values."""
    found = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    return [
        f"{frame.f_globals.get('__name__', '?')}:{number} {frame.f_code.co_name}"
        for frame, number in found[-DEEPEST_FRAMES:]
    ]


def only_what_may_be_written(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    """Replace everything that is not plain by what may be told of it.

    The last net before the line is written.
    """
    del logger, name
    return {str(key): _plain(value) for key, value in line.items()}


def _plain(value: object) -> Any:  # noqa: PLR0911 - one line per kind of value reads best
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Refusal():
            return {"code": value.code} | {
                name: _plain(fact) for name, fact in value.loggable_facts().items()
            }
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case bytes() | bytearray() | memoryview():
            return f"<{type(value).__name__}>"
        case Sequence() | AbstractSet():
            return [_plain(item) for item in value]
    return f"<{type(value).__name__}>"


def _as_json(line: Any, **options: Any) -> str:
    del options  # nothing but plain values comes here, so nothing needs a fallback
    return json.dumps(line, ensure_ascii=False)
