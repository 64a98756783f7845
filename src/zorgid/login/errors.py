"""The refusals of the login room."""

from zorgid.kernel.errors import Refusal


class TransactionUnknown(Refusal):
    """No transaction belongs to this handle or cookie. Begin again at the care application."""

    code = "login-unknown"
    status = 404


class TransactionExpired(Refusal):
    """More than five minutes have passed since the login began. Begin again at the care application."""

    code = "login-expired"
    status = 410


class TransactionNotOpen(Refusal):
    """The transaction is not in a state in which this step can be done.

    It was cancelled, aborted or used already.
    """

    code = "login-not-open"
    status = 409

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)


class AppTooOld(Refusal):
    """The Desktop App is older than this platform lets in; `page` is where a newer one is (INFO-5)."""

    code = "app-too-old"
    status = 426

    def __init__(self, *, version: str, least: str, page: str) -> None:
        super().__init__(version=version, least=least, page=page)


class AttachedElsewhere(Refusal):
    """A second app tried to take over the transaction; it is aborted for both."""

    code = "login-attached-elsewhere"
    status = 409
    keeps_changes = True


class RequestOutOfOrder(Refusal):
    """A request of the app carries a counter that was used before for something else: a replay."""

    code = "app-request-replayed"
    status = 409


class CompletedElsewhere(Refusal):
    """The completion came from a browser that did not begin this login; the code is burnt (LOGIN-5)."""

    code = "login-other-browser"
    status = 403
    keeps_changes = True


class CompletionWrong(Refusal):
    """The completion code is not the one of this login, or was used already, or its minute has passed."""

    code = "login-completion-wrong"
    status = 403
    keeps_changes = True


class MeansNotAccepted(Refusal):
    """This kind of card cannot be used for what is asked; `accepted` names the kinds that can."""

    code = "means-not-accepted"

    def __init__(self, *, used: str, accepted: str) -> None:
        super().__init__(used=used, accepted=accepted)


class NotAnAuthenticationCertificate(Refusal):
    """The proof was made with the signature or confidentiality certificate of a Smartcard."""

    code = "not-an-authentication-certificate"


class SmartcardNotGood(Refusal):
    """The certificate of this Smartcard is on hold, revoked, or not in use yet (LOGIN-4)."""

    code = "smartcard-not-good"

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class SmartcardExpired(Refusal):
    """The certificate of this Smartcard is not valid any more."""

    code = "smartcard-expired"


class CardTypeNotForPurpose(Refusal):
    """A UZI card of this type cannot be used for this purpose (CARD-2, ORG-4)."""

    code = "uzi-card-type-not-for-purpose"

    def __init__(self, *, card_type: str, purpose: str) -> None:
        super().__init__(card_type=card_type, purpose=purpose)


class ProfessionalKeepsUziCard(Refusal):
    """A Z card was used to make a Smartcard: professionals keep their own card (CARD-2)."""

    code = "make-card-with-z"


class PharmacyAssistantKeepsUziCard(Refusal):
    """A Z card with role 83.000 was used to make a Smartcard (CARD-2)."""

    code = "make-card-with-z-83"


class FunctionCardNotPersonal(Refusal):
    """An M card was used: it is not on a person's name, so it proves nobody (CARD-2)."""

    code = "card-without-name"


class SessionUnknown(Refusal):
    """The browser has no session."""

    code = "session-unknown"
    status = 401


class SessionEnded(Refusal):
    """The session is over: idle, too old, logged out, or its means was held or revoked (LOGIN-10)."""

    code = "session-ended"
    status = 401

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)
