"""Whatever browsers, apps and time do to a login, in whatever order, its state is what the table says.

A stateful property test: hypothesis draws who does what, a small model foretells each outcome, and after every step
the real database is compared with it (LOGIN-5, ALL-4, ALL-8; docs/desktop-protocol.md).
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

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
from tests.scenarios.machines import Run, T, live_all

from zorgid.audit.model import SYSTEM
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import RandomSource
from zorgid.kernel.secrets import Secret
from zorgid.login import actions, attaching, rules
from zorgid.login.model import Means, MeansUsed, ProvedCard, Purpose, Shown
from zorgid.login.setup import AppRequest, LoginSetup
from zorgid.pki.recognise import RecognisedUziCard
from zorgid.protocol.app_key import AppKey, sign_request
from zorgid.protocol.messages import TransactionState
from zorgid.storage.database import Mac, Origin, Work

S = TransactionState
PATH = "/desktop/v1/step"


async def no_register(_: bytes) -> RecognisedUziCard:
    raise AssertionError("the cards of this test are proved already")


SETUP = LoginSetup(
    origin="https://id.example",
    environment="demo",
    derive=lambda info, size: Secret(hashlib.sha256(info).digest()[:size]),
    recognise_uzi_card=no_register,
)


def card(number: int) -> ProvedCard:
    means = Means(MeansUsed.uzi_card, f"{number:064x}", f"90000020{number}", "90000382", "Sanne", "high")
    return ProvedCard(means, b"certificate %d" % number, None, "N", "00.000", "Sanne", "S.", "De Linde")


@dataclass
class App:
    """An app key and the number of its last request."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0

    @property
    def public(self) -> AppKey:
        return AppKey.of(self.key.public_key())

    def request(self, *, is_again: bool = False) -> AppRequest:
        self.counter += 0 if is_again else 1
        signed = sign_request(
            self.key, origin=SETUP.origin, method="POST", path=PATH, body=b"", counter=self.counter
        )
        return AppRequest("POST", PATH, b"", signed)


