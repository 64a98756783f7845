"""Makes a Smartcard: the steps after the proof, each asked from the platform, to go on after any break.

The platform knows which step is next; the card and this app may have died in between. A card that was written
but whose PUK was not confirmed as kept is emptied and made again. Nothing is done to a card whose serial is
not the reserved one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date
from typing import Final

from cardkit.card import Card
from cardkit.errors import CardError
from cardkit.secrets import Pin, PinRules
from zorgid.kernel.secrets import Secret
from zorgid.protocol.links import LaunchLink
from zorgid.protocol.messages import (
    AbandonRequest,
    BirthDateRequest,
    BlankCardRequest,
    CardInstructions,
    HandleRequest,
    IssuanceRequest,
    IssuanceStep,
    IssuanceView,
)
from zorgid_desktop.flow import personalise
from zorgid_desktop.flow.asking import (
    AskBirthDate,
    CardKind,
    Face,
    InsertCard,
    Said,
    StartOver,
    Trouble,
    Wanted,
)
from zorgid_desktop.flow.birth_dates import NoBirthDate, require_birth_date
from zorgid_desktop.flow.cards import FlowStopped, WrongCard, chosen_pin, trouble_of
from zorgid_desktop.flow.choosing import Need, card_in
from zorgid_desktop.flow.login import Surroundings
from zorgid_desktop.flow.new_card import PinOfNewCardBlocked, prove_new_card
from zorgid_desktop.flow.seeing import OpenCard, said_in_reader
from zorgid_desktop.server import PlatformRefused, told

TRY_ANOTHER_CARD: Final = frozenset(
    {
        "blank-card-unknown",
        "blank-card-not-sold",
        "blank-card-used",
        "blank-card-barred",
        "blank-card-in-making",
        "card-not-blank",
        "card-kind-not-admitted",
    }
)
"""Refusals after which another card in the reader may do."""

START_OVER: Final = frozenset({"key-already-seen", "intent-spent"})
"""Refusals after which the same card is made anew.

