"""Pages for making a Smartcard (CARD-1, CARD-11) and for validating an organisation (ORG-4)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zorgid.audit.model import Event, Subject
from zorgid.clients.model import PORTAL_NAME
from zorgid.issuance import actions as issuance
from zorgid.login import actions as login
from zorgid.login.model import MeansUsed, Purpose, Shown
from zorgid.onboarding.actions import organisation_to_validate, validate_organisation
from zorgid.protocol.links import browser_of
from zorgid.web import cookies
from zorgid.web.edge import act_of, language_of, render, work_of
from zorgid.web.limits import BEGIN_PER_ADDRESS
from zorgid.web.login.own import own_transaction
from zorgid.web.services import services_of

GO_ON_AT: Final = {
    Purpose.make_card: "/portal/make-card/progress",
    Purpose.validate_organisation: "/portal/validate-organisation/confirm",
}


def routes() -> list[BaseRoute]:
    """Return the addresses of the two doors."""
    return [
        Route("/portal/make-card", make_card_page, methods=["GET"]),
        Route("/portal/make-card", begin_make_card, methods=["POST"]),
        Route("/portal/make-card/progress", progress_page, methods=["GET"]),
        Route("/portal/validate-organisation", validate_page, methods=["GET"]),
        Route("/portal/validate-organisation", begin_validate, methods=["POST"]),
        Route("/portal/validate-organisation/confirm", confirm_page, methods=["GET"]),
        Route("/portal/validate-organisation/confirm", confirm, methods=["POST"]),
    ]


async def make_card_page(request: Request) -> Response:
    """Show what is needed and what cannot be used, before anything begins."""
    return render(request, "onboarding/make-card.html")


async def validate_page(request: Request) -> Response:
    """Show what is needed to validate an organisation."""
    return render(request, "onboarding/validate.html")


async def begin_make_card(request: Request) -> Response:
    """Begin the proof that opens a making."""
    return await _begin(request, Purpose.make_card)


async def begin_validate(request: Request) -> Response:
    """Begin the proof that validates an organisation."""
    return await _begin(request, Purpose.validate_organisation)


async def _begin(request: Request, purpose: Purpose) -> Response:
    services = services_of(request)
    await services.forms.read(request)
    await services.limits.take(request, BEGIN_PER_ADDRESS)
    async with work_of(request) as work:
        begun = await login.begin_transaction(
            work,
            services.login,
            purpose=purpose,
            shown=Shown(client_name=PORTAL_NAME, act=_act(request, purpose)),
            return_to=GO_ON_AT[purpose],
            accepts=(MeansUsed.uzi_card,),
            browser=browser_of(request.headers.get("user-agent", "")),
        )
    response = RedirectResponse("/oauth/account/login", 303)
    cookies.set_transaction(request, response, begun)
    return response


def _act(request: Request, purpose: Purpose) -> str:
    """Return the sentence that the app shows before the PIN; its hash is signed."""
    templates = services_of(request).templates
    return templates.render("onboarding/act.html", language_of(request), {"purpose": purpose}).strip()


async def progress_page(request: Request) -> Response:
    """Mirror how far the making is: the state and nothing more; PIN, PUK and birth date are the app's."""
    async with work_of(request) as work:
        transaction = await own_transaction(request, work)
        making = await issuance.issuance_of_transaction(work, transaction.id)
        view = await issuance.view_of(work, making) if making else None
    return render(request, "onboarding/progress.html", view=view)


async def confirm_page(request: Request) -> Response:
    """Show name and URA of the organisation: is this right?"""
    async with work_of(request) as work:
        shown = await organisation_to_validate(work, await own_transaction(request, work))
    return render(request, "onboarding/confirm.html", shown=shown)


async def confirm(request: Request) -> Response:
    """Validate the organisation and make the person its administrator."""
    services = services_of(request)
    await services.forms.read(request)
    async with work_of(request) as work:
        by = login.actor_of(await own_transaction(request, work))
    event, on = Event.organisation_validated, Subject("organisation", "of-card")
    async with act_of(request, event=event, by=by, on=on) as work:
        transaction = await own_transaction(request, work, lock=True)
        policy = services.issuance.means_policy
        organisation = await validate_organisation(work, transaction, policy=policy)
    return render(request, "onboarding/validated.html", organisation=organisation)
