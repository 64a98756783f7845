"""What a node keeps in memory to be fast, and how it learns that it may not any more."""

from collections.abc import Mapping
from dataclasses import dataclass

from zorgid.ca.answers import OcspResponder
from zorgid.ca.status import CHANNEL as CERTIFICATE_STATUS
from zorgid.clients.actions import CHANNEL as CLIENTS
from zorgid.clients.actions import ClientCache
from zorgid.login.actions import CHANNEL as LOGINS
from zorgid.oidc.rotation import CHANNEL as SIGNING_KEYS
from zorgid.oidc.rotation import SigningKeys
from zorgid.outbox.actions import CHANNEL as OUTBOX
from zorgid.outbox.dispatch import Dispatcher
from zorgid.storage.listener import Handler as HearsOf
from zorgid.storage.listener import Listener
from zorgid.web.login.watch import Watch


@dataclass(frozen=True)
class Memory:
    """What this node keeps in memory, dropped when another node announces a change or nothing is heard."""

    clients: ClientCache
    signing_keys: SigningKeys
    watch: Watch
    responder: OcspResponder
    dispatcher: Dispatcher

    def listener(self, url: str) -> Listener:
        """Return what hears the announcements."""
        handlers: Mapping[str, HearsOf] = {
            CLIENTS: self.clients.forget,
            SIGNING_KEYS: self.signing_keys.forget,
            LOGINS: self.watch.heard,
            CERTIFICATE_STATUS: self.responder.memory.heard,
            OUTBOX: self.dispatcher.wake,
        }
        return Listener(url, handlers, on_connected=self._connected, on_lost=self._lost)

    def _connected(self) -> None:
        self.clients.start()
        self.signing_keys.start()
        self.responder.memory.connected()
        self.watch.wake_all()
        self.dispatcher.wake()

    def _lost(self) -> None:
        self.clients.stop()
        self.signing_keys.stop()
        self.responder.memory.lost()
        self.watch.wake_all()
