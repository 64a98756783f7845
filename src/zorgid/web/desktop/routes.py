"""The addresses of the Desktop App: a login, and the making of a card."""

from collections.abc import Awaitable, Callable
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from zorgid.audit.model import Actor, ActorKind, Event, Subject
from zorgid.ca.model import IssuedCertificate
from zorgid.issuance import actions as issuance
from zorgid.issuance import opening
from zorgid.issuance.certificates import certify
from zorgid.issuance.model import Issuance, IssuanceSetup
from zorgid.issuance.proving import proof_task, prove_new_card
from zorgid.kernel.secrets import Secret
from zorgid.login import actions as login
from zorgid.login import pulling
from zorgid.login.attaching import attach as attach_app
from zorgid.login.attaching import attached_transaction
from zorgid.login.proving import prove
from zorgid.login.rules import state_at
from zorgid.login.setup import AppRequest
from zorgid.protocol import messages
from zorgid.protocol.context import Message
from zorgid.protocol.messages import API, KeyUsage, TransactionState
from zorgid.storage.database import Work
from zorgid.web.desktop.reading import read_message
from zorgid.web.edge import act_of, origin_of, work_of
from zorgid.web.limits import ATTACH_PER_ADDRESS, SESSION_END_PER_ADDRESS, SESSION_PER_ADDRESS
from zorgid.web.services import services_of

HELD_SECONDS: Final = 20.0
"""How long the answer to a question after the state is held back while nothing changes."""


def routes() -> list[BaseRoute]:
    """Return the addresses under `/desktop/v1`."""
    answers: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/attach": attach,
        "/prove": prove_transaction,
        "/state": state,
        "/cancel": cancel,
        "/session": session_state,
        "/session/end": end_session,
        "/issuance/open": open_issuance,
        "/issuance/view": view,
        "/issuance/birth-date": birth_date,
        "/issuance/blank-card": blank_card,
        "/issuance/certificates": certificates,
        "/issuance/kept": kept,
        "/issuance/proof-task": new_card_task,
        "/issuance/prove": new_card_proof,
        "/issuance/abandon": abandon,
    }
    return [Route(API + path, handler, methods=["POST"]) for path, handler in answers.items()]


