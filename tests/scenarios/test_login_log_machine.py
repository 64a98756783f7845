"""Whatever is done to a login, in whatever order: each refusal has its code, the log tells each change, once.

A stateful property test beside `test_login_machine.py`, which holds the states to their table. Here hypothesis draws the
acts of two apps, two browsers and the clock; a small model, written after docs/desktop-protocol.md, foretells the code of each
refusal, what the log tells, and that only a completed login ever made a session (LOGIN-5, LOGIN-6, ALL-4, ALL-8, AUD-1).
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.clock import START, FakeClock
from tests.register_builders import audited
from tests.scenarios.machines import Run, T, live_all

from zorgid.audit.model import SYSTEM
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.secrets import Secret
from zorgid.login import actions as login
from zorgid.login import attaching, rules
from zorgid.login.errors import SessionUnknown
from zorgid.login.model import Begun, Means, MeansUsed, ProvedCard, Purpose, Shown
from zorgid.login.sessions import begin_session, session_for
from zorgid.login.setup import AppRequest, LoginSetup
from zorgid.protocol.app_key import AppKey, sign_request
from zorgid.storage.database import Mac, Origin, Work

ORIGIN = "https://id.example"
OPEN = {"new", "attached", "proved"}


async def _never(_: bytes) -> None:
    raise AssertionError


SETUP = LoginSetup(
    origin=ORIGIN,
    environment="demo",
    derive=lambda info, size: Secret(hmac.digest(b"key of the test", info, hashlib.sha256)[:size]),
    recognise_uzi_card=_never,
)


def uzi_card(number: int) -> ProvedCard:
    means = Means(MeansUsed.uzi_card, "00" * 32, str(900_000_000 + number), "90000382", "Sanne", "level")
    return ProvedCard(means, f"certificate {number}".encode(), None, "N", "00.000", "Sanne", "", "")


@dataclass
class App:
    """An app with its key, which counts its requests."""

    key: ec.EllipticCurvePrivateKey
    counter: int = 0
    last: AppRequest | None = None

    @property
    def app_key(self) -> AppKey:
        return AppKey.of(self.key.public_key())

    def request(self, path: str) -> AppRequest:
        self.counter += 1
        body = f"{path} {self.counter}".encode()
        signature = sign_request(
            self.key, origin=ORIGIN, method="POST", path=path, body=body, counter=self.counter
        )
        return AppRequest("POST", path, body, signature)


class LoginLife(RuleBasedStateMachine):
    """One transaction, the app that is to have it and another, the browser that began it and another."""

    def __init__(self, run: Run, clock: FakeClock) -> None:
        super().__init__()
        self.run = run
        self.clock = clock
        clock.set(START)

    @initialize(
        purpose=st.sampled_from([Purpose.login, Purpose.login, Purpose.make_card]),
        number=st.integers(0, 10**6),
    )
    def begin(self, purpose: Purpose, number: int) -> None:
        self.purpose = purpose
        self.card = uzi_card(number)
        self.apps = {name: App(ec.generate_private_key(ec.SECP256R1())) for name in ("own", "other")}
        self.state = "new"
        self.attached_by: str | None = None
        self.code_until: datetime | None = None
        self.code: Secret | None = None
        self.answer: object = None
        self.cookie: Secret | None = None
        self.alarms = 0
        self.begun = self.run(self._begin)
        self.elsewhere: Begun = self.run(self._begin)
        self.told: Counter[str] = Counter(["login-begun"])

    async def _begin(self, work: Work) -> Begun:
        return await login.begin_transaction(
            work, SETUP, purpose=self.purpose, shown=Shown("Demo-HIS", "demo-his"), return_to="/next"
        )

    # --- The model ----------------------------------------------------------------------------------------------

    @property
    def is_in_time(self) -> bool:
        return self.clock() < self.begun.expires_at

    def attempt(self, act: Callable[[Work], Awaitable[T]], *refusals: str) -> T | None:
        """Do it. It must be refused with one of the codes, or succeed when none is foretold."""
        try:
            outcome = self.run(act)
        except Refusal as refused:
            code = refused.code
        else:
            assert not refusals, (refusals, self.state)
            return outcome
        assert code in refusals, (code, refusals, self.state)
        return None

    def abort(self) -> None:
        if self.state in {"attached", "proved"}:
            self.state = "aborted"
            self.told["login-aborted"] += 1

    # --- The app ------------------------------------------------------------------------------------------------

    @rule(by=st.sampled_from(["own", "own", "other"]))
    def attach(self, by: str) -> None:
        app = self.apps[by]
        incoming = app.request("/attach")
        if not self.is_in_time and self.state != "completed":
            expected = ["login-expired"]
        elif self.state not in {"new", "attached"}:
            expected = ["login-not-open"]
        else:
            expected = [] if self.attached_by in {None, by} else ["login-attached-elsewhere"]

        async def act(work: Work) -> object:
            return await attaching.attach(
                work, SETUP, incoming=incoming, handle=self.begun.handle, app_key=app.app_key
            )

        answer = self.attempt(act, *expected)
        if expected == ["login-attached-elsewhere"]:
            self.abort()
        if answer is None:
            return
        assert self.answer in {None, answer}
        if self.state == "new":
            self.told["login-attached"] += 1
            self.state, self.attached_by, self.answer = "attached", by, answer

    def _accepted(self, by: str) -> list[str]:
        """Why a request of an app is refused, whatever it asks."""
        if not self.is_in_time and self.state != "completed":
            return ["login-expired"]
        return [] if self.attached_by == by else ["app-signature-wrong"]

    @rule(
        by=st.sampled_from(["own", "own", "own", "other"]),
        is_same_card=st.sampled_from([True, True, True, False]),
    )
    def prove(self, by: str, is_same_card: bool) -> None:
        app, card = self.apps[by], self.card if is_same_card else uzi_card(10**7)
        incoming = app.request("/prove")
        expected = self._accepted(by)
        is_repeat = self.state == "proved" and card.certificate_der == self.proved_by
        if not expected and self.state != "attached" and not is_repeat:
            expected = ["login-not-open"]

        async def act(work: Work) -> Secret:
            transaction = await attaching.attached_transaction(
                work, SETUP, incoming=incoming, handle=self.begun.handle
            )
            rules.next_state(transaction.state, rules.Act.prove)
            return await login.record_proof(work, SETUP, transaction=transaction, proved=card)

        code = self.attempt(act, *expected)
        if code is None:
            return
        assert self.code in {None, code}
        if self.state == "attached":
            self.told["login-proved"] += 1
            self.state, self.code, self.proved_by = "proved", code, card.certificate_der
            self.code_until = min(self.clock() + timedelta(seconds=60), self.begun.expires_at)

    proved_by: bytes | None = None

    @rule(by=st.sampled_from(["own", "own", "other"]))
    def cancel_in_the_app(self, by: str) -> None:
        incoming = self.apps[by].request("/cancel")
        expected = self._accepted(by)
        if not expected and self.state not in {"new", "attached", "cancelled"}:
            expected = ["login-not-open"]

        async def act(work: Work) -> bool:
            transaction = await attaching.attached_transaction(
                work, SETUP, incoming=incoming, handle=self.begun.handle
            )
            await login.cancel(work, transaction=transaction, by=SYSTEM)
            return True

        if self.attempt(act, *expected):
            self._cancelled()

    def _cancelled(self) -> None:
        if self.state != "cancelled":
            self.told["login-cancelled"] += 1
        self.state = "cancelled"

    @precondition(lambda self: self.attached_by is not None)
    @rule()
    def replay_an_old_request(self) -> None:
        """The first counter again, with another body."""
        app = self.apps[self.attached_by]
        app.counter -= 1
        app.counter = max(app.counter, 1)
        before = app.counter
        app.counter = 0
        incoming = app.request("/state")
        app.counter = before + 1
        expected = self._accepted(self.attached_by) or ["app-request-replayed"]

        async def act(work: Work) -> object:
            return await attaching.attached_transaction(
                work, SETUP, incoming=incoming, handle=self.begun.handle
            )

        self.attempt(act, *expected)

    # --- The browser --------------------------------------------------------------------------------------------

    @rule(
        browser=st.sampled_from(["own", "own", "own", "other", "none"]),
        is_right=st.sampled_from([True, True, True, False]),
    )
    def complete(self, browser: str, is_right: bool) -> None:
        cookie = {"own": self.begun.cookie, "other": self.elsewhere.cookie, "none": None}[browser]
        code = self.code if is_right and self.code else Secret(bytes(32))
        is_good = self.state == "proved" and code == self.code and self.clock() < (self.code_until or START)
        if browser != "own":
            expected = ["login-other-browser"]
        else:
            expected = [] if is_good else ["login-completion-wrong"]

        async def act(work: Work) -> Secret | bool:
            completed = await login.complete(work, cookie=cookie, handle=self.begun.handle, code=code)
            assert completed.purpose is self.purpose
            assert completed.return_to == "/next"
            if completed.purpose is not Purpose.login:
                return True
            _, session = await begin_session(work, completed, former=None)
            return session

        done = self.attempt(act, *expected)
        if done is None:
            if browser != "own" or self.state == "proved":
                self.abort()
            return
        self.told["login-completed"] += 1
        self.state = "completed"
        self.cookie = done if isinstance(done, Secret) else None

    @rule()
    def cancel_in_the_browser(self) -> None:
        expected = [] if self.state in {"new", "attached", "cancelled"} else ["login-not-open"]

        async def act(work: Work) -> bool:
            transaction = await login.transaction_of_browser(work, self.begun.cookie, lock=True)
            await login.cancel(work, transaction=transaction, by=SYSTEM)
            return True

        if self.attempt(act, *expected):
            self._cancelled()

    @rule()
    def use_the_proof_for_an_act_that_it_was_not_for(self) -> None:
        async def act(work: Work) -> object:
            transaction = await login.transaction_of_browser(work, self.begun.cookie)
            return login.completed_proof(transaction, Purpose.validate_organisation, now=work.now)

        self.attempt(act, "login-not-open")

    # --- Time ---------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 20, 59, 60, 61, 120, 299, 300]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        self.run(login.sweep)
        late = self.code_until is not None and self.clock() >= self.code_until
        if late and self.state in {"proved", "aborted"} and not self.alarms:
            self.alarms = 1
            self.told["login-not-completed"] += 1
        if (late and self.state == "proved") or (not self.is_in_time and self.state in {"new", "attached"}):
            self.state = "expired"

    # --- What must hold -----------------------------------------------------------------------------------------

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        found = self.run(lambda work: login.transaction_of_browser(work, self.begun.cookie))
        assert found.state == self.state
        assert (found.app_key is not None) == (self.attached_by is not None)
        assert (found.person_id is not None) == (self.state == "completed")
        assert (found.proved is not None) == (self.code is not None)
        shown = rules.state_at(found, now=self.clock())
        is_late = not self.is_in_time or (
            self.state == "proved" and self.code_until is not None and self.clock() >= self.code_until
        )
        assert shown == ("expired" if self.state in OPEN and is_late else self.state)

    @invariant()
    def the_log_tells_every_change_and_nothing_else(self) -> None:
        entries = self.run(lambda work: audited(work, self.begun.transaction_id))
        assert Counter(event for event, _, _ in entries) == self.told

    @invariant()
    def a_session_is_made_by_a_completed_login_alone(self) -> None:
        if self.cookie is None:
            assert self.state != "completed" or self.purpose is not Purpose.login
            return
        assert self.state == "completed"
        assert self.purpose is Purpose.login
        assert not isinstance(self.run(self._session), SessionUnknown)

    async def _session(self, work: Work) -> object:
        try:
            return await session_for(work, self.cookie, touch=False)
        except SessionUnknown as unknown:
            return unknown
        except Refusal as ended:
            return ended

    @invariant()
    def the_other_transaction_is_left_alone(self) -> None:
        found = self.run(lambda work: login.transaction_of_browser(work, self.elsewhere.cookie))
        assert found.state in {"new", "expired"}


def test_whatever_is_done_to_a_login_is_refused_by_name_or_told_in_the_log(
    database_url: str, clock: FakeClock, origin: Origin, random_source: RandomSource, audit_mac: Mac
) -> None:
    """LOGIN-5, LOGIN-6, ALL-4, ALL-8, AUD-1."""
    live_all(
        LoginLife,
        lives=40,
        steps=25,
        database_url=database_url,
        clock=clock,
        origin=origin,
        random_source=random_source,
        audit_mac=audit_mac,
    )
