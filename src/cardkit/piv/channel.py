"""Commands of any length over a transport that takes short ones.

Long data goes out in a chain, long answers come back by GET RESPONSE, and a card that names another Le gets
it. Every loop has an end: a card that never stops answering is an error, not a hang. Commands without Le (all
that carry a PIN) are sent exactly once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Final

from cardkit import apdu
from cardkit.apdu import Command, Response
from cardkit.errors import CardAnswerMalformed
from cardkit.piv import codes
from cardkit.transport import Transport

# The largest object of a PIV card is some 12 kB; this many rounds of at most 256 bytes are far beyond it.
MOST_ROUNDS: Final = 256


class Channel:
    """Sends commands to the selected application and gives the whole answer.

    Le is always present where an answer with data is expected: without it, strict cards offer the same bytes
    for ever.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, command: Command) -> Response:
        """Return the answer to `command`, with its parts joined and its final status.

        Raises:
            CardGone: the transport is dead.
            CardAnswerMalformed: the card goes on announcing more for ever, or answers without a status.
        """
        *links, last = _chain(command)
        for link in links:
            answer = self._transmit(link)
            if answer.status != apdu.OK:
                return answer
        return self._rest_of(self._with_right_le(last))

    def _with_right_le(self, command: Command) -> Response:
        answer = self._transmit(command)
        if answer.status & 0xFF00 == apdu.WRONG_LE and command.le is not None:
            # ISO/IEC 7816-4, 5.6: the card did nothing yet and names the length it wants; once is enough.
            answer = self._transmit(replace(command, le=answer.status & 0xFF or apdu.SHORT_RESPONSE_BYTES))
        return answer

    def _rest_of(self, answer: Response) -> Response:
        data = answer.data
        rounds = 0
        while answer.status & 0xFF00 == apdu.MORE_BYTES:
            if rounds == MOST_ROUNDS:
                raise CardAnswerMalformed("the card announces more data for ever")
            wanted = answer.status & 0xFF or apdu.SHORT_RESPONSE_BYTES
            answer = self._with_right_le(Command(0, codes.GET_RESPONSE, 0, 0, le=wanted))
            data += answer.data
            rounds += 1
        return Response(data, answer.status)

    def _transmit(self, command: Command) -> Response:
        return Response.decode(self._transport.transmit(command.encode()))


def _chain(command: Command) -> list[Command]:
    """Return `command` as a chain of short commands; only the last one bears Le (ISO/IEC 7816-4, 5.3.3)."""
    remaining = iter(command.data)
    parts = iter(lambda: bytes(islice(remaining, apdu.SHORT_DATA_BYTES)), b"")
    links = [replace(command, cla=command.cla | apdu.CHAINED, data=part, le=None) for part in parts]
    if not links:
        return [command]
    return [*links[:-1], replace(links[-1], cla=command.cla, le=command.le)]