An earlier try broke off while the certificates were signed.
"""


def make_card(around: Surroundings, face: Face, link: LaunchLink) -> IssuanceView:
    """Make the card, going on from wherever the making stands; returns its last state.

    Raises:
        FlowStopped, PlatformRefused, PlatformUnreachable, Cancelled: nothing half-made is valid; the same
            link's page leads back to here.
    """
    view = around.platform.call(
        "/issuance/open", HandleRequest(handle=link.handle.text_for_wire()), IssuanceView
    )
    face.tell(Said("making-allowed", {"full_name": view.full_name, "organisation": view.organisation}))
    trouble: Trouble | None = None
    while view.step is not IssuanceStep.done:
        try:
            view = STEPS[view.step](around, face, view, trouble)
            trouble = None
        except CardError as error:
            trouble = trouble_of(error)
            view = _view(around, view)
        except WrongCard as wrong:
            trouble = wrong.said
            view = _view(around, view)
        except PlatformRefused as refused:
            trouble = _trouble_or_raise(refused)
            view = _view(around, view)
    face.tell(_made(view))
    return view


def _view(around: Surroundings, view: IssuanceView) -> IssuanceView:
    return around.platform.call("/issuance/view", IssuanceRequest(issuance_id=view.issuance_id), IssuanceView)


def _trouble_or_raise(refused: PlatformRefused) -> Trouble:
    """Return what to say when the person can go on; raise the refusal again when not."""
    problem = refused.problem
    if problem.code in TRY_ANOTHER_CARD or problem.code in {"birth-date-wrong", "birth-date-unfit"}:
        return told(problem)
    if problem.code in START_OVER:
        return Said("starting-over")
    raise refused


def _made(view: IssuanceView) -> Said:
    assert view.valid_until is not None
    # A card ends with a Dutch day (ALL-6), which is the same day in UTC, wherever this computer is.
    last_day = view.valid_until.astimezone(UTC)
    facts = {
        "card_number": view.card_number,
        "valid_until": f"{last_day:%d-%m-%Y}",
        "organisation": view.organisation,
    }
    return Said("card-made", facts)


def state_birth_date(
    around: Surroundings, face: Face, view: IssuanceView, trouble: Trouble | None
) -> IssuanceView:
    """Ask the birth date and let the platform compare it; the three tries a day are counted there."""
    request = BirthDateRequest(
        issuance_id=view.issuance_id, birth_on=_birth_date(around, face, view, trouble)
    )
    return around.platform.call("/issuance/birth-date", request, IssuanceView)


def _birth_date(around: Surroundings, face: Face, view: IssuanceView, trouble: Trouble | None) -> date:
    """Ask until what was typed can be a birth date."""
    today = around.now().date()
    while True:
        typed = face.ask(AskBirthDate(trouble, view.full_name, view.organisation, today))
        try:
            return require_birth_date(typed, today=today)
        except NoBirthDate as refused:
            trouble = refused.said


def make_from_blank(
    around: Surroundings, face: Face, view: IssuanceView, trouble: Trouble | None
) -> IssuanceView:
    """Reserve the card in the reader, let the person choose a PIN, and make it, in one exclusive hold."""
    face.ask(InsertCard(trouble, Wanted.blank_card, view.card_number))
    need = Need(Wanted.blank_card, view.chip_serial, view.card_number)
    with card_in(around.readers, face, need) as found:
        instructions = _reserve(around, found, view)
        face.tell(Said("card-reserved", {"card_number": instructions.view.card_number}))
        pin = _chosen_pin(face, instructions)
        _require_reserved(found.card, instructions.view)
        try:
            return personalise.personalise(around.platform, face, found.card, instructions, pin)
        except personalise.CannotBeEmptied:
            return _give_up(around, instructions)


def _reserve(around: Surroundings, found: OpenCard, view: IssuanceView) -> CardInstructions:
    """Ask what may be done with the card; only reading was done to it so far.

    Raises `WrongCard` when another card may do.
    """
    assert found.seen.serial is not None  # no other card fits (`choosing.fitness`)
    chuid = found.card.read_chuid()
    request = BlankCardRequest(
        issuance_id=view.issuance_id, chip_serial=found.seen.serial, guid=chuid.guid.hex() if chuid else None
    )
    try:
        return around.platform.call("/issuance/blank-card", request, CardInstructions)
    except PlatformRefused as refused:
        if refused.problem.code not in TRY_ANOTHER_CARD:
            raise
        said = replace(told(refused.problem), about=said_in_reader(found.seen))
        raise WrongCard(said, [found.seen]) from None


def _require_reserved(card: Card, view: IssuanceView) -> None:
    """Check that the card in the reader is the reserved one, before the first write. Raises `WrongCard`."""
    if card.read_serial() != view.chip_serial:
        raise WrongCard(Said("other-card"), [])


def _chosen_pin(face: Face, instructions: CardInstructions) -> Pin:
    rules = PinRules(
        instructions.pin_shortest, instructions.pin_longest, digits_only=instructions.pin_digits_only
    )
    assert instructions.view.card_number is not None
    return chosen_pin(face, rules, instructions.view.card_number)


def _give_up(around: Surroundings, instructions: CardInstructions) -> IssuanceView:
    """Tell the platform that the card could not be emptied.

    It is barred, and the person hears so (CARD-9).
    """
    request = AbandonRequest(issuance_id=instructions.view.issuance_id, was_reset=False)
    around.platform.call("/issuance/abandon", request, IssuanceView)
    raise FlowStopped(Said("card-barred", {"card_number": instructions.view.card_number}))


def prove(around: Surroundings, face: Face, view: IssuanceView, trouble: Trouble | None) -> IssuanceView:
    """Let the written card show the use of its three keys.

    The PUK is kept already, so this goes on after any break. When its PIN is blocked, or another card is in,
    the person may start over, with this card or another blank one.
    """
    assert view.card_number is not None
    face.ask(InsertCard(trouble, Wanted.new_card, view.card_number))
    try:
        return _prove(around, face, view)
    except PinOfNewCardBlocked:
        hindrance: Trouble = Said("pin-blocked-before-use", {"card_number": view.card_number})
    except WrongCard as wrong:
        if all(seen.kind is CardKind.uzi_card for seen in wrong.found):
            raise  # it was not taken out yet, which says nothing of the new card
        hindrance = wrong.said
    if not face.ask(StartOver(hindrance, view.card_number)):
        raise FlowStopped(hindrance)
    return make_from_blank(around, face, view, None)


def _prove(around: Surroundings, face: Face, view: IssuanceView) -> IssuanceView:
    need = Need(Wanted.new_card, view.chip_serial, view.card_number)
    with card_in(around.readers, face, need) as found:
        return prove_new_card(around.platform, face, found.card, view, Secret(_id_bytes(view)))


def _id_bytes(view: IssuanceView) -> bytes:
    return bytes.fromhex(view.issuance_id.replace("-", ""))


def stop_failed(_: Surroundings, __: Face, ___: IssuanceView, ____: Trouble | None) -> IssuanceView:
    """End a making that failed meanwhile."""
    raise FlowStopped(Said("making-failed"))


Step = Callable[[Surroundings, Face, IssuanceView, Trouble | None], IssuanceView]
STEPS: Final[Mapping[IssuanceStep, Step]] = {
    IssuanceStep.birth_date: state_birth_date,
    IssuanceStep.blank_card: make_from_blank,
    IssuanceStep.certificates: make_from_blank,
    IssuanceStep.kept: make_from_blank,
    IssuanceStep.prove: prove,
    IssuanceStep.failed: stop_failed,
}
"""What the app does at each step; the platform decides which step comes."""
