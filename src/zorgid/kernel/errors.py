"""The two roots of all errors: `Refusal` when the rules say no, `Fault` when something broke.

Refusals are expected: they carry facts in typed fields and a stable code, and the edge turns them into an
answer and a sentence for people. Faults are logged with a reference and shown as "something went wrong" with
that reference.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

Checked = TypeVar("Checked")


class Refusal(Exception):
    """The rules say no; nothing was changed (but see `keeps_changes`).

    A subclass sets `code` and takes its facts as keyword arguments. The sentence for people stands in the
    catalogue under the code, never here.
    """

    code: ClassVar[str]
    """Stable name of the refusal, in kebab-case; part of the public interface."""

    status: ClassVar[int] = 403
    """HTTP status at the edge (RFC 9110, section 15)."""

    personal: ClassVar[frozenset[str]] = frozenset()
    """Names of the facts that may hold personal data; the logger drops them."""

    keeps_changes: ClassVar[bool] = False
    """True when what was written before the refusal must stay: a counted wrong try, a burnt code."""

    def __init__(self, **facts: Any) -> None:
        self.facts: dict[str, Any] = facts
        super().__init__(self.code)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "code"):
            msg = f"{cls.__name__} has no code"
            raise TypeError(msg)

    def loggable_facts(self) -> dict[str, Any]:
        """Return the facts that may be written to a log."""
        return {name: fact for name, fact in self.facts.items() if name not in self.personal}


class Fault(Exception):
    """Something broke that the rules do not speak of; the operator must look.

    The text is for the log and holds no personal data and no secret.
    """


def outcome(check: Callable[..., Checked], *facts: Any) -> Checked | Any:
    """Return what a check returns, or the refusal that it raises: where several are checked in one go."""
    try:
        return check(*facts)
    except Refusal as refusal:
        return refusal
