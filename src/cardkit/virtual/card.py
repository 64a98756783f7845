"""The virtual card as a reader sees it: command bytes in, response bytes out.

Classes, chaining, GET RESPONSE and the choice of the command are here; what the commands do stands in the
modules beside this one. Whatever goes wrong inside, a card answers a status (6F00) and never a Python
exception.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final

from cardkit import apdu, tlv
from cardkit.apdu import Command, Response
from cardkit.piv import codes
from cardkit.secrets import RandomBytes
from cardkit.virtual import extensions, management, objects, private_keys, references
from cardkit.virtual.chip import Answered, Chip, Session, StateStore
from cardkit.virtual.keys import KeySource, generate_private_key
from cardkit.virtual.state import CardState

CommandFunction = Callable[[Chip, Command], bytes]

BY_NAME: Final = 0x04
SHORTEST_AID_BYTES: Final = 5
LONGEST_CHAIN_BYTES: Final = 65536
# SP 800-73-4 part 2, table 3: the application property template.
APPLICATION_PROPERTIES: Final = tlv.encode(
    0x61,
    [
        tlv.encode(0x4F, codes.PIV_AID[SHORTEST_AID_BYTES:]),
        tlv.encode(0x79, tlv.encode(0x4F, codes.PIV_AID[:SHORTEST_AID_BYTES])),
    ],
)


def select(_chip: Chip, command: Command) -> bytes:
    """Select PIV by its AID, whole or cut on the right.

    The PIN state stays, also when another AID is refused.
    """
    if command.p1 != BY_NAME:
        raise Answered(apdu.WRONG_P1_P2)
    if len(command.data) < SHORTEST_AID_BYTES or not codes.PIV_AID.startswith(command.data):
        raise Answered(apdu.NOT_FOUND)
    return APPLICATION_PROPERTIES


STANDARD_COMMANDS: Final[Mapping[int, CommandFunction]] = {
    codes.SELECT: select,
    codes.GET_DATA: objects.get_data,
    codes.PUT_DATA: objects.put_data,
    codes.VERIFY: references.verify,
    codes.CHANGE_REFERENCE: references.change_reference,
    codes.RESET_RETRY: references.reset_retry,
    codes.GENERATE: private_keys.generate,
    codes.GENERAL_AUTHENTICATE: private_keys.general_authenticate,
}
EXTENDED_COMMANDS: Final[Mapping[int, CommandFunction]] = {
    **STANDARD_COMMANDS,
    codes.GET_VERSION: extensions.get_version,
    codes.GET_SERIAL: extensions.get_serial,
    codes.GET_METADATA: extensions.get_metadata,
    codes.ATTEST: extensions.attest,
    codes.SET_RETRIES: extensions.set_retries,
    codes.RESET: extensions.reset,
    codes.SET_MANAGEMENT_KEY: management.set_management_key,
    codes.IMPORT_KEY: private_keys.import_key,
}


class VirtualCard:
    """A PIV card in software; it is its own transport (`cardkit.transport.Transport`)."""

    def __init__(
        self,
        state: CardState,
        *,
        store: StateStore | None = None,
        key_source: KeySource = generate_private_key,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._chip = Chip(state, store=store, key_source=key_source, random_bytes=random_bytes)
        self._chain: tuple[tuple[int, int, int], bytes] | None = None
        self._pending = b""

    @property
    def state(self) -> CardState:
        """What the card keeps without power."""
        return self._chip.state

    @property
    def atr(self) -> bytes:
        """What the card says first when it gets power."""
        return self._chip.state.atr

    def power_cycle(self) -> None:
        """Take the power away and give it back: PIN state, authentication, half a command are forgotten."""
        self._chip.session = Session()
        self._chain = None
        self._pending = b""

    def transmit(self, raw: bytes) -> bytes:
        """Return the answer to one command."""
        try:
            return self._answer(raw).encode()
        except Answered as ended:
            return Response(b"", ended.status).encode()
        except Exception:  # noqa: BLE001  # a card has no other way to say that it broke
            return Response(b"", apdu.FAULT).encode()

    def _answer(self, raw: bytes) -> Response:
        try:
            command = Command.decode(raw)
        except ValueError:
            raise Answered(apdu.WRONG_LENGTH) from None
        if command.cla not in {0, apdu.CHAINED}:
            raise Answered(apdu.UNKNOWN_CLASS)
        if command.ins == codes.GET_RESPONSE:
            return self._continue(command)
        self._pending = b""
        known = STANDARD_COMMANDS if self._chip.is_strict else EXTENDED_COMMANDS
        if command.ins not in known:
            raise Answered(apdu.UNKNOWN_INSTRUCTION)
        data = self._chained(command)
        if command.cla == apdu.CHAINED:
            return Response(b"", apdu.OK)
        whole = Command(0, command.ins, command.p1, command.p2, data, command.le)
        return self._first_part(known[command.ins](self._chip, whole), command.le)

    def _chained(self, command: Command) -> bytes:
        """Return the data of the chain so far, and keep it when more follows; another header starts anew."""
        header = (command.ins, command.p1, command.p2)
        before, self._chain = self._chain, None
        data = command.data if before is None or before[0] != header else before[1] + command.data
        if len(data) > LONGEST_CHAIN_BYTES:
            raise Answered(apdu.WRONG_LENGTH)
        if command.cla == apdu.CHAINED:
            self._chain = (header, data)
        return data

    def _continue(self, command: Command) -> Response:
        if not self._pending:
            raise Answered(apdu.CONDITIONS_UNSATISFIED)
        return self._first_part(self._pending, command.le)

    def _first_part(self, data: bytes, le: int | None) -> Response:
        """Return as much as was asked for and announce the rest; an absent Le counts as 256."""
        wanted = apdu.SHORT_RESPONSE_BYTES if le is None else le
        self._pending = data[wanted:]
        left = len(self._pending)
        status = apdu.MORE_BYTES | (left if left < apdu.SHORT_RESPONSE_BYTES else 0) if left else apdu.OK
        return Response(data[:wanted], status)