class LoginLife(RuleBasedStateMachine):
    """One login transaction, the browser that began it and another, two apps, two cards."""

    def __init__(self, run: Run, clock: FakeClock) -> None:
        super().__init__()
        self.run = run
        self.clock = clock
        clock.set(START)

    @initialize(done_already=st.sampled_from([0, 1, 2, 2, 2]))
    def begin(self, done_already: int) -> None:
        async def act(work: Work) -> tuple[object, object]:
            begun = [
                await actions.begin_transaction(
                    work, SETUP, purpose=Purpose.login, shown=Shown("Portaal"), return_to="/portal"
                )
                for _ in range(2)
            ]
            return begun[0], begun[1]

        self.begun, self.elsewhere = self.run(act)
        self.state = S.new
        self.apps = [App(), App()]
        self.bound: int | None = None
        self.proved: int | None = None
        self.code_until = self.begun.expires_at
        self.completions = 0
        if done_already > 0:
            self.attached_by(0)
        if done_already > 1:
            self.proved_by(0, 1)

    def attempt(self, act: Callable[[Work], Awaitable[T]], *, foretold: bool) -> T | None:
        try:
            outcome = self.run(act)
        except Refusal:
            if foretold:
                raise
            return None
        assert foretold
        return outcome

    @property
    def is_in_time(self) -> bool:
        return self.state is S.completed or self.clock() < self.begun.expires_at

    def may(self, act: rules.Act) -> bool:
        return (self.state, act) in rules.TRANSITIONS

    def move(self, act: rules.Act) -> None:
        self.state = rules.TRANSITIONS[self.state, act]

    @rule(who=st.sampled_from([0, 0, 0, 1]))
    def attach(self, who: int) -> None:
        self.attached_by(who)

    def attached_by(self, who: int) -> None:
        app = self.apps[who]
        is_other = self.bound not in {None, who}
        may = self.is_in_time and self.may(rules.Act.attach)
        self.attempt(
            lambda work: attaching.attach(
                work, SETUP, incoming=app.request(), handle=self.begun.handle, app_key=app.public
            ),
            foretold=may and not is_other,
        )
        if may and is_other:
            self.move(rules.Act.abort)
        elif may:
            self.move(rules.Act.attach)
            self.bound = who

    @precondition(lambda self: self.bound is not None)
    @rule(who=st.sampled_from([0, 0, 0, 1]), with_card=st.sampled_from([1, 1, 2]), is_again=st.booleans())
    def prove(self, who: int, with_card: int, is_again: bool) -> None:
        self.proved_by(who, with_card, is_again=is_again)

    def proved_by(self, who: int, with_card: int, *, is_again: bool = False) -> None:
        app = self.apps[who]
        is_same = self.proved in {None, with_card}
        may = self.is_in_time and who == self.bound and self.may(rules.Act.prove) and is_same

        async def act(work: Work) -> Secret:
            asked = await attaching.attached_transaction(
                work, SETUP, incoming=app.request(is_again=is_again), handle=self.begun.handle
            )
            rules.next_state(asked.state, rules.Act.prove)
            return await actions.record_proof(work, SETUP, transaction=asked, proved=card(with_card))

        code = self.attempt(act, foretold=may)
        if code is None:
            return
        assert code == SETUP.completion_code_of(self.begun.transaction_id)
        if self.proved is None:
            self.code_until = min(self.clock() + timedelta(seconds=60), self.begun.expires_at)
        self.move(rules.Act.prove)
        self.proved = with_card

    @rule(is_own=st.sampled_from([True, True, True, False]), is_right=st.sampled_from([True, True, False]))
    def complete(self, is_own: bool, is_right: bool) -> None:
        code = SETUP.completion_code_of(self.begun.transaction_id) if is_right else Secret(bytes(32))
        cookie = self.begun.cookie if is_own else self.elsewhere.cookie
        may = is_own and is_right and self.state is S.proved and self.clock() < self.code_until
        done = self.attempt(
            lambda work: actions.complete(work, cookie=cookie, handle=self.begun.handle, code=code),
            foretold=may,
        )
        if done is not None:
            self.completions += 1
            assert done.proved == card(self.proved or 0)
            self.move(rules.Act.complete)
        elif self.may(rules.Act.abort) and (not is_own or self.state is S.proved):
            self.move(rules.Act.abort)

    @precondition(lambda self: self.state in {S.new, S.attached, S.proved, S.completed})
    @rule(is_meant=st.sampled_from([True, False, False, False]))
    def cancel(self, is_meant: bool) -> None:
        if not is_meant:
            return
        may = self.may(rules.Act.cancel)

        async def act(work: Work) -> None:
            asked = await actions.transaction_of_browser(work, self.begun.cookie, lock=True)
            await actions.cancel(work, transaction=asked, by=SYSTEM)

        self.attempt(act, foretold=may)
        if may:
            self.move(rules.Act.cancel)

    @rule(seconds=st.sampled_from([1, 5, 20, 59, 100]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        self.run(actions.sweep)
        ends_at = self.code_until if self.state is S.proved else self.begun.expires_at
        if self.may(rules.Act.expire) and self.clock() >= ends_at:
            self.move(rules.Act.expire)

    @invariant()
    def the_database_is_what_was_foretold(self) -> None:
        if not hasattr(self, "begun"):
            return
        found = self.run(lambda work: actions.transaction_of_browser(work, self.begun.cookie))
        assert found.state is self.state
        assert (found.app_key is None) == (self.bound is None)
        assert (found.proved is None) == (self.proved is None)
        assert self.completions == (1 if self.state is S.completed else 0)
        assert (found.completed_at is None) == (found.person_id is None) == (self.completions == 0)

    @invariant()
    def only_a_completed_proof_counts_and_for_its_purpose_only(self) -> None:
        if not hasattr(self, "begun"):
            return
        found = self.run(lambda work: actions.transaction_of_browser(work, self.begun.cookie))
        for purpose in Purpose:
            try:
                actions.completed_proof(found, purpose, now=self.clock())
            except Refusal:
                continue
            assert (purpose, self.state) == (Purpose.login, S.completed)


def test_whatever_is_done_to_a_login_its_state_is_what_the_table_says(
    database_url: str, clock: FakeClock, origin: Origin, random_source: RandomSource, audit_mac: Mac
) -> None:
    live_all(
        LoginLife,
        lives=60,
        steps=20,
        database_url=database_url,
        clock=clock,
        origin=origin,
        random_source=random_source,
        audit_mac=audit_mac,
    )
