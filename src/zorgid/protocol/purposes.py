"""What a proof is for, and by which means; apart from the messages, so that a short command loads little."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a proof is for. A proof counts for its own purpose only; only `login` ever makes a session."""

    login = "login"
    make_card = "make-card"
    validate_organisation = "validate-organisation"
    prove_new_card = "prove-new-card"


class MeansUsed(StrEnum):
    """The kinds of means that can prove who is there with a card."""

    uzi_card = "uzi-card"
    smartcard = "smartcard"
