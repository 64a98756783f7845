"""What the login room is given when the house is put together (`app.py`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from zorgid.kernel.ids import TransactionId
from zorgid.kernel.secrets import Secret
from zorgid.login.errors import AppTooOld
from zorgid.pki.recognise import RecognisedUziCard
from zorgid.protocol.app_key import AppKey, RequestSignature, verify_request
from zorgid.protocol.links import HANDLE_BYTES, Browser, LaunchLink
from zorgid.protocol.versions import is_older

DOWNLOAD_PAGE: Final = "/app"
"""Where people get the Desktop App."""


@dataclass(frozen=True)
class LoginSetup:
    """The fixed surroundings of every login on this platform."""

    origin: str
    """Origin of the identity server: scheme://host[:port]."""
    environment: str
    """Environment id in the launch link; the app maps it to an origin from its own configuration."""
    derive: Callable[[bytes, int], Secret]
    """Derives a secret of so many bytes from a key of the platform and the given info (HKDF)."""
    recognise_uzi_card: Callable[[bytes], Awaitable[RecognisedUziCard]]
    """Recognises an unverified certificate (DER), its status included.

    Raises the refusals of `pki` and `trust`.
    """

    least_app_version: str = "0"
    """The oldest Desktop App that may attach."""

    def require_app_version(self, told: str) -> None:
        """Check that an app is new enough. Raises `AppTooOld`, which names the page with a newer one."""
        if is_older(told, self.least_app_version):
            raise AppTooOld(version=told, least=self.least_app_version, page=self.origin + DOWNLOAD_PAGE)

    def handle_of(self, transaction_id: TransactionId) -> Secret:
        """Return the handle of a transaction.

        It is derived, so that a page can show it again and no table holds it.
        """
        return self.derive(b"zid-handle-v1" + transaction_id.bytes, HANDLE_BYTES)

    def completion_code_of(self, transaction_id: TransactionId) -> Secret:
        """Return the completion code of a proved transaction.

        It is derived, so that a repeated proof gets the same.
        """
        return self.derive(b"zid-completion-v1" + transaction_id.bytes, 32)

    def launch_link(self, transaction_id: TransactionId, browser: str) -> LaunchLink:
        """Return the link that starts the Desktop App for a transaction."""
        return LaunchLink(self.environment, self.handle_of(transaction_id), Browser(browser))


@dataclass(frozen=True)
class AppRequest:
    """A request of the Desktop App as it came in; nothing in it counts before its signature was checked."""

    method: str
    path: str
    body: bytes
    signature: RequestSignature

    def verified(self, setup: LoginSetup, key: AppKey) -> int:
        """Return the counter of the request when `key` signed it. Raises `AppSignatureWrong`."""
        return verify_request(
            self.signature, key, origin=setup.origin, method=self.method, path=self.path, body=self.body
        )
