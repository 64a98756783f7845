"""What happens before a window is drawn for a link: a program that runs already at this desk gets it."""

from collections.abc import Mapping
from dataclasses import dataclass

from zorgid.protocol.errors import LinkMalformed
from zorgid.protocol.links import parse_link
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.handover import Answer, PlaceUnsafe, hand_over, place_of


@dataclass(frozen=True)
class Opening:
    """Whether this start still has the link to follow, and what to say first."""

    is_ours: bool
    said: Said | None = None


def offer(link_text: str, variables: Mapping[str, str]) -> Opening:
    """Offer a link to the first program of this desk.

    A text that is no link is kept: the flow says so in its own window, and nobody else gets it.
    """
    place = place_of(variables)
    if place is None:
        return Opening(is_ours=True)
    try:
        answer = hand_over(place, parse_link(link_text))
    except LinkMalformed:
        return Opening(is_ours=True)
    except PlaceUnsafe:
        return Opening(is_ours=True, said=Said("handover-unsafe"))
    if answer is Answer.taken:
        return Opening(is_ours=False)
    if answer is Answer.busy:
        return Opening(is_ours=False, said=Said("already-busy"))
    return Opening(is_ours=True)
