"""The steps of a login transaction, a function each (docs/tables.md); the app's own are in `attaching`."""

from collections.abc import Sequence
from datetime import datetime

from zorgid.audit.actions import record
from zorgid.audit.model import BROWSER, SYSTEM, Actor, ActorKind, Event, Outcome, Subject
from zorgid.kernel.ids import PersonId, TransactionId, new_id
from zorgid.kernel.secrets import Secret
from zorgid.login import rules, store
from zorgid.login.errors import (
    CompletedElsewhere,
    CompletionWrong,
    TransactionExpired,
    TransactionNotOpen,
    TransactionUnknown,
)
from zorgid.login.model import Begun, Completed, MeansUsed, ProvedCard, Purpose, Shown, Transaction
from zorgid.login.people import person_of
from zorgid.login.setup import LoginSetup
from zorgid.protocol.app_key import AppKey
from zorgid.protocol.messages import TransactionState
from zorgid.storage.database import Work

CHANNEL = "login"
"""Where nodes hear that a transaction moved; the payload is its id."""


def subject(transaction_id: TransactionId) -> Subject:
    """Return what the log calls a transaction."""
    return Subject("login", str(transaction_id))


def app_actor(key: AppKey) -> Actor:
    """Return what the log calls an app."""
    return Actor(ActorKind.app, reference=key.thumbprint())


async def begin_transaction(
    work: Work,
    setup: LoginSetup,
    *,
    purpose: Purpose,
    shown: Shown,
    return_to: str,
    accepts: Sequence[MeansUsed] = tuple(MeansUsed),
    acr: str | None = None,
    browser: str = "default",
) -> Begun:
    """Begin a transaction for the browser that asks; it lasts five minutes.

    `return_to` is a path on this host, where the browser goes after completing. Raises `ValueError` for any
    other.
    """
    if not rules.is_local_path(return_to):
        msg = "return_to is not a local path"
        raise ValueError(msg)
    transaction_id = TransactionId(new_id(work.random))
    cookie = Secret.new(32, work.random)
    handle = setup.handle_of(transaction_id)
    expires_at = work.now + rules.TRANSACTION_LASTS
    await store.insert_transaction(
        work,
        transaction_id=transaction_id,
        handle_hash=handle.digest(),
        cookie_hash=cookie.digest(),
        purpose=purpose,
        shown=shown,
        acr=acr,
        accepts=accepts,
        return_to=return_to,
        browser=browser,
        expires_at=expires_at,
    )
    by = Actor(ActorKind.client, reference=shown.client_id) if shown.client_id else BROWSER
    await record(
        work,
        event=Event.login_begun,
        by=by,
        on=subject(transaction_id),
        facts={"purpose": purpose},
        becomes="new",
    )
    return Begun(transaction_id, cookie, handle, expires_at)


async def transaction_of_browser(work: Work, cookie: Secret, *, lock: bool = False) -> Transaction:
    """Return the transaction that this browser began. Raises `TransactionUnknown`."""
    found = await store.transaction_by_cookie(work, cookie.digest(), lock=lock)
    if found is None:
        raise TransactionUnknown
    return found


async def open_transaction(work: Work, handle: Secret) -> Transaction:
    """Return the transaction of a handle, locked, while it can still be gone on with.

    Raises:
        TransactionUnknown: the handle names none.
        TransactionExpired: its five minutes, or the minute of its completion code, have passed.
    """
    found = await store.transaction_by_handle(work, handle.digest(), lock=True)
    if found is None:
        raise TransactionUnknown
    if found.state is not TransactionState.completed and work.now >= found.expires_at:
        raise TransactionExpired
    return found


async def record_proof(
    work: Work, setup: LoginSetup, *, transaction: Transaction, proved: ProvedCard
) -> Secret:
    """Move an attached transaction to proved and return the completion code. Nothing takes effect yet.

    The same card again, before the code was used, gets the same code (ALL-8).

    Raises:
        TransactionNotOpen: it was cancelled, aborted or completed meanwhile.
    """
    code = setup.completion_code_of(transaction.id)
    if transaction.state is TransactionState.proved:
        assert transaction.proved is not None
        if transaction.proved.certificate_der == proved.certificate_der:
            return code
        raise TransactionNotOpen(state=transaction.state)
    moved = await store.prove(
        work,
        transaction_id=transaction.id,
        proved=proved,
        completion_hash=code.digest(),
        completion_expires_at=min(work.now + rules.COMPLETION_LASTS, transaction.expires_at),
    )
    if not moved:
        raise TransactionNotOpen(state=transaction.state)
    assert transaction.app_key is not None
    await work.notify(CHANNEL, str(transaction.id))
    await record(
        work,
        event=Event.login_proved,
        by=app_actor(transaction.app_key),
        on=subject(transaction.id),
        was="attached",
        becomes="proved",
        facts={"means": proved.means.kind, "level": proved.means.level},
        personal={"uzi_number": proved.means.uzi_number, "ura": proved.means.ura},
    )
    return code


