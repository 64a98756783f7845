"""Finds the person behind a proved card."""

from zorgid.cards import actions as cards
from zorgid.kernel.ids import PersonId
from zorgid.login.model import ProvedCard
from zorgid.people import actions as people
from zorgid.people.model import Names
from zorgid.storage.database import Work


async def person_of(work: Work, proved: ProvedCard) -> PersonId:
    """Return the holder of a Smartcard that works now, or the person of a UZI number, made known when new.

    A card that was held since its proof is refused here, and until this work ends nobody can hold it: a
    session that begins in it is seen by the hold (LIFE-3, LOGIN-4).

    A new UZI number makes a person without birth date; whether that is somebody known already is decided when
    the birth date is stated, never here (docs/decisions/0410-birth-date.md).

    Raises:
        CardHeld, CardRevoked, CardExpired: the Smartcard does not work any more.
    """
    if proved.card_id is not None:
        return (await cards.require_active(work, proved.card_id)).holder_id
    names = Names(proved.means.full_name, proved.surname, proved.given_names)
    person = await people.recognise_person(
        work, uzi_number=proved.means.uzi_number, ura=proved.means.ura, names=names
    )
    return person.id
