"""Everything bad that the demo tries by itself.

Cards, makings, requests, each with the refusal that it must get.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zorgid.demo.running import RunningDemo
from zorgid.demo.visitor import Visitor
from zorgid.demo.walks import Outcome, Walks

GOOD: Final = "good"


@dataclass(frozen=True)
class Tried:
    """What was tried and how it was refused."""

    name: str
    code: str
    sentence: str


@dataclass(frozen=True)
class Attempt:
    """Something that must be refused with `code`."""

    name: str
    code: str
    act: Callable[[Walks], Awaitable[Outcome]]

    async def run(self, walks: Walks) -> Tried:
        """Try it."""
        outcome = await self.act(walks)
        return Tried(self.name, outcome.code, outcome.sentence)


def BAD_CARDS(demo: RunningDemo) -> Iterable[Attempt]:  # noqa: N802 - a table that needs the world
    """Return a log-in with every test card that is not good, and with a wrong PIN."""
    for card in demo.world.register.cards:
        code = card.expected
        if card.person.card_type == "M":
            code = "card-without-name"
        if code != GOOD:
            yield Attempt(f"inloggen: {card.description}", code, _log_in(f"uzi-{card.label}", card.pin))
    yield Attempt("inloggen: foute pincode", "pin-wrong", _log_in("uzi-medewerker-lelietje", "999999"))
    yield Attempt("inloggen: pincode van 5 tekens", "pin-unfit", _log_in("uzi-medewerker-lelietje", "12345"))
    yield Attempt(
        "inloggen: pincode van 9 tekens", "pin-unfit", _log_in("uzi-medewerker-lelietje", "123456789")
    )
    yield Attempt("inloggen: pincode met é", "pin-unfit", _log_in("uzi-medewerker-lelietje", "12345é"))
    yield Attempt("inloggen: lege kaart", "certificate-missing", _log_in("leeg-2", "123456"))


def _log_in(card: str, pin: str) -> Callable[[Walks], Awaitable[Outcome]]:
    async def act(walks: Walks) -> Outcome:
        async with Visitor() as visitor:
            return await walks.log_in(visitor, card, pin)

    return act


def BAD_MAKINGS(_: RunningDemo) -> Iterable[Attempt]:  # noqa: N802 - a table that needs the world
    """Return makings that must be refused."""
    yield Attempt("aanmaken: zorgverlenerspas", "make-card-with-z", _make("huisarts-linde"))
    yield Attempt(
        "aanmaken: pas van een apothekersassistent",
        "make-card-with-z-83",
        _make("apothekersassistent-lelietje"),
    )
    yield Attempt("aanmaken: pas niet op naam", "card-without-name", _make("niet-op-naam-linde"))
    yield Attempt(
        "aanmaken: organisatie die niet is aangesloten",
        "organisation-unknown",
        _make("onbekende-organisatie"),
    )
    yield Attempt(
        "aanmaken: organisatie die nog niet is geregistreerd",
        "organisation-not-registered",
        _make("medewerker-lelietje"),
    )
    yield Attempt("aanmaken: gebruikte kaart", "", _make("praktijkmanager-linde", blank="leeg-1"))
    yield Attempt("aanmaken: UZI-pas in plaats van een lege kaart", "card-without-serial",
                  _make("praktijkmanager-linde", blank="uzi-huisarts-linde"))  # fmt: skip
    yield Attempt("aanmaken: pincode van 5 tekens", "pin-unfit", _make("praktijkmanager-linde", pin="Ab123"))
    yield Attempt(
        "aanmaken: pincode van 9 tekens", "pin-unfit", _make("praktijkmanager-linde", pin="Ab1234567")
    )
    yield Attempt("aanmaken: pincode met é", "pin-unfit", _make("praktijkmanager-linde", pin="Ab123é"))
    yield Attempt(
        "aanmaken: foute geboortedatum",
        "",
        _make("assistente-linde", birth_date="01-01-1970", blank="leeg-3"),
    )


def _make(
    label: str, *, blank: str = "leeg-2", pin: str = "Veilig24", birth_date: str | None = None
) -> Callable[[Walks], Awaitable[Outcome]]:
    async def act(walks: Walks) -> Outcome:
        person = walks.maker(label, blank=blank, new_pin=pin, birth_date=birth_date)
        async with Visitor() as visitor:
            return await walks.try_making(visitor, person)

    return act


def BAD_REQUESTS(_: RunningDemo) -> Iterable[Attempt]:  # noqa: N802 - a table that needs the world
    """Return requests of clients and browsers that must be refused."""
    yield Attempt("verzoek zonder PKCE", "invalid_request", _ask(code_challenge=None))
    yield Attempt("verzoek met PKCE plain", "invalid_request", _ask(code_challenge_method="plain"))
    yield Attempt("verzoek met response_type token", "unsupported_response_type", _ask(response_type="token"))


def _ask(**changes: str | None) -> Callable[[Walks], Awaitable[Outcome]]:
    async def act(walks: Walks) -> Outcome:
        async with Visitor() as visitor:
            address = await visitor.first_redirect(f"{walks.care}/login")
            page = await visitor.open(_changed(address, changes))
        return Outcome(code=page.posted_error, sentence=page.text)

    return act


def _changed(address: str, changes: dict[str, str | None]) -> str:
    parts = urlsplit(address)
    given = dict(parse_qsl(parts.query)) | changes
    kept = {name: value for name, value in given.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))
