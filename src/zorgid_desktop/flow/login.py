"""Proves who is there: from a launch link to a completed transaction (docs/desktop-protocol.md)."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cardkit.errors import CardError
from cardkit.readers import Readers
from cardkit.secrets import UZI_PIN
from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, Purpose, context_matches_act, still_open
from zorgid.protocol.links import Browser, LaunchLink, completion_address
from zorgid.protocol.messages import (
    AttachReply,
    AttachRequest,
    HandleRequest,
    ProveReply,
    ProveRequest,
    StateReply,
    StateRequest,
    TransactionState,
    decode,
)
from zorgid.protocol.proof import WebEidToken
from zorgid_desktop import APP_VERSION
from zorgid_desktop.flow.asking import Cancelled, Face, InsertCard, Said, SeenCard, Trouble
from zorgid_desktop.flow.cards import FlowStopped, WrongCard, show_pin, trouble_of
from zorgid_desktop.flow.choosing import Need, card_in
from zorgid_desktop.flow.proof import prove_context
from zorgid_desktop.flow.seeing import OpenCard
from zorgid_desktop.server import Platform, PlatformRefused, PlatformUnreachable

OpenBrowser = Callable[[str, Browser], None]
"""Opens an address in a browser; the address holds a one-time code and is never logged."""

COMPLETED: Final[Mapping[Purpose, str]] = {
    Purpose.login: "logged-in",
    Purpose.make_card: "proof-completed",
}
"""What is said of a completed proof by what it was for.

With any other, such as an organisation that was validated, the person goes on in the browser.
"""

ENDED = {
    TransactionState.completed: None,
    TransactionState.cancelled: "login-cancelled",
    TransactionState.aborted: "login-aborted",
    TransactionState.expired: "login-expired",
}


@dataclass(frozen=True)
class Surroundings:
    """What a flow needs besides the person: platform, readers, browser, clock."""

    platform: Platform
    readers: Readers
    open_browser: OpenBrowser
    now: Callable[[], datetime]


@dataclass(frozen=True)
class LoggedIn:
    """A completed login: what was proved, and with which card in which reader."""

    context: Context
    card: SeenCard


def log_in(around: Surroundings, face: Face, link: LaunchLink) -> LoggedIn:
    """Attach, show, sign, prove, and hand over to the browser that began; returns what was proved.

    Raises:
        FlowStopped: with what to tell the person.
        PlatformRefused, PlatformUnreachable: from the calls.
        Cancelled: the person stopped it; the platform knows.
    """
    attached = around.platform.call(
        "/attach",
        AttachRequest(
            handle=link.handle.text_for_wire(), app_key=around.platform.app_key, app_version=APP_VERSION
        ),
        AttachReply,
    )
    context = _trusted(attached.context, around)
    try:
        token, card = _proof(around, face, attached, link.handle)
        proved = around.platform.call(
            "/prove", ProveRequest(handle=link.handle.text_for_wire(), token=token), ProveReply
        )
    except (Cancelled, FlowStopped, PlatformRefused):
        _tell_browser_that_it_is_over(around, link.handle)
        raise
    face.tell(Said("proved", {"full_name": proved.full_name}))
    code = Secret.from_text(proved.completion_code)
    around.open_browser(completion_address(around.platform.origin, link.handle, code), link.browser)
    _await_completion(around, link.handle)
    face.tell(Said(COMPLETED.get(context.purpose, "act-completed")))
    return LoggedIn(context, card)


def _tell_browser_that_it_is_over(around: Surroundings, handle: Secret) -> None:
    """End the transaction, so that the waiting page does not go on pointing at an app that has ended."""
    with contextlib.suppress(PlatformRefused, PlatformUnreachable):
        around.platform.call("/cancel", HandleRequest(handle=handle.text_for_wire()), StateReply)


def _trusted(context: Context, around: Surroundings) -> Context:
    """Return the context when it is this platform's, for this app, and shows what it hashes.

    Nothing else is shown.
    """
    is_ours = (
        context.origin == around.platform.origin and context.app_key == around.platform.app_key.thumbprint()
    )
    if not is_ours or not context_matches_act(context) or not still_open(context, now=around.now()):
        raise FlowStopped(Said("context-not-trusted"))
    return context


def _proof(
    around: Surroundings, face: Face, attached: AttachReply, handle: Secret
) -> tuple[WebEidToken, SeenCard]:
    """Ask for a card until one has signed; a card that was pulled may be put in again."""
    need = Need.of_login(attached.context.accepts)
    trouble: Trouble | None = None
    while True:
        face.ask(InsertCard(trouble, need.wanted))
        try:
            with card_in(around.readers, face, need, UZI_PIN) as found:
                return _signed(face, found, attached, handle), found.seen
        except CardError as error:
            trouble = trouble_of(error)
        except WrongCard as wrong:
            trouble = wrong.said


def _signed(face: Face, found: OpenCard, attached: AttachReply, handle: Secret) -> WebEidToken:
    """Ask the PIN once the context was shown, and let the card sign it; its PIN state is cleared."""
    certificate, context = found.authentication, attached.context
    show_pin(face, found.card, context=context, holder=found.seen.holder or "?")
    try:
        return prove_context(
            found.card, certificate, challenge=decode(attached.challenge), context=context, handle=handle
        )
    finally:
        found.card.log_out()


def _await_completion(around: Surroundings, handle: Secret) -> None:
    """Wait until the browser that began has completed the transaction.

    Raises `FlowStopped` when it does not.
    """
    state = TransactionState.proved
    while state not in ENDED:
        asked = StateRequest(handle=handle.text_for_wire(), seen=state)
        state = around.platform.call("/state", asked, StateReply).state
    why = ENDED[state]
    if why is not None:
        raise FlowStopped(Said(why))
