"""Pages from templates, in Dutch and English (ALL-1).

Templates carry the Dutch text as message ids; the English stands in `.po` catalogues, which are read at
start, so that nothing has to be compiled beforehand and nothing can be stale.
"""

import gettext
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Self

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined

from zorgid.kernel.clock import AMSTERDAM
from zorgid.kernel.sentences import Language


@dataclass(frozen=True)
class TextFolder:
    """A package that brings `templates/` and `locale/en/*.po` to the pages: `zorgid.web`, `zorgid.demo`."""

    package: str

    def loader(self) -> BaseLoader:
        """Return what finds the templates of this package."""
        return PackageLoader(self.package)

    def catalogues(self) -> Sequence[Traversable]:
        """Return the English catalogues of this package, in a fixed order."""
        folder = files(self.package) / "locale" / "en"
        found = [file for file in folder.iterdir() if file.name.endswith(".po")]
        return sorted(found, key=lambda file: file.name)


OWN_TEXTS: Final = TextFolder("zorgid.web")


class Templates:
    """One Jinja environment per language, with every value escaped and every missing name an error."""

    def __init__(self, environments: Mapping[Language, Environment]) -> None:
        self._environments = dict(environments)

    @classmethod
    def load(cls, folders: Iterable[TextFolder] = (OWN_TEXTS,), **shared: Any) -> Self:
        """Read all catalogues and prepare the environments; `shared` names are visible in every template."""
        folders = tuple(folders)
        english = read_catalogues(file for folder in folders for file in folder.catalogues())
        translations = {Language.nl: gettext.NullTranslations(), Language.en: english}
        loader = ChoiceLoader([folder.loader() for folder in folders])
        return cls(
            {
                language: _environment(loader, translations[language], language, shared)
                for language in Language
            }
        )

    def render(self, name: str, language: Language, context: Mapping[str, Any]) -> str:
        """Return the page `name` in `language`. Raises `jinja2.UndefinedError` for a missing name."""
        return self._environments[language].get_template(name).render(context)


def read_catalogues(catalogues: Iterable[Traversable]) -> gettext.GNUTranslations:
    """Return one translation of all `.po` files together; a text that stands in several must agree.

    Raises:
        ValueError: two catalogues translate the same text differently.
    """
    merged = gettext.GNUTranslations(_compiled(b'msgid ""\nmsgstr ""\n'))
    texts = _texts_of(merged)
    for file in catalogues:
        for text, translation in _texts_of(gettext.GNUTranslations(_compiled(file.read_bytes()))).items():
            if text and texts.setdefault(text, translation) != translation:
                raise ValueError(f"{file.name}: {text!r} is translated differently elsewhere")
    return merged


def _texts_of(translations: gettext.GNUTranslations) -> dict[Any, str]:
    """Return the texts of a translation; the standard library has no public way to merge them."""
    texts: dict[Any, str] = translations._catalog  # type: ignore[attr-defined]  # noqa: SLF001
    return texts


def _compiled(source: bytes) -> io.BytesIO:
    """Return a `.po` file as the binary form that the standard library reads."""
    binary = io.BytesIO()
    write_mo(binary, read_po(io.BytesIO(source), locale="en", charset="utf-8"))
    binary.seek(0)
    return binary


def _environment(
    loader: BaseLoader, translations: gettext.NullTranslations, language: Language, shared: Mapping[str, Any]
) -> Environment:
    """Return the environment of one language."""
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    install = environment.install_gettext_translations  # type: ignore[attr-defined]  # made by the extension
    install(translations, newstyle=True)
    environment.globals.update(shared, language=language.value)
    environment.filters["day"] = partial(day_text, language=language)
    environment.filters["moment"] = partial(moment_text, language=language)
    return environment


def day_text(value: date | datetime, language: Language) -> str:
    """Return a day in words, on the Dutch calendar: "21 november 2026" or "21 November 2026" (ALL-6)."""
    day = value.astimezone(AMSTERDAM).date() if isinstance(value, datetime) else value
    return format_date(day, "d MMMM y", locale=language.value)


def moment_text(value: datetime, language: Language) -> str:
    """Return a moment in words, in Dutch time: "21 november 2026, 18:04" (ALL-6)."""
    return format_datetime(value, "d MMMM y, HH:mm", tzinfo=AMSTERDAM, locale=language.value)