def answer(message: Message) -> Response:
    """Return a message as the answer; never kept anywhere."""
    return Response(
        message.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def attach(request: Request) -> Response:
    """Bind the app key to the transaction and tell what to show and sign."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.AttachRequest, ATTACH_PER_ADDRESS)
    by = Actor(ActorKind.app, reference=asked.app_key.thumbprint())
    async with act_of(request, event=Event.login_attached, by=by, on=Subject("login", "of-handle")) as work:
        services.login.require_app_version(asked.app_version)
        reply = await attach_app(
            work,
            services.login,
            incoming=incoming,
            handle=Secret.from_text(asked.handle),
            app_key=asked.app_key,
        )
    return answer(reply)


async def prove_transaction(request: Request) -> Response:
    """Check the card's proof; the answer holds the code for the browser."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.ProveRequest)
    accepted = await prove(
        services.database,
        services.login,
        origin_of(request),
        incoming=incoming,
        handle=Secret.from_text(asked.handle),
        unverified_token=asked.token,
    )
    return answer(
        messages.ProveReply(
            completion_code=accepted.completion_code.text_for_wire(), full_name=accepted.full_name
        )
    )


async def state(request: Request) -> Response:
    """Tell how far the transaction is, as soon as that differs from what the app has seen."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.StateRequest)
    handle = Secret.from_text(asked.handle)
    async with work_of(request) as work:
        transaction = await attached_transaction(work, services.login, incoming=incoming, handle=handle)
    with services.watch.expect(str(transaction.id)) as expected:
        current = await _current_state(request, handle)
        if current is asked.seen and await expected.wait(seconds=HELD_SECONDS):
            current = await _current_state(request, handle)
    return answer(messages.StateReply(state=current))


async def _current_state(request: Request, handle: Secret) -> TransactionState:
    async with work_of(request) as work:
        transaction = await login.open_transaction(work, handle)
        return state_at(transaction, now=work.now)


async def cancel(request: Request) -> Response:
    """End the transaction: the person does not want it."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.HandleRequest)
    handle = Secret.from_text(asked.handle)
    by = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    async with act_of(request, event=Event.login_cancelled, by=by, on=Subject("login", "of-handle")) as work:
        transaction = await attached_transaction(work, services.login, incoming=incoming, handle=handle)
        await login.cancel(work, transaction=transaction, by=by)
    return answer(messages.StateReply(state=TransactionState.cancelled))


async def session_state(request: Request) -> Response:
    """Tell whether the session of a completed login is still alive."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.HandleRequest, SESSION_PER_ADDRESS)
    handle = Secret.from_text(asked.handle)
    async with work_of(request) as work:
        transaction = await attached_transaction(work, services.login, incoming=incoming, handle=handle)
        return answer(await pulling.session_state(work, transaction))


async def end_session(request: Request) -> Response:
    """End the session of a completed login: its card was pulled (LOGIN-10)."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.HandleRequest, SESSION_END_PER_ADDRESS)
    handle = Secret.from_text(asked.handle)
    by = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    async with act_of(request, event=Event.session_ended, by=by, on=Subject("session", "of-handle")) as work:
        transaction = await attached_transaction(work, services.login, incoming=incoming, handle=handle)
        reply = await pulling.end_on_pull(work, transaction, by=by)
    return answer(reply)


async def open_issuance(request: Request) -> Response:
    """Open the making that a completed proof allows, or say why it is not allowed."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.HandleRequest)
    handle = Secret.from_text(asked.handle)
    by = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    async with act_of(
        request, event=Event.issuance_opened, by=by, on=Subject("issuance", "of-handle")
    ) as work:
        transaction = await attached_transaction(work, services.login, incoming=incoming, handle=handle)
        opened = await opening.open_issuance(work, services.issuance, transaction)
        reply = await issuance.view_of(work, opened)
    return answer(reply)


Step = Callable[[Work, IssuanceSetup, Issuance], Awaitable[Message]]


async def _step(request: Request, issuance_id: str, incoming: AppRequest, step: Step) -> Response:
    """Take one step of a making in one transaction; a refusal is in the log too."""
    setup = services_of(request).issuance
    by = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    on = Subject("issuance", issuance_id)
    async with act_of(request, event=Event.issuance_step_taken, by=by, on=on) as work:
        current = await issuance.issuance_of_app(work, setup, issuance_id=issuance_id, incoming=incoming)
        reply = await step(work, setup, current)
    return answer(reply)


async def view(request: Request) -> Response:
    """Tell how far the making is."""
    asked, incoming = await read_message(request, messages.IssuanceRequest)
    return await _step(
        request, asked.issuance_id, incoming, lambda work, _, current: issuance.view_of(work, current)
    )


async def birth_date(request: Request) -> Response:
    """Take the typed birth date."""
    asked, incoming = await read_message(request, messages.BirthDateRequest)

    async def step(work: Work, _: IssuanceSetup, current: Issuance) -> Message:
        moved = await issuance.state_birth_date(work, current, birth_on=asked.birth_on)
        return await issuance.view_of(work, moved)

    return await _step(request, asked.issuance_id, incoming, step)


async def blank_card(request: Request) -> Response:
    """Reserve the card in the reader and tell how to make it."""
    asked, incoming = await read_message(request, messages.BlankCardRequest)
    guid = bytes.fromhex(asked.guid) if asked.guid else None

    async def step(work: Work, setup: IssuanceSetup, current: Issuance) -> Message:
        return await issuance.reserve_blank_card(
            work, setup, current, chip_serial=asked.chip_serial, guid=guid
        )

    return await _step(request, asked.issuance_id, incoming, step)


async def certificates(request: Request) -> Response:
    """Certify the three keys of the card."""
    services = services_of(request)
    asked, incoming = await read_message(request, messages.CertificatesRequest)
    issued = await certify(
        services.database, services.issuance, origin_of(request), incoming=incoming, request=asked
    )
    return answer(_certificates_reply(services.issuance, issued))


def _certificates_reply(setup: IssuanceSetup, issued: list[IssuedCertificate]) -> messages.CertificatesReply:
    chain = [authority.certificate for authority in setup.chain]
    return messages.CertificatesReply(
        certificates={usage: messages.encode(one.der) for usage, one in zip(KeyUsage, issued, strict=True)},
        chain=tuple(messages.encode(one.public_bytes(Encoding.DER)) for one in chain),
        valid_until=issued[0].valid_until,
    )


async def kept(request: Request) -> Response:
    """Note that the certificates are on the card and that the person kept the PUK."""
    asked, incoming = await read_message(request, messages.IssuanceRequest)

    async def step(work: Work, _: IssuanceSetup, current: Issuance) -> Message:
        return await issuance.view_of(work, await issuance.keep_puk(work, current))

    return await _step(request, asked.issuance_id, incoming, step)


async def new_card_task(request: Request) -> Response:
    """Tell what the new card must show."""
    asked, incoming = await read_message(request, messages.IssuanceRequest)
    return await _step(request, asked.issuance_id, incoming, proof_task)


async def new_card_proof(request: Request) -> Response:
    """Check what the new card showed; the card becomes active."""
    asked, incoming = await read_message(request, messages.NewCardProof)

    async def step(work: Work, setup: IssuanceSetup, current: Issuance) -> Message:
        return await issuance.view_of(work, await prove_new_card(work, setup, current, proof=asked))

    return await _step(request, asked.issuance_id, incoming, step)


async def abandon(request: Request) -> Response:
    """Give the card up, emptied or not."""
    asked, incoming = await read_message(request, messages.AbandonRequest)

    async def step(work: Work, _: IssuanceSetup, current: Issuance) -> Message:
        given_up = await issuance.abandon_card(work, current, was_reset=asked.was_reset)
        return await issuance.view_of(work, given_up)

    return await _step(request, asked.issuance_id, incoming, step)
