"""The session of a login, as the app that did it may ask after it, and end it when the card is pulled.

Only that app can: its requests are signed by the key that attached to the login, and the session is found by
the login and by nothing else (LOGIN-7, LOGIN-10).
"""

from zorgid.audit.model import Actor
from zorgid.login import sessions
from zorgid.login.errors import TransactionNotOpen
from zorgid.login.model import Purpose, Session, Transaction
from zorgid.login.rules import SESSION_ASKED_EVERY, EndReason
from zorgid.protocol.messages import SessionReply, SessionState, TransactionState
from zorgid.storage.database import Work


async def session_state(work: Work, transaction: Transaction) -> SessionReply:
    """Tell whether the session goes on. To be asked is no use of it: idle stays idle.

    Raises `TransactionNotOpen` as `session_of`.
    """
    session = await session_of(work, transaction)
    return _reply(SessionState.alive if session else SessionState.ended)


async def end_on_pull(work: Work, transaction: Transaction, *, by: Actor) -> SessionReply:
    """End the session of a login whose card was pulled; one that has ended already stays as it ended.

    Raises `TransactionNotOpen` as `session_of`.
    """
    session = await session_of(work, transaction)
    if session is not None:
        await sessions.end_session(work, session, by=by, reason=EndReason.card_out)
    return _reply(SessionState.ended)


async def session_of(work: Work, transaction: Transaction) -> Session | None:
    """Return the session that a completed login made, or None when it has ended.

    Raises:
        TransactionNotOpen: it makes no session: not completed, or for another purpose.
    """
    if transaction.purpose is not Purpose.login or transaction.state is not TransactionState.completed:
        raise TransactionNotOpen(state=transaction.state)
    return await sessions.unended_session_of_login(work, transaction.id)


def _reply(state: SessionState) -> SessionReply:
    seconds = int(SESSION_ASKED_EVERY.total_seconds())
    return SessionReply(state=state, ask_again_after_seconds=seconds)
