"""The calls to the platform: one connection, one app key, every request signed and counted.

A request whose answer was lost is sent again as it was, under the same counter: the platform gives the same
answer (ALL-8). Nothing of a request or answer is logged.
"""

from types import TracebackType
from typing import Final, Self, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from zorgid.kernel.sentences import Language
from zorgid.protocol.app_key import HEADER, AppKey, sign_request
from zorgid.protocol.context import Message
from zorgid.protocol.messages import API, Problem
from zorgid_desktop.refused import PlatformRefused, PlatformUnreachable, told, unanswered

__all__ = ["Platform", "PlatformRefused", "PlatformUnreachable", "told"]

TRIES: Final = 3
"""How often a request is sent while no answer comes."""
TIMEOUT_SECONDS: Final = 40.0
"""Longer than the platform holds back an answer on purpose."""

Answer = TypeVar("Answer", bound=Message)


class Platform:
    """One flow's conversation with the platform. Use it as a context manager."""

    def __init__(
        self, origin: str, *, language: Language = Language.nl, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.origin = origin
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._counter = 0
        self._client = httpx.Client(
            base_url=origin,
            timeout=TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
            headers={"Accept": "application/json", "Accept-Language": language},
        )

    @property
    def app_key(self) -> AppKey:
        """The public half of this flow's key."""
        return AppKey.of(self._key.public_key())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def call(self, path: str, message: Message, answer: type[Answer]) -> Answer:
        """Send a signed message to `path` under the API and return the answer.

        Raises:
            PlatformRefused: the platform said no.
            PlatformUnreachable: nothing, or nonsense, came back.
        """
        self._counter += 1
        response = self._send(API + path, message.model_dump_json().encode("utf-8"))
        try:
            if response.is_success:
                return answer.model_validate_json(response.content)
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            raise PlatformUnreachable from None
        raise PlatformRefused(problem)

    def _send(self, path: str, body: bytes) -> httpx.Response:
        signature = sign_request(
            self._key, origin=self.origin, method="POST", path=path, body=body, counter=self._counter
        )
        headers = {HEADER: signature.header(), "Content-Type": "application/json"}
        for left in reversed(range(TRIES)):
            try:
                return self._client.post(path, content=body, headers=headers)
            except httpx.RequestError:
                if not left:
                    raise unanswered(self.origin) from None
        raise AssertionError
