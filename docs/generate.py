"""Fills those parts of the pages that follow from the code: `make docs`.

A part stands between `<!-- made by docs/generate.py: NAME -->` and `<!-- until here -->`. A test compares the
pages with what would be made now, so that code and documentation cannot drift apart.
"""  # noqa: INP001 - a script, in no package

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

import zorgid
from zorgid.audit.model import Event
from zorgid.cards import rules as cards
from zorgid.issuance import rules as issuance
from zorgid.kernel.errors import Refusal
from zorgid.kernel.secrets import Secret
from zorgid.kernel.sentences import Language
from zorgid.login import rules as login
from zorgid.oidc.errors import OAuthRefusal
from zorgid.organisations import rules as organisations
from zorgid.protocol import messages
from zorgid.protocol.app_key import AppKey, signed_bytes
from zorgid.protocol.context import Context, MeansUsed, Message, Purpose
from zorgid.protocol.messages import HandleRequest, encode
from zorgid.protocol.proof import WebEidToken, bytes_to_sign, nonce_for
from zorgid.roles import rules as roles
from zorgid.stock import rules as stock
from zorgid.web import limits
from zorgid.web.shell import load_sentences

HERE: Final = Path(__file__).parent


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


# Refusals.


def all_refusals() -> list[type[Refusal]]:
    """Return every refusal of the platform that has a code of its own, by part and code."""
    for module in pkgutil.walk_packages(zorgid.__path__, "zorgid."):
        if not module.name.startswith("zorgid.demo"):
            importlib.import_module(module.name)
    ours = {kind for kind in _below(Refusal) if re.match(r"zorgid\.(?!demo\.)", kind.__module__)}
    ours.discard(OAuthRefusal)  # the root of the others, which is never raised itself
    return sorted(ours, key=lambda kind: (_part(kind), kind.code))


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _part(kind: type[Refusal]) -> str:
    return kind.__module__.split(".")[1]


def refusals() -> str:
    """Return a table of refusals for each part of the platform."""
    known = all_refusals()
    head = ("code", "status", "when, and who solves it", "sentence, and *next step*")
    return "\n\n".join(
        f"## {part}\n\n{table(head, [_refusal_row(kind) for kind in known if _part(kind) == part])}"
        for part in dict.fromkeys(_part(kind) for kind in known)
    )


class _Name(str):
    """The name of a fact, which stands where the fact would, whatever form that would have."""

    __slots__ = ()

    def __format__(self, _form: str) -> str:
        return "{" + self + "}"


def _refusal_row(kind: type[Refusal]) -> tuple[str, str, str, str]:
    status = f"{kind.status}, keeps" if kind.keeps_changes else str(kind.status)
    return f"`{kind.code}`", status, inspect.cleandoc(kind.__doc__ or ""), _sentence_of(kind.code)


def _sentence_of(code: str) -> str:
    sentences = load_sentences()
    if code not in sentences.codes():
        return "no person sees it"
    facts = {name: _Name(name) for name in sentences.names_in(code)}
    sentence = sentences.sentence(code, facts, Language.nl)
    return f"{sentence.text} *{sentence.next_step}*"


# States, rights, kinds, limits and events.

State = TypeVar("State", bound=StrEnum)
Act = TypeVar("Act", bound=StrEnum)


def ways(transitions: Mapping[tuple[State, Act], State]) -> str:
    """Return the transitions of a life cycle as a table."""
    rows = [(f"`{was}`", f"`{act}`", f"`{becomes}`") for (was, act), becomes in transitions.items()]
    return table(("from", "by", "to"), rows)


def rights() -> str:
    """Return the table of rights."""
    rows = [(f"`{role}`", f"`{act}`", f"`{scope}`") for role, act, scope in roles.RIGHTS]
    return table(("as", "may", "on"), rows)


def purposes() -> str:
    """Return what each purpose of a login transaction accepts."""
    rows = [
        (f"`{name}`", _listed(sorted(rule.means)), _listed(sorted(rule.uzi_types)))
        for name, rule in login.PURPOSES.items()
    ]
    return table(("purpose", "kinds of means", "types of UZI card"), rows)


def kinds() -> str:
    """Return the kinds of cards."""
    rows = [
        (
            f"`{kind.name}`",
            f"yes, root `{kind.attestation_root}`" if kind.attestation_root else "no",
            f"{kind.pin_rule.shortest} to {kind.pin_rule.longest} "
            + ("digits" if kind.pin_rule.digits_only else "letters and digits"),
            _listed(kind.key_kinds),
            f"`{kind.level}`",
            "yes" if kind.is_stand_in else "no",
        )
        for kind in stock.KINDS.values()
    ]
    head = ("kind", "proves where its keys were made", "PIN", "keys, default first", "level", "stand-in")
    return table(head, rows)


def all_limits() -> str:
    """Return the limits on requests."""
    found = [value for _, value in inspect.getmembers(limits) if isinstance(value, limits.Limit)]
    rows = [
        (
            f"`{limit.name}`",
            f"{limit.most} in {int(limit.per.total_seconds())} s",
            "all nodes together" if limit.is_shared else "each node",
        )
        for limit in sorted(found, key=lambda limit: limit.name)
    ]
    return table(("limit", "allowance", "counted by"), rows)


def events() -> str:
    """Return the events of the audit log."""
    return _listed(Event)


# Messages of the desktop protocol.

LONGEST_BASE64: Final = 20_000

PLAIN_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "date-time": "time (RFC 3339)",
    "date": "day (`YYYY-MM-DD`)",
}


