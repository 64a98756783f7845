"""PIN and PUK of both kinds of cards against a model of ten lines, under any sequence of acts and power cuts (PIN-1, PIN-2)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.unit.cardkit.builders import blank, opened

from cardkit.errors import CardError, PinBlocked, PinWrong, PukBlocked, PukWrong
from cardkit.secrets import Pin, Puk
from cardkit.virtual import Mode, VirtualCard
from cardkit.virtual.store import from_json, to_json

PINS = st.sampled_from(["123456", "111111", "22222222"])
PUKS = st.sampled_from(["12345678", "87654321", "00000000"])
ERRORS = {"pin": (PinWrong, PinBlocked), "puk": (PukWrong, PukBlocked)}


class LifeOfAPin(RuleBasedStateMachine):
    """What the card says has to be what the model says, after each act."""

    @initialize(mode=st.sampled_from(list(Mode)))
    def take_a_card(self, mode: Mode) -> None:
        self.virtual = VirtualCard(blank(mode))
        self.card = opened(self.virtual)
        self.values = {"pin": "123456", "puk": "12345678"}
        self.tries = {"pin": 3, "puk": 3}

    def attempt(self, which: str, value: str, act) -> bool:
        """Do `act` and check its outcome; tells whether it succeeded."""
        wrong, blocked = ERRORS[which]
        if self.tries[which] > 0 and value == self.values[which]:
            act()
            self.tries[which] = 3
            return True
        self.tries[which] = max(self.tries[which] - 1, 0)
        with pytest.raises(wrong if self.tries[which] else blocked) as refused:
            act()
        assert refused.value.tries_left == self.tries[which]
        return False

    @rule(pin=PINS)
    def verify(self, pin: str) -> None:
        self.attempt("pin", pin, lambda: self.card.verify_pin(Pin(pin)))

    @rule(old=PINS, new=PINS)
    def change_pin(self, old: str, new: str) -> None:
        if self.attempt("pin", old, lambda: self.card.change_pin(Pin(old), Pin(new))):
            self.values["pin"] = new

    @rule(old=PUKS, new=PUKS)
    def change_puk(self, old: str, new: str) -> None:
        if self.attempt("puk", old, lambda: self.card.change_puk(Puk(old), Puk(new))):
            self.values["puk"] = new

    @rule(puk=PUKS, new=PINS)
    def unblock(self, puk: str, new: str) -> None:
        if self.attempt("puk", puk, lambda: self.card.unblock_pin(Puk(puk), Pin(new))):
            self.values["pin"], self.tries["pin"] = new, 3

    @rule()
    def log_out(self) -> None:
        self.card.log_out()
        assert self.card.pin_tries_left() == self.tries["pin"]

    @rule()
    def cut_the_power(self) -> None:
        self.virtual = VirtualCard(from_json(to_json(self.virtual.state)))
        self.card = opened(self.virtual)

    @rule()
    def reset(self) -> None:
        if self.virtual.state.mode is Mode.strict:
            with pytest.raises(CardError):
                self.card.reset()
        else:
            self.card.reset()
            self.values, self.tries = {"pin": "123456", "puk": "12345678"}, {"pin": 3, "puk": 3}

    @invariant()
    def the_card_counts_as_the_model_does(self) -> None:
        if hasattr(self, "virtual"):
            state = self.virtual.state
            assert {"pin": state.pin.tries_left, "puk": state.puk.tries_left} == self.tries


TestLifeOfAPin = LifeOfAPin.TestCase
TestLifeOfAPin.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
