"""Hold, release and revoke, each on a page of its own: consequence, reason, confirm, done (LIFE-2, LIFE-3).

The pages ask; the rules, the rights, the log and everything that follows are the rooms'.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, TypeVar
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zorgid.audit.model import Event, Subject
from zorgid.ca import actions as ca
from zorgid.ca.answers import VALID_FOR as OCSP_VALID_FOR
from zorgid.ca.errors import CrlMissing
from zorgid.ca.model import AuthorityName
from zorgid.ca.publication import CRL_VALID_FOR
from zorgid.cards import actions as cards
from zorgid.cards.errors import HoldUnknown
from zorgid.cards.model import Card, CardState, HoldId, HoldReason, RevocationReason
from zorgid.kernel.errors import Refusal
from zorgid.storage.database import Work
from zorgid.web.edge import act_of, render, sentence_for, work_of
from zorgid.web.portal.errors import ReasonMissing
from zorgid.web.portal.session import Visit, for_visitors
from zorgid.web.services import services_of


class Step(StrEnum):
    """What was done, as the last page says it."""

    held = "held"
    released = "released"
    revoked = "revoked"


FITS: Final = {
    Step.held: frozenset({CardState.held}),
    Step.released: frozenset({CardState.active, CardState.held}),
    Step.revoked: frozenset({CardState.revoked}),
}
"""In which states a card can be when the last page of an act is shown."""

REVOCATION_REASONS: Final = tuple(
    reason for reason in RevocationReason if reason is not RevocationReason.replaced
)
"""The reasons that a person can give; `replaced` is the platform's own."""

LONGEST_WAIT: Final = max(CRL_VALID_FOR, OCSP_VALID_FOR)

Reason = TypeVar("Reason", HoldReason, RevocationReason)


@dataclass(frozen=True)
class ActWithReason(Generic[Reason]):
    """An act on a card for which its page asks a reason."""

    page: str
    event: Event
    reasons: Iterable[Reason]
    do: Callable[..., Awaitable[object]]
    """Takes the work, `card_id`, one of `reasons` as `reason`, and `by`."""
    step: Step


HOLD: Final = ActWithReason("hold", Event.card_held, HoldReason, cards.hold_card, Step.held)
REVOKE: Final = ActWithReason(
    "revoke", Event.card_revoked, REVOCATION_REASONS, cards.revoke_card, Step.revoked
)


def routes() -> list[BaseRoute]:
    """Return the routes of the acts on cards."""
    return [
        Route("/portal/cards/{number}/hold", ask_hold),
        Route("/portal/cards/{number}/hold", do_hold, methods=["POST"]),
        Route("/portal/cards/{number}/release/{hold_id:uuid}", ask_release),
        Route("/portal/cards/{number}/release/{hold_id:uuid}", do_release, methods=["POST"]),
        Route("/portal/cards/{number}/revoke", ask_revoke),
        Route("/portal/cards/{number}/revoke", do_revoke, methods=["POST"]),
        Route("/portal/cards/{number}/done/{step}", show_done),
    ]


async def _page(request: Request, visit: Visit, name: str, refusal: Refusal | None = None) -> Response:
    """Return the page of an act, with what was wrong when it was refused."""
    async with work_of(request) as work:
        card = await _view(work, request, visit)
    return render(
        request,
        f"portal/{name}.html",
        visit=visit,
        card=card,
        is_own=card.holder_id == visit.session.person_id,
        hold_reasons=tuple(HoldReason),
        revocation_reasons=REVOCATION_REASONS,
        wrong=sentence_for(request, refusal) if refusal else None,
        status=refusal.status if refusal else 200,
    )


@for_visitors
async def ask_hold(request: Request, visit: Visit) -> Response:
    """Ask whether the card must be held, and why."""
    return await _page(request, visit, "hold")


@for_visitors
async def ask_revoke(request: Request, visit: Visit) -> Response:
    """Ask whether the card must be revoked for good, and why."""
    return await _page(request, visit, "revoke")


@for_visitors
async def ask_release(request: Request, visit: Visit) -> Response:
    """Ask whether the hold must be released."""
    return await _page(request, visit, "release")


