"""Looks before a start whether its ports are free, and says which setting moves the one that is not."""

from collections.abc import Iterable
from dataclasses import dataclass

from zorgid.settings import PREFIX, Settings
from zorgid.web.errors import PortTaken
from zorgid.web.server import AddressTaken, require_free


@dataclass(frozen=True)
class Port:
    """A port on which something will answer, and what the operator moves it with."""

    address: str
    number: int
    moved_by: str
    is_shared: bool = False


def platform_ports(settings: Settings) -> tuple[Port, ...]:
    """Return the two ports of the platform."""
    listen, pki, shared = settings.listen_port, settings.pki_listen_port, settings.shares_ports
    return (
        Port(settings.listen_address, listen, f"{PREFIX}LISTEN_PORT", shared),
        Port(settings.pki_listen_address, pki, f"{PREFIX}PKI_LISTEN_PORT", shared),
    )


def require_free_ports(ports: Iterable[Port]) -> None:
    """Check that nobody listens on any of them. Raises `PortTaken`."""
    for port in ports:
        try:
            require_free(port.address, port.number, is_shared=port.is_shared)
        except AddressTaken as taken:
            raise PortTaken(address=port.address, port=port.number, setting=port.moved_by) from taken
