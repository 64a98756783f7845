"""Checks a card's proof in a transaction: `POST /desktop/v1/prove` (docs/desktop-protocol.md, chapter 5)."""

from dataclasses import dataclass

from zorgid.audit.actions import act, failures_told
from zorgid.audit.model import Actor, ActorKind, Event, Subject
from zorgid.kernel.secrets import Secret
from zorgid.login import actions, attaching, rules
from zorgid.login.means import recognise_means
from zorgid.login.model import Transaction
from zorgid.login.setup import AppRequest, LoginSetup
from zorgid.protocol.errors import ProofWrong
from zorgid.protocol.proof import WebEidToken, nonce_for, verify_token
from zorgid.storage.database import Database, Origin


@dataclass(frozen=True)
class ProofAccepted:
    """What the app learns of a good proof: the code for the browser, and the name to greet."""

    completion_code: Secret
    full_name: str


async def prove(
    database: Database,
    setup: LoginSetup,
    origin: Origin,
    *,
    incoming: AppRequest,
    handle: Secret,
    unverified_token: WebEidToken,
) -> ProofAccepted:
    """Check a proof and move its transaction to proved; nothing takes effect before the browser completes it.

    Nonce and origin are rebuilt from the platform's own row: a proof for another context, purpose, origin or
    link has a signature over other bytes. Foreign services are asked between two transactions, so the state
    is checked in both.

    Raises:
        Refusals of `attaching.attached_transaction`; `ProofMalformed`, `ProofWrong`; those of
        `recognise_means` and of `rules.require_fit`.
    """
    asking = Actor(ActorKind.app, reference=incoming.signature.thumbprint)
    on = Subject("login", "of-handle")
    async with act(database, origin, event=Event.login_proved, by=asking, on=on) as work:
        transaction = await attaching.attached_transaction(work, setup, incoming=incoming, handle=handle)
        rules.next_state(transaction.state, rules.Act.prove)
    told = failures_told(
        database,
        origin,
        event=Event.login_proved,
        by=_app(transaction),
        on=Subject("login", str(transaction.id)),
    )
    async with told:
        certificate_der = _verified(transaction, setup, handle, unverified_token)
        proved = rules.require_fit(
            await recognise_means(database, setup, origin, certificate_der),
            purpose=transaction.purpose,
            accepts=transaction.accepts,
        )
        async with database.work(origin) as work:
            current = await actions.open_transaction(work, handle)
            code = await actions.record_proof(work, setup, transaction=current, proved=proved)
    return ProofAccepted(code, proved.means.full_name)


def _verified(transaction: Transaction, setup: LoginSetup, handle: Secret, token: WebEidToken) -> bytes:
    if transaction.challenge is None or transaction.context is None:
        raise ProofWrong
    nonce = nonce_for(transaction.challenge, transaction.context, handle)
    return verify_token(token, origin=setup.origin, nonce=nonce)


def _app(transaction: Transaction) -> Actor:
    return Actor(ActorKind.app, reference=transaction.app_key.thumbprint() if transaction.app_key else None)
