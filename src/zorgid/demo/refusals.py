"""Everything bad that the demo tries: cards, makings and requests, each with the refusal that it must get."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zorgid.demo.care_application import refused_sentence
from zorgid.demo.running import RunningDemo
from zorgid.demo.scripted import ScriptedPerson
from zorgid.demo.visitor import Page, Visitor
from zorgid.demo.walks import Outcome, Walks
from zorgid.demo.world import STRANGE_CARD, SUPPORT
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.people import actions as people
from zorgid.people.model import MeansKind, Names
from zorgid.protocol.links import HANDLE_BYTES, parse_link
from zorgid.stock import actions as stock

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
            yield Attempt(
                f"inloggen: {card.description[Language.nl]}", code, _log_in(f"uzi-{card.label}", card.pin)
            )
    yield Attempt("inloggen: foute pincode", "pin-wrong", _log_in("uzi-medewerker-lelietje", "999999"))
    yield Attempt("inloggen: pincode van 5 tekens", "pin-unfit", _log_in("uzi-medewerker-lelietje", "12345"))
    yield Attempt(
        "inloggen: pincode van 9 tekens", "pin-unfit", _log_in("uzi-medewerker-lelietje", "123456789")
    )
    yield Attempt("inloggen: pincode met é", "pin-unfit", _log_in("uzi-medewerker-lelietje", "12345é"))
    yield Attempt("inloggen: lege kaart", "wrong-card", _log_in("leeg-2", "123456"))


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
    yield Attempt(
        "aanmaken: gebruikte kaart", "blank-card-used", _make("praktijkmanager-linde", blank="leeg-1")
    )
    yield Attempt("aanmaken: afgekeurde kaart", "blank-card-barred", _make_with_barred)
    yield Attempt("aanmaken: kaart die nooit verkocht is", "blank-card-unknown",
                  _make("praktijkmanager-linde", blank=STRANGE_CARD))  # fmt: skip
    yield Attempt("aanmaken: persoon met een ander middel", "other-means-reserved", _make_with_phone)
    yield Attempt("inloggen: UZI-register onbereikbaar", "uzi-status-unavailable", _in_mood("go_dark"))
    yield Attempt("inloggen: status van de UZI-pas te oud", "uzi-status-too-old", _in_mood("go_stale"))
    yield Attempt("aanmaken: UZI-pas in plaats van een lege kaart", "card-without-serial",
                  _make("praktijkmanager-linde", blank="uzi-huisarts-linde"))  # fmt: skip
    yield Attempt("aanmaken: pincode van 5 tekens", "pin-unfit", _make("praktijkmanager-linde", pin="Ab123"))
    yield Attempt(
        "aanmaken: pincode van 9 tekens", "pin-unfit", _make("praktijkmanager-linde", pin="Ab1234567")
    )
    yield Attempt("aanmaken: pincode met é", "pin-unfit", _make("praktijkmanager-linde", pin="Ab123é"))
    yield Attempt(
        "aanmaken: foute geboortedatum",
        "birth-date-wrong",
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


async def _make_with_barred(walks: Walks) -> Outcome:
    number = await walks.number_of("leeg-6")
    async with walks.work() as work:
        await stock.bar(work, number=number, by=SUPPORT)
    return await _make("praktijkmanager-linde", blank="leeg-6")(walks)


async def _make_with_phone(walks: Walks) -> Outcome:
    """Somebody was invited for a phone identity: reserving a kind of means in `people` is what that does."""
    holder = walks.demo.world.card("lange-naam").person
    names = Names(holder.names.full_name, holder.names.surname, holder.names.given_names)
    policy = walks.demo.platform.services.issuance.means_policy
    async with walks.work() as work:
        person = await people.recognise_person(
            work, uzi_number=holder.uzi_number, ura=holder.ura, names=names
        )
        await people.reserve_means(
            work, person_id=person.id, kind=MeansKind.phone, reference="demo:invited", policy=policy
        )
    return await _make("lange-naam")(walks)


def _in_mood(mood: str) -> Callable[[Walks], Awaitable[Outcome]]:
    """Return a log-in while the UZI register does not answer, or answers with old lists."""

    async def act(walks: Walks) -> Outcome:
        register = walks.demo.world.register
        getattr(register, mood)()
        try:
            card = walks.demo.world.card("bezorger-lelietje")
            return await _log_in(f"uzi-{card.label}", card.pin)(walks)
        finally:
            register.recover()

    return act


def BAD_REQUESTS(_: RunningDemo) -> Iterable[Attempt]:  # noqa: N802 - a table that needs the world
    """Return requests of clients, browsers and apps that must be refused."""
    yield Attempt("verzoek zonder PKCE", "invalid_request", _ask(code_challenge=None))
    yield Attempt("verzoek met PKCE plain", "invalid_request", _ask(code_challenge_method="plain"))
    yield Attempt("verzoek met response_type token", "unsupported_response_type", _ask(response_type="token"))
    yield Attempt("stil verzoek zonder sessie", "login_required", _ask(prompt="none"))
    yield Attempt("doorgestuurde link: afgemaakt in een andere browser", "login-other-browser", _forwarded)
    yield Attempt("dezelfde code twee keer", "login-completion-wrong", _completed_twice)
    yield Attempt("een tweede app bij dezelfde login", "login-attached-elsewhere", _attached_twice)
    yield Attempt("een verzonnen link", "login-unknown", _invented_link)


def _ask(**changes: str | None) -> Callable[[Walks], Awaitable[Outcome]]:
    async def act(walks: Walks) -> Outcome:
        async with Visitor() as visitor:
            address = await visitor.first_redirect(f"{walks.care}/login")
            page = await visitor.open(_changed(address, changes))
        return Outcome(code=page.code, sentence=refused_sentence(page.code, Language.nl))

    return act


def _changed(address: str, changes: dict[str, str | None]) -> str:
    parts = urlsplit(address)
    given = dict(parse_qsl(parts.query)) | changes
    kept = {name: value for name, value in given.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))


async def _forwarded(walks: Walks) -> Outcome:
    """An attacker begins and sends the link; the victim's app hands the code to the victim's own browser."""
    landed: list[Page] = []
    async with Visitor() as attacker, Visitor() as victim:
        page = await attacker.open(f"{walks.care}/login")

        async def complete(address: str) -> None:
            landed.append(await victim.complete(address))

        await walks.run_app(page.launch_link, _daan(walks), complete, is_making=False)
    return Outcome(code=landed[0].code, sentence=landed[0].text)


async def _completed_twice(walks: Walks) -> Outcome:
    """The address with the code is opened again, in the browser that it was for."""
    landed: list[Page] = []
    async with Visitor() as visitor:
        page = await visitor.open(f"{walks.care}/login")

        async def complete(address: str) -> None:
            await visitor.complete(address)
            landed.append(await visitor.complete(address))

        await walks.run_app(page.launch_link, _daan(walks), complete, is_making=False)
    return Outcome(code=landed[0].code, sentence=landed[0].text)


async def _attached_twice(walks: Walks) -> Outcome:
    """Somebody else's app comes with the same link while the first one waits for its PIN."""
    async with Visitor() as visitor:
        page = await visitor.open(f"{walks.care}/login")
        await walks.attach_only(page.launch_link)
        return await walks.prove(visitor, page, _daan(walks))


async def _invented_link(walks: Walks) -> Outcome:
    async with Visitor() as visitor:
        page = await visitor.open(f"{walks.care}/login")
        link = parse_link(page.launch_link)
        invented = replace(link, handle=Secret(bytes(HANDLE_BYTES)))
        return await walks.prove(visitor, replace(page, links=[invented.text()]), _daan(walks))


def _daan(walks: Walks) -> ScriptedPerson:
    card = walks.demo.world.card("medewerker-lelietje")
    return walks.person(f"uzi-{card.label}", card.pin)
