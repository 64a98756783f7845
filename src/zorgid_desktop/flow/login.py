"""Proves who is there: from a launch link to a completed transaction (protocols.md 7.4)."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cardkit.errors import CardError
from cardkit.secrets import UZI_PIN
from cardkit.transport import Reader
from zorgid.kernel.secrets import Secret
from zorgid.protocol.context import Context, MeansUsed, Purpose, context_matches_act, still_open
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
from zorgid_desktop.flow.asking import Cancelled, Face, InsertCard, Said, Trouble, Wanted
from zorgid_desktop.flow.cards import FlowStopped, card_in, login_card, show_pin, trouble_of
from zorgid_desktop.flow.proof import prove_context
from zorgid_desktop.server import Platform, PlatformRefused, PlatformUnreachable

OpenBrowser = Callable[[str, Browser], None]
"""Opens an address in a browser; the address holds a one-time code and is never logged."""

ENDED = {
    TransactionState.completed: None,
    TransactionState.cancelled: "login-cancelled",
    TransactionState.aborted: "login-aborted",
    TransactionState.expired: "login-expired",
}


@dataclass(frozen=True)
class Surroundings:
    """What a flow needs besides the person: platform, reader, browser, clock."""

    platform: Platform
    reader: Reader
    open_browser: OpenBrowser
    now: Callable[[], datetime]


def log_in(around: Surroundings, face: Face, link: LaunchLink) -> Context:
    """Attach, show, sign, prove, and hand over to the browser that began; returns what was proved for.

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
        token = _proof(around, face, attached, link.handle)
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
    face.tell(Said("logged-in" if context.purpose is Purpose.login else "proof-completed"))
    return context


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


def _proof(around: Surroundings, face: Face, attached: AttachReply, handle: Secret) -> WebEidToken:
    """Ask for a card until one has signed; a card that was pulled may be put in again."""
    context = attached.context
    wanted = Wanted.uzi_card if context.accepts == (MeansUsed.uzi_card,) else Wanted.login_card
    trouble: Trouble | None = None
    while True:
        face.ask(InsertCard(trouble, wanted))
        try:
            with card_in(around.reader, UZI_PIN) as card:
                found = login_card(card)
                show_pin(face, card, context=context, holder=found.holder)
                try:
                    return prove_context(
                        card,
                        found.certificate,
                        challenge=decode(attached.challenge),
                        context=context,
                        handle=handle,
                    )
                finally:
                    card.log_out()
        except CardError as error:
            trouble = trouble_of(error)


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