def all_messages() -> list[type[Message]]:
    """Return every message of the desktop protocol in the order of the code, the parts they share last."""
    own = [kind for _, kind in inspect.getmembers(messages, _is_own_message)]
    own.sort(key=lambda kind: inspect.getsourcelines(kind)[1])
    return [*own, Context, AppKey, WebEidToken]


def _is_own_message(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Message) and thing.__module__ == messages.__name__


def message_tables() -> str:
    """Return a table of fields for each message."""
    return "\n\n".join(
        f"### {kind.__name__}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n\n{_fields(kind)}"
        for kind in all_messages()
    )


def _fields(kind: type[Message]) -> str:
    schema = kind.model_json_schema()
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", Form(schema.get("$defs", {})).of(part), "" if name in required else "may be left out")
        for name, part in schema["properties"].items()
    ]
    return table(("field", "form", ""), rows)


class Form:
    """Puts the JSON Schema of a field into words."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def of(self, part: Mapping[str, Any]) -> str:
        """Return the words for a part of a schema."""
        if "anyOf" in part:
            return " or ".join(self.of(one) for one in part["anyOf"])
        if "$ref" in part:
            return self._named(part["$ref"].rpartition("/")[2])
        if "const" in part:
            return f"`{part['const']}`"
        if "enum" in part:
            return f"one of {_listed(part['enum'])}"
        return self._typed(part)

    def _named(self, name: str) -> str:
        definition = self._definitions[name]
        return self.of(definition) if "enum" in definition else f"[{name}](#{name.lower()})"

    def _typed(self, part: Mapping[str, Any]) -> str:
        if "prefixItems" in part:
            return f"array of {len(part['prefixItems'])} times {self.of(part['prefixItems'][0])}"
        if part["type"] == "array":
            return f"array of {self.of(part['items'])}"
        if part["type"] == "object":
            return f"object of {self.of(part['additionalProperties'])}, by name"
        if part.get("maxLength") == LONGEST_BASE64:
            return "base64"
        if "pattern" in part:
            return f"text `{part['pattern']}`"
        return PLAIN_TYPES[part.get("format", part["type"])]


# An example of the desktop protocol, computed by the platform's own functions.

EXAMPLE_HANDLE: Final = Secret(bytes(range(16)))
EXAMPLE_CHALLENGE: Final = bytes(range(32))
EXAMPLE_KEY: Final = ec.derive_private_key(int.from_bytes(bytes(range(1, 33)), "big"), ec.SECP256R1())
EXAMPLE_CONTEXT: Final = Context(
    origin="https://zorg-id.example",
    care_application="Demo-HIS",
    purpose=Purpose.login,
    accepts=(MeansUsed.uzi_card, MeansUsed.smartcard),
    expires_at=datetime(2026, 11, 21, 12, 5, tzinfo=UTC),
    app_key=AppKey.of(EXAMPLE_KEY.public_key()).thumbprint(),
)


def example() -> str:
    """Return an example with every value that is hashed on the way to a proof."""
    nonce = nonce_for(EXAMPLE_CHALLENGE, EXAMPLE_CONTEXT, EXAMPLE_HANDLE)
    body = HandleRequest(handle=EXAMPLE_HANDLE.text_for_wire()).model_dump_json().encode()
    signed = signed_bytes(
        origin=EXAMPLE_CONTEXT.origin, method="POST", path="/desktop/v1/cancel", body=body, counter=3
    )
    values = {
        "handle": EXAMPLE_HANDLE.text_for_wire(),
        "challenge": encode(EXAMPLE_CHALLENGE),
        "app key, private (d, hexadecimal)": bytes(range(1, 33)).hex(),
        "app key, thumbprint": EXAMPLE_CONTEXT.app_key,
        "canonical context": EXAMPLE_CONTEXT.canonical().decode(),
        "nonce": nonce,
        "what an ES256 or RS256 key signs (hexadecimal)": bytes_to_sign(
            EXAMPLE_CONTEXT.origin, nonce, "ES256"
        ).hex(),
        "body of a request": body.decode(),
        "what the app key signs for it, as request 3 to /desktop/v1/cancel": signed.decode(),
    }
    return "\n\n".join(f"{name}:\n\n    {value}" for name, value in values.items())


# Putting it where it belongs.

PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "refusals": refusals,
    "cards": lambda: ways(cards.TRANSITIONS),
    "issuance": lambda: ways(issuance.STEPS),
    "login": lambda: ways(login.TRANSITIONS),
    "stock": lambda: ways(stock.TRANSITIONS),
    "organisations": lambda: ways(organisations.TRANSITIONS),
    "rights": rights,
    "purposes": purposes,
    "kinds": kinds,
    "limits": all_limits,
    "events": events,
    "messages": message_tables,
    "example": example,
}

PART: Final = re.compile(
    r"(?P<begin><!-- made by docs/generate\.py: (?P<name>[a-z]+) -->\n).*?(?P<end><!-- until here -->)",
    re.DOTALL,
)


def filled(page: str) -> str:
    """Return a page with every part made anew."""
    return PART.sub(lambda part: f"{part['begin']}\n{PARTS[part['name']]()}\n\n{part['end']}", page)


def pages() -> list[Path]:
    """Return the pages that have such parts."""
    return [page for page in sorted(HERE.glob("*.md")) if PART.search(page.read_text(encoding="utf-8"))]


def main() -> None:
    """Fill every page, and say which changed."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")
            sys.stdout.write(f"docs/{page.name}\n")


if __name__ == "__main__":
    main()
