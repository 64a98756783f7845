"""Lets those who ask for the same act at the same time share one work: its round trips and its commit.

Nobody waits for company: the first who asks begins a work at once, and whoever asks while one runs is taken
along by the next. What each of them is told is as true as with a work of their own; `Together.ask` says how.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from zorgid.kernel.errors import Fault, Refusal
from zorgid.storage.database import Database, Origin, Work

MOST_TOGETHER: Final = 32
"""How many share one work: enough for one commit to cost each of them next to nothing."""

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Stopped(Fault):
    """The platform stopped while the work ran; whether it was committed is not known."""


@dataclass(frozen=True)
class Part(Generic[Asked]):
    """What one of them asks. The works of all parts are one transaction; each has the origin of its own."""

    work: Work
    asked: Asked


Act = Callable[[Sequence[Part[Asked]]], Awaitable[Sequence[Answer | Refusal]]]
"""Does what all parts ask, each as if those before it in the row had been done, and answers each.

A refusal that concerns one part is answered, not raised: what was written for that part is committed with the
rest. So it keeps what it wrote on purpose (`Refusal.keeps_changes`), or it has written nothing.
"""


@dataclass(frozen=True)
class _Waiting(Generic[Asked, Answer]):
    origin: Origin
    asked: Asked
    answer: "asyncio.Future[Answer]"


class Together(Generic[Asked, Answer]):
    """Does one act for all who ask for it, in works that they share."""

    def __init__(self, database: Database, act: Act[Asked, Answer], *, most: int = MOST_TOGETHER) -> None:
        self._database = database
        self._act = act
        self._most = most
        self._waiting: deque[_Waiting[Asked, Answer]] = deque()
        self._rounds: asyncio.Task[None] | None = None

    async def ask(self, origin: Origin, asked: Asked) -> Answer:
        """Return the answer, after the commit of the work in which it was given.

        When a work fails before its commit, nothing of it was kept, and each of its parts is done once more
        in a work of its own: one that cannot be done harms no other. When the commit itself fails, what
        became of it is not known, nothing is done again, and all are told of the fault. When no work can
        begin, the database is away and all who wait are told at once. Who is cancelled before the work
        begins never took part; later it is done as for somebody who hung up before the answer came.

        Raises:
            Refusal: that of this part.
            Stopped: see there.
            Exception: what broke the work.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(origin, asked, answer))
        if self._rounds is None or self._rounds.done():
            # in a context of nobody's: a line in the log names no request rather than that of another
            self._rounds = asyncio.create_task(self._work_off(), name="shared works", context=Context())
        return await answer

    async def _work_off(self) -> None:
        while taken := self._take():
            try:
                await self._do(taken)
            except asyncio.CancelledError:
                _tell_fault([*taken, *self._waiting], Stopped("the platform stopped"))
                raise
            except BaseException as end:  # such as the system's wish to exit: nobody may wait for ever
                _tell_fault([*taken, *self._waiting], end)
                raise

    def _take(self) -> Sequence[_Waiting[Asked, Answer]]:
        """Return who takes part in the next work, first come first; who was cancelled is passed over."""
        taken: list[_Waiting[Asked, Answer]] = []
        while self._waiting and len(taken) < self._most:
            if not (one := self._waiting.popleft()).answer.done():
                taken.append(one)
        return taken

    async def _do(self, taken: Sequence[_Waiting[Asked, Answer]]) -> bool:
        """Do one work for all who were taken, and tell each what came of it; false when none could begin."""
        has_begun = is_committing = False
        try:
            async with self._database.work(taken[0].origin) as work:
                has_begun = True
                answers = await self._act([Part(work.asked_from(one.origin), one.asked) for one in taken])
                answered = list(zip(taken, answers, strict=True))
                is_committing = True
        except Exception as fault:  # noqa: BLE001 - each of those who wait raises it
            if not has_begun:
                _tell_fault([*taken, *self._waiting], fault)
            elif is_committing or len(taken) == 1:
                _tell_fault(taken, fault)
            else:
                await self._do_each(taken, fault)
            return has_begun
        for one, answer in answered:
            _tell(one, answer)
        return True

    async def _do_each(self, taken: Sequence[_Waiting[Asked, Answer]], fault: Exception) -> None:
        """Do each by itself after a work that failed; when none can begin any more, tell the rest."""
        for one in taken:
            if not await self._do([one]):
                _tell_fault(taken, fault)
                return


def _tell(one: _Waiting[Asked, Answer], answer: Answer | Refusal) -> None:
    if one.answer.done():
        return
    if isinstance(answer, Refusal):
        one.answer.set_exception(answer)
    else:
        one.answer.set_result(answer)


def _tell_fault(those: Sequence[_Waiting[Asked, Answer]], fault: BaseException) -> None:
    for one in those:
        if not one.answer.done():
            one.answer.set_exception(fault)
