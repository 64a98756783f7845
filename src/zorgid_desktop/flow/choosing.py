"""Finds the card that a step needs among all readers, and holds it; every other card is only read.

Which cards fit is a pure rule. Where several fit the person chooses; where none does, the sentence names what
was found, by holder and number.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cardkit.errors import CardError, ReaderAbsent, ReaderEmpty
from cardkit.readers import CardReader, Readers
from cardkit.secrets import SMARTCARD_PIN, PinRules
from zorgid.protocol.purposes import MeansUsed
from zorgid_desktop.flow.asking import CardKind, ChooseCard, Face, Said, SeenCard, Wanted
from zorgid_desktop.flow.cards import WrongCard, trouble_of
from zorgid_desktop.flow.seeing import OpenCard, said_in_reader, said_of_card, see


@dataclass(frozen=True)
class Need:
    """Which card a step needs."""

    wanted: Wanted
    serial: str | None = None
    """The chip of the card that is reserved for this making."""
    card_number: str | None = None
    """Its number, as printed on it."""
    accepts: tuple[MeansUsed, ...] = tuple(MeansUsed)
    """What a login takes."""
    very: SeenCard | None = None
    """The card that the person pointed at, where it must be that one."""

    @classmethod
    def of_login(cls, accepts: tuple[MeansUsed, ...]) -> "Need":
        """Return the need of a login that takes these kinds of cards."""
        only_uzi = accepts == (MeansUsed.uzi_card,)
        return cls(Wanted.uzi_card if only_uzi else Wanted.login_card, accepts=accepts)


def fitness(seen: SeenCard, need: Need) -> int:
    """Return how well a card fits: nought is not at all, and only the best are taken.

    A card of an unknown kind may fit: the platform is the judge. For a making every card that tells the
    number of its chip may turn out to be fit, but a blank one is more likely, and the reserved one is it.
    """
    match need.wanted:
        case Wanted.login_card | Wanted.uzi_card:
            return _fitness_for_login(seen, need.accepts)
        case Wanted.blank_card:
            return _fitness_for_making(seen, need)
        case Wanted.new_card:
            return int(_is_reserved(seen, need))
        case Wanted.own_card:
            return int(need.very is None or seen.is_same_card(need.very))


def _fitness_for_login(seen: SeenCard, accepts: tuple[MeansUsed, ...]) -> int:
    if not seen.can_log_in:
        return 0
    if seen.kind is CardKind.other:
        return 1
    return 2 * (MeansUsed(seen.kind) in accepts)


def _is_reserved(seen: SeenCard, need: Need) -> bool:
    return seen.serial is not None and seen.serial == need.serial


def _fitness_for_making(seen: SeenCard, need: Need) -> int:
    if seen.serial is None or seen.kind is CardKind.uzi_card:
        return 0
    return 1 + (seen.kind is CardKind.blank) + 2 * _is_reserved(seen, need)


@dataclass(frozen=True)
class Looked:
    """What lies in the readers: cards that told who they are, and readers whose card did not."""

    cards: tuple[SeenCard, ...]
    troubles: tuple[tuple[str, CardError], ...]


def look(readers: Readers, rules: PinRules = SMARTCARD_PIN) -> Looked:
    """Look at every card for a moment, for lists of cards.

    Raises:
        ReaderServiceAbsent, ReaderAbsent: there is nowhere to look.
    """
    cards: list[SeenCard] = []
    troubles: list[tuple[str, CardError]] = []
    for reader in _present(readers):
        with ExitStack() as stack:
            found = _opened(reader, rules, stack, troubles)
            cards.extend([found.seen] if found else [])
    return Looked(tuple(cards), tuple(troubles))


def is_there(readers: Readers, need: Need) -> bool:
    """Tell whether a card that fits lies in a reader already, so that nobody has to be asked for it."""
    try:
        return any(fitness(seen, need) for seen in look(readers).cards)
    except CardError:
        return False


@contextmanager
def card_in(readers: Readers, face: Face, need: Need, rules: PinRules = SMARTCARD_PIN) -> Iterator[OpenCard]:
    """Hold the card that fits, exclusively; its PIN state is cleared at the end.

    Raises:
        WrongCard: there are only others, which were read and left as they are.
        CardError: there is no card at all, or the only one does not answer.
    """
    with ExitStack() as stack:
        fitting = _fitting(readers, need, rules, stack)
        if len(fitting) == 1:
            yield fitting[0]
            return
        stack.close()  # nobody else is kept from these cards while the person thinks
        chosen = fitting[face.ask(ChooseCard(None, tuple(one.seen for one in fitting)))].seen
        with _card_again(readers, chosen, rules) as card:
            yield card


def _fitting(readers: Readers, need: Need, rules: PinRules, stack: ExitStack) -> list[OpenCard]:
    """Return the best of the cards, held by `stack`; let go of all others."""
    troubles: list[tuple[str, CardError]] = []
    best, unfit = 1, list[SeenCard]()
    held: list[tuple[OpenCard, ExitStack]] = []
    for reader in _present(readers):
        own = stack.enter_context(ExitStack())
        found = _opened(reader, rules, own, troubles)
        if found is None or any(found.seen.is_same_card(other.seen) for other, _ in held):
            own.close()
        elif fitness(found.seen, need) < best:
            unfit.append(found.seen)
            own.close()
        else:
            held, best = _with_the_best(held, (found, own), best, fitness(found.seen, need))
    if not held:
        raise none_fits(unfit, troubles, need)
    return [found for found, _ in held]


def _with_the_best(
    held: list[tuple[OpenCard, ExitStack]], new: tuple[OpenCard, ExitStack], best: int, now: int
) -> tuple[list[tuple[OpenCard, ExitStack]], int]:
    if now == best:
        return [*held, new], best
    for _, own in held:
        own.close()
    return [new], now


def _present(readers: Readers) -> Sequence[CardReader]:
    present = readers.present()
    if not present:
        raise ReaderAbsent
    return present


def _opened(
    reader: CardReader, rules: PinRules, stack: ExitStack, troubles: list[tuple[str, CardError]]
) -> OpenCard | None:
    """Hold the card of one reader and see what it is; a reader without a card is passed over."""
    try:
        if not reader.has_card():
            return None
        return see(reader.name, stack.enter_context(reader.open_card(rules)))
    except CardError as error:
        troubles.append((reader.name, error))
        return None


@contextmanager
def _card_again(readers: Readers, chosen: SeenCard, rules: PinRules) -> Iterator[OpenCard]:
    """Hold the chosen card. Raises `WrongCard` when another one lies in its reader by now."""
    for reader in _present(readers):
        if reader.name == chosen.reader:
            with reader.open_card(rules) as card:
                found = see(reader.name, card)
                if not found.seen.is_same_card(chosen):
                    said = Said("card-swapped", {"found": said_in_reader(found.seen)})
                    raise WrongCard(said, [found.seen])
                yield found
                return
    raise ReaderAbsent


def none_fits(
    unfit: Sequence[SeenCard], troubles: Sequence[tuple[str, CardError]], need: Need
) -> CardError | WrongCard:
    """Return what to say when no card fits: which are there, by holder and number, and what is needed."""
    if not unfit:
        return troubles[0][1] if troubles else ReaderEmpty()
    if len(unfit) + len(troubles) > 1:
        seen = (*map(said_in_reader, unfit), *(_said_of(name, error) for name, error in troubles))
        return WrongCard(Said("no-card-fits", {"seen": seen, "needed": said_of_need(need)}), unfit)
    (found,) = unfit
    facts = {"reader": found.reader, "found": said_of_card(found), "needed": said_of_need(need)}
    if need.wanted is Wanted.blank_card and found.serial is None:
        return WrongCard(Said("card-without-serial", facts), unfit)
    return WrongCard(Said("wrong-card", facts), unfit)


def _said_of(reader: str, error: CardError) -> Said:
    return Said("trouble-in-reader", {"reader": reader, "trouble": trouble_of(error)})


def said_of_need(need: Need) -> Said:
    """Return in words which card is needed."""
    if need.very is not None:
        return said_of_card(need.very)
    match need.wanted:
        case Wanted.new_card:
            return Said("need-new-card", {"card_number": need.card_number})
        case Wanted.blank_card:
            return Said("need-blank-card")
        case Wanted.login_card if need.accepts == (MeansUsed.smartcard,):
            return Said("need-smartcard")
        case Wanted.uzi_card:
            return Said("need-uzi-card")
        case Wanted.login_card | Wanted.own_card:
            return Said("need-login-card")