@for_visitors
async def do_hold(request: Request, visit: Visit) -> Response:
    """Hold the card."""
    return await _do_with_reason(request, visit, HOLD)


@for_visitors
async def do_revoke(request: Request, visit: Visit) -> Response:
    """Revoke the card."""
    return await _do_with_reason(request, visit, REVOKE)


async def _do_with_reason(request: Request, visit: Visit, asked: ActWithReason[Reason]) -> Response:
    """Do the act for the reason that was chosen; without one its page is shown again."""
    form = await services_of(request).forms.read(request)
    try:
        reason = chosen_reason(asked.reasons, form)
    except ReasonMissing as refusal:
        return await _page(request, visit, asked.page, refusal)
    card = await _card(request, visit, asked.event)
    async with act_of(request, event=asked.event, by=visit.actor, on=_subject(card)) as work:
        seen_at = await seen_everywhere_at(work)
        await asked.do(work, card_id=card.id, reason=reason, by=visit.actor)
    return _done(card, asked.step, seen_at)


@for_visitors
async def do_release(request: Request, visit: Visit) -> Response:
    """Release one hold; the card works again when it was the last."""
    await services_of(request).forms.read(request)
    card = await _card(request, visit, Event.card_released)
    hold_id = HoldId(UUID(str(request.path_params["hold_id"])))
    async with act_of(request, event=Event.card_released, by=visit.actor, on=_subject(card)) as work:
        if hold_id not in {hold.id for hold in await cards.holds_of(work, card.id)}:
            raise HoldUnknown
        seen_at = await seen_everywhere_at(work)
        await cards.release_hold(work, hold_id=hold_id, by=visit.actor)
    return _done(card, Step.released, seen_at)


@for_visitors
async def show_done(request: Request, visit: Visit) -> Response:
    """Say what was done and when relying parties know; a card in another state gets its own page instead."""
    async with work_of(request) as work:
        card = await _view(work, request, visit)
        now = work.now
    step = request.path_params["step"]
    if step not in {known.value for known in Step} or card.state not in FITS[Step(step)]:
        return RedirectResponse(f"/portal/cards/{card.number}", 303)
    seen_at = seen_at_of(request.query_params.get("until"), now=now)
    return render(request, "portal/done.html", visit=visit, card=card, step=step, seen_at=seen_at)


def chosen_reason(reasons: Iterable[Reason], form: FormData) -> Reason:
    """Return the reason that was chosen. Raises `ReasonMissing`."""
    for reason in reasons:
        if form.get("reason") == reason.value:
            return reason
    raise ReasonMissing


async def seen_everywhere_at(work: Work) -> datetime:
    """Return when every relying party knows what is done now: the later end of the OCSP answers and the CRL.

    What they fetched just before may be kept until its nextUpdate (LIFE-3).
    """
    ocsp_until = work.now + OCSP_VALID_FOR
    try:
        published = await ca.current_crl(work, AuthorityName.smartcard)
    except CrlMissing:
        return ocsp_until
    return max(ocsp_until, published.next_update)


def seen_at_of(text: str | None, *, now: datetime) -> datetime | None:
    """Return the moment in the address of the last page, when it can be one of ours."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len("9999999999"):
        return None
    moment = datetime.fromtimestamp(int(text), UTC)
    return moment if now - timedelta(days=1) < moment <= now + LONGEST_WAIT else None


async def _view(work: Work, request: Request, visit: Visit) -> Card:
    """Return the card that the address names. Raises `CardUnknown`, also when the visitor may not see it."""
    return await cards.view_card(work, number=request.path_params["number"], by=visit.actor)


async def _card(request: Request, visit: Visit, event: Event) -> Card:
    """Return the card that `event` is to happen to; that somebody may not even see it is logged (AUD-1)."""
    on = Subject("card-number", request.path_params["number"])
    async with act_of(request, event=event, by=visit.actor, on=on) as work:
        return await _view(work, request, visit)


def _subject(card: Card) -> Subject:
    return Subject("card", str(card.id))


def _done(card: Card, step: Step, seen_at: datetime) -> Response:
    """Lead to the last page, which can be loaded again without doing the act again."""
    return RedirectResponse(f"/portal/cards/{card.number}/done/{step}?until={int(seen_at.timestamp())}", 303)
