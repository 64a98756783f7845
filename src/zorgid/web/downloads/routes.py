"""The address of the download page, which an app that is too old names too."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from zorgid.login.setup import DOWNLOAD_PAGE
from zorgid.web.downloads.model import Downloads
from zorgid.web.edge import render
from zorgid.web.services import services_of


def routes(downloads: Downloads | None) -> Sequence[BaseRoute]:
    """Return the route of the page that offers these downloads."""

    async def show(request: Request) -> Response:
        """Show which version is needed, where it is, and how it is installed."""
        settings = services_of(request).settings
        return render(
            request,
            "pages/app.html",
            downloads=downloads,
            least_version=settings.least_app_version,
            is_demo=settings.is_demo,
        )

    return [Route(DOWNLOAD_PAGE, show, methods=["GET"])]
