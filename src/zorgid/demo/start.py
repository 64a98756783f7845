"""The start page of the demo: what this is, three things to try, and the test cards with their PINs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zorgid.demo.card_numbers import CardNumbers
from zorgid.demo.world import BOX, MEMBERS, STRANGE_CARD, World
from zorgid.web.edge import origin_of, render
from zorgid.web.services import services_of


def start_route(world: World) -> Route:
    """Return the start page, which takes the place of the platform's own."""
    doctor, pharmacist = (world.card(member.professional) for member in MEMBERS)

    known: dict[str, str] = {}

    async def start(request: Request) -> Response:
        """Show the demo's front door."""
        services = services_of(request)
        numbers = await CardNumbers(services.database, origin_of(request), known).of(map(str, BOX.values()))
        return render(
            request,
            "demo/start.html",
            care_address=f"{world.places.care_origin}/",
            cards=world.register.cards,
            doctor=doctor,
            pharmacist=pharmacist,
            employee=world.card("assistente-linde"),
            strange_card=STRANGE_CARD,
            is_demo=services.settings.is_demo,
            blank_cards=[(name, numbers.get(str(serial))) for name, serial in BOX.items()],
        )

    return Route("/", start)
