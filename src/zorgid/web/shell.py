"""Loads what every page shares: style sheet, templates and sentences."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Final

from zorgid.kernel.sentences import Sentences
from zorgid.settings import Settings
from zorgid.web.desktop_lines import DesktopLines
from zorgid.web.static_files import StaticFiles
from zorgid.web.templates import OWN_TEXTS, Templates, TextFolder

OWN_PACKAGE: Final = "zorgid.web"


def static_files(more_packages: Iterable[str] = ()) -> StaticFiles:
    """Return the style sheets and scripts of the web and of `more_packages`."""
    return StaticFiles((OWN_PACKAGE, *more_packages))


def page_templates(
    settings: Settings,
    static: StaticFiles,
    more: Iterable[TextFolder] = (),
    *,
    virtual_workplace: str | None = None,
) -> Templates:
    """Return the templates of the web and of `more`, with what every page shows."""
    return Templates.load(
        (OWN_TEXTS, *more),
        static=static.address,
        stand_in_environment=settings.allows_stand_ins,
        virtual_workplace=virtual_workplace,
        desktop_lines=DesktopLines.of(settings, has_cards=virtual_workplace is not None),
    )


def load_sentences() -> Sentences:
    """Return the sentences of all refusals."""
    folder = files(OWN_PACKAGE) / "sentences"
    found = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return Sentences.load(sorted(found, key=lambda file: file.name))
