"""Whatever is done to a Smartcard, in whatever order, database, certificates, log and means stay what the table says.

A stateful property test: hypothesis draws acts and actors, a small model foretells each outcome, and after every step the
real database is compared with it (LIFE-2, LIFE-3, LIFE-11, CARD-4, CARD-9, CARD-15, AUD-1).
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.clock import START, FakeClock
from tests.register_builders import (
    active_card,
    actor,
    audited,
    certificate_statuses,
    issuing_card,
    known_person,
    person_with_role,
    registered_organisation,
)
from tests.scenarios.machines import Run, T, live_all

from zorgid.audit.model import SYSTEM
from zorgid.cards import actions as cards
from zorgid.cards import store
from zorgid.cards.model import Card, HoldId, HoldReason, RevocationReason
from zorgid.kernel.errors import Refusal
from zorgid.kernel.randomness import RandomSource
from zorgid.organisations.model import Organisation
from zorgid.people import actions as people
from zorgid.people.model import Person
from zorgid.roles.model import Role
from zorgid.storage.database import Mac, Origin, Work

URAS = count(10_000_000)

ACTORS = ("here", "there", "stranger", "holder", "support")
HOLDING = ("here", "there", "holder")
"""Who may hold and revoke a card that is linked here and there."""


class CardLife(RuleBasedStateMachine):
    """One card, linked to two organisations once it is active.

    What ends a card is tried at one step in four and a hold at the others, so that there is a life to end.
    """

    steps = 0

    def __init__(self, run: Run, clock: FakeClock) -> None:
        super().__init__()
        self.run = run
        self.clock = clock
        clock.set(START)

    @initialize(is_activated=st.sampled_from([True, True, True, False]))
    def begin(self, is_activated: bool) -> None:
        self.state = "issuing"
        self.holds: dict[str, HoldId] = {}
        self.told: Counter[tuple[str, str | None, str | None]] = Counter({("card-begun", None, "issuing"): 1})
        self.actors, self.organisations, self.card = self.run(self._begin)
        if is_activated:
            self.activate()

    async def _begin(self, work: Work) -> tuple[dict[str, Person], list[Organisation], Card]:
        # Drawn numbers would meet each other now and then: the lives of one run share a database.
        uras = [f"{next(URAS):08d}" for _ in range(3)]
        found = [await registered_organisation(work, ura=ura) for ura in uras]
        people_here = {
            "here": await person_with_role(work, Role.administrator, found[0].id),
            "there": await person_with_role(work, Role.manager, found[1].id),
            "stranger": await person_with_role(work, Role.manager, found[2].id),
            "support": await person_with_role(work, Role.support, None),
            "holder": await known_person(work),
        }
        return people_here, found, await issuing_card(work, people_here["holder"], found[0])

    def attempt(self, act: Callable[[Work], Awaitable[T]], *, foretold: bool) -> T | None:
        try:
            outcome = self.run(act)
        except Refusal:
            if foretold:
                raise
            return None
        assert foretold
        return outcome

    def move(self, event: str, state: str) -> None:
        self.told[event, self.state, state] += 1
        self.state = state

    @property
    def lives(self) -> bool:
        return self.state in {"active", "held"}

    @precondition(lambda self: self.state == "issuing" or self.steps % 4 == 3)
    @rule()
    def try_to_activate(self) -> None:
        self.activate()

    def activate(self) -> None:
        may = self.state == "issuing"
        holder = actor(self.actors["holder"])

        async def act(work: Work) -> None:
            await cards.activate_card(work, card_id=self.card.id, by=holder)
            await store.add_link(work, self.card.id, self.organisations[1].id)

        self.attempt(act, foretold=may)
        if may:
            self.told["card-linked", None, None] += 1
            self.move("card-activated", "active")

    @precondition(lambda self: self.steps % 4 == 3)
    @rule()
    def fail(self) -> None:
        may = self.state == "issuing"
        self.attempt(lambda work: cards.fail_card(work, card_id=self.card.id, by=SYSTEM), foretold=may)
        if may:
            self.move("card-failed", "failed")

    @precondition(lambda self: self.steps % 4 != 3)
    @rule(who=st.sampled_from([*HOLDING, *ACTORS]), is_asked=st.booleans())
    def hold(self, who: str, is_asked: bool) -> None:
        owner = "holder" if who == "support" else who
        may = self.lives and (who in HOLDING or (who == "support" and is_asked)) and owner not in self.holds
        hold = self.attempt(
            lambda work: cards.hold_card(
                work,
                card_id=self.card.id,
                reason=HoldReason.lost,
                by=actor(self.actors[who]),
                is_asked_by_holder=is_asked,
            ),
            foretold=may,
        )
        if hold:
            self.holds[owner] = hold.id
            self.move("card-held", "held")

    @precondition(lambda self: self.holds)
    @rule(who=st.sampled_from(["its owner", *ACTORS]), data=st.data())
    def release(self, who: str, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(sorted(self.holds)))
        who = owner if who == "its owner" else who
        may = self.lives and who in {owner, "support"}
        hold_id = self.holds[owner]
        self.attempt(
            lambda work: cards.release_hold(work, hold_id=hold_id, by=actor(self.actors[who])), foretold=may
        )
        if may:
            del self.holds[owner]
            self.move(
                "card-hold-lifted" if self.holds else "card-released", "held" if self.holds else "active"
            )

    @precondition(lambda self: self.steps % 4 == 3)
    @rule(who=st.sampled_from(ACTORS), is_asked=st.booleans())
    def revoke(self, who: str, is_asked: bool) -> None:
        may = self.lives and (who in HOLDING or (who == "support" and is_asked))
        self.attempt(
            lambda work: cards.revoke_card(
                work,
                card_id=self.card.id,
                reason=RevocationReason.lost,
                by=actor(self.actors[who]),
                is_asked_by_holder=is_asked,
            ),
            foretold=may,
        )
        if may:
            self.end("card-revoked", "revoked")

    @precondition(lambda self: self.lives and self.steps % 4 == 3)
    @rule()
    def replace(self) -> None:
        """CARD-15."""
        self.run(lambda work: active_card(work, self.actors["holder"], self.organisations[0]))
        self.end("card-revoked", "revoked")

    @precondition(lambda self: self.steps % 4 == 3)
    @rule(overdue_by=st.sampled_from([timedelta(0), timedelta(seconds=1)]))
    def sweep(self, overdue_by: timedelta) -> None:
        """CARD-6: the last second is still good."""
        self.clock.set(self.card.valid_until + overdue_by)
        self.run(cards.expire_cards)
        if self.lives and overdue_by:
            self.end("card-expired", "expired")
        self.clock.set(START)

    def end(self, event: str, state: str) -> None:
        self.ended_from = self.state
        self.holds.clear()
        self.move(event, state)

    @invariant()
    def the_database_is_what_the_table_says(self) -> None:
        self.steps += 1
        self.run(self._compare)

    async def _compare(self, work: Work) -> None:
        assert (await cards.card(work, self.card.id)).state == self.state
        assert {hold.id for hold in await cards.holds_of(work, self.card.id)} == set(self.holds.values())
        assert Counter(await audited(work, self.card.id)) - self.told == self._by_the_authority
        assert self.told <= Counter(await audited(work, self.card.id))
        [(status, _)] = await certificate_statuses(work, self.card)
        assert status == self._foretold_status
        taken = {one.reference for one in await people.reserved_means(work, self.actors["holder"].id)}
        assert (f"card:{self.card.id}" in taken) == (self.state == "issuing" or self.lives)
        try:
            await cards.require_active(work, self.card.id)
        except Refusal:
            assert self.state != "active"
        else:
            assert self.state == "active"

    @property
    def _foretold_status(self) -> str:
        before_expiry = {"active": "good", "held": "on_hold"}
        return {
            "issuing": "on_hold",
            **before_expiry,
            "failed": "revoked",
            "revoked": "revoked",
            "expired": before_expiry.get(getattr(self, "ended_from", ""), ""),
        }[self.state]

    @property
    def _by_the_authority(self) -> Counter[tuple[str, str | None, str | None]]:
        """What the certificate authority adds to the log: one line for each change between good and not good."""
        became: Counter[tuple[str, str | None, str | None]] = Counter()
        for (_, was, state), times in self.told.items():
            status = {"active": "good", "held": "on_hold", "failed": "revoked", "revoked": "revoked"}.get(
                state or ""
            )
            if status and was != state:
                became["certificate-status-changed", None, status] += times
        return became


def test_whatever_is_done_to_a_card_the_database_is_what_the_table_says(
    database_url: str, clock: FakeClock, origin: Origin, random_source: RandomSource, audit_mac: Mac
) -> None:
    """ROLE-6, LIFE-2, LIFE-3, LIFE-11, CARD-9, CARD-15, AUD-1."""
    live_all(
        CardLife,
        lives=40,
        steps=25,
        database_url=database_url,
        clock=clock,
        origin=origin,
        random_source=random_source,
        audit_mac=audit_mac,
    )
