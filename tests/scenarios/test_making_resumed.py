"""Ways in which a making goes on after a break, or ends for good, and what the person sees of it (CARD-8, CARD-9)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.scenarios.breaks import AppKilled, KilledAfterApdu
from tests.scenarios.checks import nothing_unfinished_is_good, one_good_card
from tests.scenarios.surviving import broken
from tests.scenarios.world import EMPLOYEE, Maker, Scenario, Weather

import cardkit.piv.use
from cardkit.card import Capability
from zorgid.issuance.actions import fail_one_expired
from zorgid_desktop.flow.asking import AskPin, Cancelled, ChoosePin, InsertCard, NewPin, Question, Wanted
from zorgid_desktop.flow.cards import FlowStopped
from zorgid_desktop.server import PlatformRefused

COLLEAGUE = "praktijkmanager-linde"
LOGIN = ["InsertCard", "AskPin"]
ALL_STEPS = [*LOGIN, "AskBirthDate", "InsertCard", "ChoosePin", "KeepPuk"]
KEPT, PROOF_TASK = "/desktop/v1/issuance/kept", "/desktop/v1/issuance/proof-task"
CERTIFICATES = "/desktop/v1/issuance/certificates"


@pytest.fixture(autouse=True)
def no_making_is_open(world: Scenario) -> None:
    """End what another test left off, whatever the order: each of these tests begins with a making of its own."""

    async def let_the_day_pass(work: Any) -> None:
        await work.connection.execute(
            "update issuance set expires_at = %s where step not in ('done', 'failed')", (work.now,)
        )

    world.in_work(let_the_day_pass)
    while world.in_work(fail_one_expired):
        pass


class At(Weather):
    """Kills the app before or after the first request to a path."""

    def __init__(self, *, before: str = "", after: str = "") -> None:
        self._before, self._after = before, after

    def before_request(self, path: str) -> None:
        if path == self._before:
            raise AppKilled

    def after_request(self, path: str, response: Any) -> None:
        if path == self._after:
            raise AppKilled


def left_off(world: Scenario, maker: Maker, weather: Weather) -> None:
    with pytest.raises(AppKilled):
        world.make(maker, weather)


def card_states(world: Scenario, blank: str, label: str = EMPLOYEE) -> list[str]:
    serial = blank.removeprefix("blank-")
    return [card["state"] for card in world.cards(label) if card["chip_serial"] == serial]


def certificate_states(world: Scenario, blank: str, label: str = EMPLOYEE) -> set[tuple[str, str]]:
    serial = blank.removeprefix("blank-")
    rows = world.certificates(label)
    return {(row["card_state"], row["status"]) for row in rows if row["chip_serial"] == serial}


def test_a_making_without_trouble_asks_each_thing_once(world: Scenario) -> None:
    maker = world.maker(EMPLOYEE, world.blank())
    world.make(maker)
    assert maker.asked == ALL_STEPS
    one_good_card(world, EMPLOYEE, maker)


def test_a_puk_that_was_not_confirmed_leads_to_an_emptied_card_and_another_puk(world: Scenario) -> None:
    blank = world.blank()
    first = world.maker(EMPLOYEE, blank, keeps_puk=False)
    with pytest.raises(Cancelled):
        world.make(first)
    puk_before = world.reader.card_state(blank).puk.value
    assert certificate_states(world, blank) == {("issuing", "on_hold")}
    second = world.maker(EMPLOYEE, blank)
    world.make(second)
    assert second.asked == [*LOGIN, "InsertCard", "ChoosePin", "KeepPuk"]
    assert world.reader.card_state(blank).puk.value != puk_before
    assert sorted(card_states(world, blank)) == ["active", "failed"]
    assert certificate_states(world, blank) == {("active", "good"), ("failed", "revoked")}
    one_good_card(world, EMPLOYEE, second)


def test_a_card_with_a_kept_puk_goes_on_with_no_more_than_its_pin(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=KEPT))
    written = world.reader.card_state(blank)
    second = world.maker(EMPLOYEE, blank)
    world.make(second)
    assert second.asked == [*LOGIN, "InsertCard", "AskPin"]
    after = world.reader.card_state(blank)
    assert (after.objects, after.keys, after.puk) == (written.objects, written.keys, written.puk)
    one_good_card(world, EMPLOYEE, second)


def test_a_break_while_keys_are_made_goes_on_with_the_same_reservation(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(before=CERTIFICATES))
    second = world.maker(EMPLOYEE, blank)
    world.make(second)
    assert card_states(world, blank) == ["active"]
    one_good_card(world, EMPLOYEE, second)


def test_another_blank_card_may_be_used_the_second_time_and_the_first_is_free_again(world: Scenario) -> None:
    first, second = world.blank(), world.blank()
    left_off(world, world.maker(EMPLOYEE, first), At(after=CERTIFICATES))
    maker = world.maker(EMPLOYEE, second)
    world.make(maker)
    one_good_card(world, EMPLOYEE, maker)
    assert certificate_states(world, first) == {("failed", "revoked")}
    assert world.blank_state(first) == "in_stock"
    colleague = world.maker(COLLEAGUE, first)
    world.make(colleague)
    one_good_card(world, COLLEAGUE, colleague)


class Before(Weather):
    """Lets something happen before the first request to a path."""

    def __init__(self, path: str, happens: Callable[[], object]) -> None:
        self._path, self._happens = path, happens

    def before_request(self, path: str) -> None:
        if path == self._path:
            self._happens()


class MeanwhileAnother(Maker):
    """Makes the card with another app while this one asks for the card."""

    another: Maker

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, InsertCard) and question.wanted is Wanted.blank_card:
            self.scenario.make(self.another)
        return super().answer(question)


class Forgetful(Maker):
    """Types a wrong PIN for the new card, always."""

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, AskPin) and question.context is None:
            return "Fout9999"
        return super().answer(question)


@pytest.mark.parametrize("starts_over", [True, False])
def test_a_pin_that_is_blocked_before_the_proof_leads_to_a_new_making(
    world: Scenario, starts_over: bool
) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=KEPT))
    second = Forgetful(**vars(world.maker(EMPLOYEE, blank, starts_over=starts_over)))
    if not starts_over:
        with pytest.raises(FlowStopped) as stopped:
            world.make(second)
        assert stopped.value.said.code == "pin-blocked-before-use"
        nothing_unfinished_is_good(world, EMPLOYEE)
        second = world.maker(EMPLOYEE, blank)
    world.make(second)
    assert "StartOver" in second.asked
    one_good_card(world, EMPLOYEE, second)


@pytest.mark.parametrize("starts_over", [True, False])
def test_a_written_card_that_is_lost_before_its_proof_can_be_replaced(
    world: Scenario, starts_over: bool
) -> None:
    lost, other = world.blank(), world.blank()
    left_off(world, world.maker(EMPLOYEE, lost), At(after=KEPT))
    state = world.reader.card_state(other)
    maker = world.maker(EMPLOYEE, other, starts_over=starts_over)
    if not starts_over:
        with pytest.raises(FlowStopped) as stopped:
            world.make(maker)
        assert stopped.value.said.code == "wrong-card"
        assert world.reader.card_state(other) == state
        maker = world.maker(EMPLOYEE, other)
    world.make(maker)
    assert maker.codes() == ["wrong-card"]
    assert certificate_states(world, lost) == {("failed", "revoked")}
    one_good_card(world, EMPLOYEE, maker)


def test_a_uzi_card_that_is_still_in_does_not_mean_that_the_new_card_is_lost(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=KEPT))

    class Hasty(Maker):
        def answer(self, question: Question[Any]) -> Any:
            if isinstance(question, InsertCard) and question.trouble is None:
                self.scenario.reader.insert(self.cards[Wanted.uzi_card])
                return None
            return super().answer(question)

    maker = Hasty(**vars(world.maker(EMPLOYEE, blank)))
    world.make(maker)
    assert maker.codes() == ["wrong-card"]
    assert "StartOver" not in maker.asked
    one_good_card(world, EMPLOYEE, maker)


def test_who_was_given_another_number_meanwhile_gets_no_card_with_the_former_one(world: Scenario) -> None:
    """CARD-5: the certificates carry the number of the UZI card that the making ends with."""
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=KEPT))
    world.rows(
        "update issuance set proved = jsonb_set(proved, '{means,uzi_number}', '\"900000999\"') "
        "where step = 'prove' returning issuance_id"
    )
    maker = world.maker(EMPLOYEE, blank)
    world.make(maker)
    assert maker.asked == ALL_STEPS
    assert sorted(card_states(world, blank)) == ["active", "failed"]
    one_good_card(world, EMPLOYEE, maker)


def test_two_apps_of_one_person_leave_one_making_and_the_later_proof_counts(world: Scenario) -> None:
    blank = world.blank()
    first = MeanwhileAnother(**vars(world.maker(EMPLOYEE, blank)))
    first.another = world.maker(EMPLOYEE, blank)
    with pytest.raises(PlatformRefused) as refused:
        world.make(first)
    assert refused.value.problem.code == "app-signature-wrong"
    one_good_card(world, EMPLOYEE, first.another)


def test_a_uzi_card_whose_status_is_not_known_any_more_gets_no_certificates(world: Scenario) -> None:
    """CARD-2: asked again before anything is signed (docs/architecture.md, the walk, step 12)."""
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    register = world.world.register
    with pytest.raises(PlatformRefused) as refused:
        world.make(maker, Before(CERTIFICATES, register.go_dark))
    register.recover()
    assert refused.value.problem.code == "uzi-status-unavailable"
    assert certificate_states(world, blank) == set()
    again = world.maker(EMPLOYEE, blank)
    world.make(again)
    one_good_card(world, EMPLOYEE, again)


def test_a_uzi_card_that_was_revoked_meanwhile_gets_no_certificates(world: Scenario) -> None:
    """CARD-2: this test uses a card up, for good."""
    label = "lange-naam"
    blank = world.blank()
    register = world.world.register
    with pytest.raises(PlatformRefused) as refused:
        world.make(world.maker(label, blank), Before(CERTIFICATES, lambda: register.revoke_card(label)))
    assert refused.value.problem.code == "uzi-revoked"
    assert certificate_states(world, blank, label) == set()
    with pytest.raises(PlatformRefused):
        world.make(world.maker(label, blank))
    world.clock.advance(timedelta(hours=24))
    while world.in_work(fail_one_expired):
        pass
    assert world.blank_state(blank) == "in_stock"


def test_a_making_of_yesterday_fails_revokes_what_was_signed_and_frees_the_card(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=KEPT))
    world.clock.advance(timedelta(hours=24))
    while world.in_work(fail_one_expired):
        pass
    assert certificate_states(world, blank) == {("failed", "revoked")}
    assert world.blank_state(blank) == "in_stock"
    nothing_unfinished_is_good(world, EMPLOYEE)
    again = world.maker(EMPLOYEE, blank)
    world.make(again)
    assert again.asked == ALL_STEPS
    one_good_card(world, EMPLOYEE, again)


def test_a_making_of_yesterday_fails_at_the_next_proof_too(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=CERTIFICATES))
    world.clock.advance(timedelta(hours=24))
    again = world.maker(EMPLOYEE, blank)
    world.make(again)
    assert again.asked == ALL_STEPS
    one_good_card(world, EMPLOYEE, again)


class LaterThan(Weather):
    """Lets a day pass before the first request to a path."""

    def __init__(self, world: Scenario, path: str) -> None:
        self._world, self._path = world, path

    def before_request(self, path: str) -> None:
        if path == self._path:
            self._world.clock.advance(timedelta(hours=24))


@pytest.mark.parametrize("path", [CERTIFICATES, KEPT, PROOF_TASK])
def test_no_step_is_taken_after_the_day_has_passed(world: Scenario, path: str) -> None:
    blank = world.blank()
    maker = world.maker(EMPLOYEE, blank)
    with pytest.raises(PlatformRefused) as refused:
        world.make(maker, LaterThan(world, path))
    assert refused.value.problem.code == "issuance-over"
    nothing_unfinished_is_good(world, EMPLOYEE)
    again = world.maker(EMPLOYEE, blank)
    world.make(again)
    one_good_card(world, EMPLOYEE, again)


def test_a_card_that_a_colleague_is_making_is_refused_until_half_an_hour_of_silence(world: Scenario) -> None:
    blank = world.blank()
    left_off(world, world.maker(COLLEAGUE, blank), At(after=KEPT))
    state = world.reader.card_state(blank)
    impatient = world.maker(EMPLOYEE, blank, patience=1)
    with pytest.raises(Cancelled):
        world.make(impatient)
    assert set(impatient.codes()) == {"blank-card-in-making"}
    assert world.reader.card_state(blank) == state
    world.clock.advance(timedelta(minutes=30))
    maker = world.maker(EMPLOYEE, blank)
    world.make(maker)
    one_good_card(world, EMPLOYEE, maker)
    assert certificate_states(world, blank, COLLEAGUE) == {("failed", "revoked")}


def test_who_lost_the_reservation_takes_another_card_and_never_touches_the_lost_one(world: Scenario) -> None:
    lost, other = world.blank(), world.blank()
    left_off(world, world.maker(COLLEAGUE, lost), At(after=KEPT))
    world.clock.advance(timedelta(minutes=30))
    winner = world.maker(EMPLOYEE, lost)
    world.make(winner)
    state = world.reader.card_state(lost)
    loser = world.maker(COLLEAGUE, lost, patience=1)
    with pytest.raises(Cancelled):
        world.make(loser)
    assert set(loser.codes()) == {"blank-card-used"}
    assert world.reader.card_state(lost) == state
    loser = world.maker(COLLEAGUE, other)
    world.make(loser)
    one_good_card(world, COLLEAGUE, loser)
    one_good_card(world, EMPLOYEE, winner)


@pytest.fixture
def cards_that_cannot_be_emptied(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """All cards know everything but a reset: no kind in stock is so, yet some cards in the market are."""
    usual = cardkit.piv.use._capabilities
    with monkeypatch.context() as patched:
        patched.setattr(
            cardkit.piv.use, "_capabilities", lambda firmware: usual(firmware) - {Capability.reset}
        )
        yield patched


def test_a_card_that_cannot_be_emptied_is_barred_and_the_person_hears_so(
    world: Scenario, cards_that_cannot_be_emptied: pytest.MonkeyPatch
) -> None:
    blank, other = world.blank(), world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=CERTIFICATES))
    with pytest.raises(FlowStopped) as stopped:
        world.make(world.maker(EMPLOYEE, blank))
    assert stopped.value.said.code == "card-barred"
    assert world.blank_state(blank) == "barred"
    assert {status for _, status in certificate_states(world, blank)} == {"revoked"}
    maker = world.maker(EMPLOYEE, blank, patience=1)
    with pytest.raises(Cancelled):
        world.make(maker)
    assert set(maker.codes()) == {"blank-card-barred"}
    maker = world.maker(EMPLOYEE, other)
    world.make(maker)
    one_good_card(world, EMPLOYEE, maker)


def test_a_card_that_refuses_to_be_emptied_is_barred_too(
    world: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = world.blank()
    left_off(world, world.maker(EMPLOYEE, blank), At(after=CERTIFICATES))
    usual = world.reader._transmit

    def transmit(card: Any, insertion: int, apdu: bytes) -> bytes:
        return bytes.fromhex("6985") if apdu[:2] == b"\x00\xfb" else usual(card, insertion, apdu)

    monkeypatch.setattr(world.reader, "_transmit", transmit)
    with pytest.raises(FlowStopped) as stopped:
        world.make(world.maker(EMPLOYEE, blank))
    assert stopped.value.said.code == "card-barred"
    assert world.blank_state(blank) == "barred"


class UnfitFirst(Maker):
    """Chooses PINs that cannot be one, then one that can."""

    chosen: tuple[tuple[str, str], ...] = (
        ("12345", "12345"),
        ("123456789", "123456789"),
        ("12345é", "12345é"),
        ("Linde24", "Linde25"),
    )

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, ChoosePin) and len(self.troubles) < len(self.chosen):
            return NewPin(*self.chosen[len(self.troubles)])
        return super().answer(question)


def test_a_chosen_pin_that_cannot_be_one_is_asked_again_and_costs_nothing(world: Scenario) -> None:
    maker = UnfitFirst(**vars(world.maker(EMPLOYEE, world.blank())))
    world.make(maker)
    assert maker.codes() == ["pin-unfit", "pin-unfit", "pin-unfit", "pins-differ"]
    one_good_card(world, EMPLOYEE, maker)


class UnfitPin(Maker):
    """Types texts that cannot be the PIN of the UZI card before the right one."""

    typed = ("12345", "123456789", "12345é", "")

    def answer(self, question: Question[Any]) -> Any:
        if (
            isinstance(question, AskPin)
            and question.context is not None
            and len(self.troubles) < len(self.typed)
        ):
            self.tries_shown.append(question.tries_left)
            return self.typed[len(self.troubles)]
        return super().answer(question)


def test_a_text_that_cannot_be_a_pin_costs_no_try(world: Scenario) -> None:
    """PIN-3."""
    maker = UnfitPin(**vars(world.maker(EMPLOYEE, world.blank())))
    world.make(maker)
    assert maker.codes() == ["pin-unfit"] * 4
    assert set(maker.tries_shown) == {3}


def test_the_older_card_works_until_the_new_one_proved_itself(world: Scenario) -> None:
    """CARD-15."""
    older = world.maker(EMPLOYEE, world.blank())
    world.make(older)
    blank = world.blank()
    newer = world.maker(EMPLOYEE, blank)
    broken(world, newer, KilledAfterApdu(world, 100))
    one_good_card_but_issuing = [card["state"] for card in world.cards(EMPLOYEE)]
    assert one_good_card_but_issuing.count("active") == 1
    assert card_states(world, older.cards[Wanted.blank_card]) == ["active"]
    world.make(world.maker(EMPLOYEE, blank))
    assert card_states(world, older.cards[Wanted.blank_card]) == ["revoked"]