async def complete(work: Work, *, cookie: Secret | None, handle: Secret, code: Secret) -> Completed:
    """Complete a proved transaction in the browser that began it, once, within a minute.

    The person is looked up here, and made known when the UZI number was never seen before.

    Raises:
        TransactionUnknown: the handle names no transaction.
        CompletedElsewhere: another browser came with the code; it is burnt.
        CompletionWrong: wrong code, used before, or too late; the transaction is burnt when the code is
        wrong.
    """
    transaction = await store.transaction_by_handle(work, handle.digest(), lock=True)
    if transaction is None:
        raise TransactionUnknown
    own = await store.transaction_by_cookie(work, cookie.digest()) if cookie else None
    if own is None or own.id != transaction.id:
        await abort(work, transaction, "completed-elsewhere")
        raise CompletedElsewhere
    if transaction.state is not TransactionState.proved or transaction.proved is None:
        raise CompletionWrong
    if not await store.use_completion_code(
        work, transaction_id=transaction.id, completion_hash=code.digest()
    ):
        await abort(work, transaction, "completion-wrong")
        raise CompletionWrong
    person_id = await person_of(work, transaction.proved)
    await store.name_person(work, transaction_id=transaction.id, person_id=person_id)
    return await _completed(work, transaction, person_id)


async def _completed(work: Work, transaction: Transaction, person_id: PersonId) -> Completed:
    assert transaction.proved is not None
    await work.notify(CHANNEL, str(transaction.id))
    await record(
        work,
        event=Event.login_completed,
        by=Actor(ActorKind.person, person_id=person_id, means=transaction.proved.means.kind),
        on=subject(transaction.id),
        was="proved",
        becomes="completed",
        facts={"purpose": transaction.purpose, "client": transaction.shown.client_id or ""},
    )
    return _completed_of(transaction, person_id)


async def cancel(work: Work, *, transaction: Transaction, by: Actor) -> None:
    """End a transaction that the person does not want, in the app or in the browser."""
    becomes = rules.next_state(transaction.state, rules.Act.cancel)
    if transaction.state is becomes:
        return
    await store.move(work, transaction_id=transaction.id, before=[transaction.state], after=becomes)
    await work.notify(CHANNEL, str(transaction.id))
    await record(
        work,
        event=Event.login_cancelled,
        by=by,
        on=subject(transaction.id),
        was=transaction.state,
        becomes=becomes,
    )


def completed_proof(transaction: Transaction, purpose: Purpose, *, now: datetime) -> Completed:
    """Return what a transaction proved, while its ten minutes last.

    Raises:
        TransactionNotOpen: the proof is for another purpose, was not completed, or is too old.
    """
    if (
        transaction.purpose is not purpose
        or transaction.completed_at is None
        or now >= transaction.completed_at + rules.CONFIRMATION_LASTS
    ):
        raise TransactionNotOpen(state=transaction.state)
    assert transaction.person_id is not None
    return _completed_of(transaction, transaction.person_id)


def _completed_of(transaction: Transaction, person_id: PersonId) -> Completed:
    assert transaction.proved is not None
    assert transaction.app_key is not None
    return Completed(
        transaction_id=transaction.id,
        purpose=transaction.purpose,
        person_id=person_id,
        proved=transaction.proved,
        app_key=transaction.app_key,
        return_to=transaction.return_to,
    )


def actor_of(transaction: Transaction) -> Actor:
    """Return who acts in the browser of a transaction: the person who completed it, before that whoever."""
    if transaction.person_id is None or transaction.proved is None:
        return BROWSER
    return Actor(ActorKind.person, person_id=transaction.person_id, means=transaction.proved.means.kind)


async def use_proof(work: Work, completed: Completed) -> Completed:
    """Use a completed proof up for its act. Raises `TransactionNotOpen` when it was used before."""
    if not await store.use_completed(work, completed.transaction_id):
        raise TransactionNotOpen(state=TransactionState.completed)
    return completed


async def abort(work: Work, transaction: Transaction, why: str) -> None:
    """End a transaction for both sides, unless it has ended already; `why` goes into the log."""
    before = rules.states_before(rules.Act.abort)
    if not await store.move(
        work, transaction_id=transaction.id, before=before, after=TransactionState.aborted
    ):
        return
    await work.notify(CHANNEL, str(transaction.id))
    await record(
        work,
        event=Event.login_aborted,
        by=SYSTEM,
        on=subject(transaction.id),
        outcome=Outcome.refused,
        was=transaction.state,
        becomes="aborted",
        facts={"why": why},
    )


async def sweep(work: Work) -> None:
    """Expire what was left open, raise the alarm for proofs that never came home, drop what is long over.

    A proof that was not completed in the browser that began is recorded as a probable phishing attempt
    (docs/desktop-protocol.md, chapter 6).
    """
    for transaction_id in await store.alarm_uncompleted(work, proved_before=work.now):
        await record(
            work,
            event=Event.login_not_completed,
            by=SYSTEM,
            on=subject(transaction_id),
            outcome=Outcome.refused,
        )
    await store.expire_transactions(work)
    await store.sweep(work, before=work.now - rules.KEPT_FOR)
