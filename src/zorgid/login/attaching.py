"""The app's side of a login transaction: it attaches, and signs each request with the key that it brought."""

import hashlib

from zorgid.audit.actions import record
from zorgid.audit.model import Event
from zorgid.kernel.secrets import Secret
from zorgid.login import actions, rules, store
from zorgid.login.errors import AttachedElsewhere, RequestOutOfOrder
from zorgid.login.model import Transaction
from zorgid.login.setup import AppRequest, LoginSetup
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.context import Context, sha256_of_act
from zorgid.protocol.errors import AppSignatureWrong
from zorgid.protocol.messages import AttachReply, TransactionState, encode
from zorgid.protocol.proof import CHALLENGE_BYTES
from zorgid.storage.database import Work


async def attach(
    work: Work, setup: LoginSetup, *, incoming: AppRequest, handle: Secret, app_key: AppKey
) -> AttachReply:
    """Bind a new transaction to the app key that signed this request, and tell what to show and to sign.

    The same key may ask again and gets the same answer; another key aborts the transaction for both.

    Raises:
        TransactionUnknown, TransactionExpired, TransactionNotOpen: it cannot be attached to.
        AttachedElsewhere: another app was first; nobody goes on with it.
        AppSignatureWrong: the request was not signed by the key that it brings.
    """
    transaction = await actions.open_transaction(work, handle)
    counter = incoming.verified(setup, app_key)
    rules.next_state(transaction.state, rules.Act.attach)
    if transaction.app_key is not None and transaction.app_key != app_key:
        await actions.abort(work, transaction, "attached-elsewhere")
        raise AttachedElsewhere
    await store.remember_app_key(work, app_key)
    await _take_note(work, incoming, app_key, counter)
    if transaction.state is TransactionState.attached:
        return _reply(transaction)
    return await _attach_first(work, setup, transaction, app_key)


async def _attach_first(
    work: Work, setup: LoginSetup, transaction: Transaction, app_key: AppKey
) -> AttachReply:
    challenge = work.random(CHALLENGE_BYTES)
    context = context_of(transaction, setup, app_key)
    await store.attach(
        work,
        transaction_id=transaction.id,
        thumbprint=app_key.thumbprint(),
        challenge=challenge,
        context=context,
    )
    await work.notify(actions.CHANNEL, str(transaction.id))
    await record(
        work,
        event=Event.login_attached,
        by=actions.app_actor(app_key),
        on=actions.subject(transaction.id),
        was="new",
        becomes="attached",
    )
    return AttachReply(challenge=encode(challenge), context=context)


def _reply(transaction: Transaction) -> AttachReply:
    assert transaction.challenge is not None
    assert transaction.context is not None
    return AttachReply(challenge=encode(transaction.challenge), context=transaction.context)


def context_of(transaction: Transaction, setup: LoginSetup, app_key: AppKey) -> Context:
    """Return what the app shows and the card signs for this transaction."""
    shown = transaction.shown
    return Context(
        origin=setup.origin,
        care_application=shown.client_name,
        organisation=shown.organisation_name,
        purpose=transaction.purpose,
        act=shown.act,
        act_sha256=sha256_of_act(shown.act) if shown.act is not None else None,
        acr=transaction.acr,
        accepts=transaction.accepts,
        expires_at=transaction.expires_at,
        app_key=app_key.thumbprint(),
    )


async def _take_note(work: Work, incoming: AppRequest, key: AppKey, counter: int) -> bool:
    """Tell whether this very request came before. Raises `RequestOutOfOrder`."""
    digest = hashlib.sha256(incoming.path.encode() + b"\0" + incoming.body).digest()
    before = await store.advance_counter(
        work, thumbprint=key.thumbprint(), counter=counter, body_sha256=digest
    )
    if before is None:
        raise RequestOutOfOrder
    return before == counter


async def accept_app_request(work: Work, setup: LoginSetup, incoming: AppRequest, key: AppKey | None) -> bool:
    """Check that the app signed this request, and tell whether this very request came before (ALL-8).

    Raises:
        AppSignatureWrong: nobody attached yet, or another key signed.
        RequestOutOfOrder: a replay.
    """
    if key is None:
        raise AppSignatureWrong
    return await _take_note(work, incoming, key, incoming.verified(setup, key))


async def attached_transaction(
    work: Work, setup: LoginSetup, *, incoming: AppRequest, handle: Secret
) -> Transaction:
    """Return the transaction that a signed request of its app is about. Raises as its parts do."""
    transaction = await actions.open_transaction(work, handle)
    await accept_app_request(work, setup, incoming, transaction.app_key)
    return transaction
