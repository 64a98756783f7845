"""The transaction of the browser that asks: its cookie says which one it began."""

from starlette.requests import Request

from zorgid.login import actions as login
from zorgid.login.errors import TransactionUnknown
from zorgid.login.model import Transaction
from zorgid.storage.database import Work
from zorgid.web import cookies


async def own_transaction(request: Request, work: Work, *, lock: bool = False) -> Transaction:
    """Return the transaction that this browser began. Raises `TransactionUnknown`."""
    cookie = cookies.transaction_cookie(request)
    if cookie is None:
        raise TransactionUnknown
    return await login.transaction_of_browser(work, cookie, lock=lock)
