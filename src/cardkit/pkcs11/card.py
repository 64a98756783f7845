"""A token behind a module as a `cardkit.card.Card`."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from cardkit.card import Card
from cardkit.pkcs11.making import Pkcs11Making


@final
class Pkcs11Card(Pkcs11Making):
    """A token in a session of its own, opened by `readers.Pkcs11Reader`; it fulfils `cardkit.card.Card`."""


if TYPE_CHECKING:
    _keeps_the_promise: type[Card] = Pkcs11Card
