"""The refusals about organisations."""

from zorgid.kernel.errors import Refusal


class UraMalformed(Refusal):
    """The URA is not eight digits; whoever typed it can mend it."""

    code = "ura-malformed"
    status = 422


class RegistrationRequestUnfit(Refusal):
    """A field of the registration request cannot be right; the applicant can mend it.

    `part` is the name of the field.
    """

    code = "registration-request-unfit"
    status = 422

    def __init__(self, *, part: str) -> None:
        super().__init__(part=part)


class OrganisationUnknown(Refusal):
    """No organisation with this URA is known; its representative can request registration (ORG-8)."""

    code = "organisation-unknown"
    status = 404

    def __init__(self, *, ura: str) -> None:
        super().__init__(ura=ura)


class RequestAlreadyOpen(Refusal):
    """The URA already has an organisation or an open request; support can tell who asked (ORG-1)."""

    code = "registration-request-already-open"
    status = 409

    def __init__(self, *, ura: str) -> None:
        super().__init__(ura=ura)


class OrganisationActRefused(Refusal):
    """The organisation's state does not allow this act; support can look what came before."""

    code = "organisation-act-refused"
    status = 409

    def __init__(self, *, state: str, act: str) -> None:
        super().__init__(state=state, act=act)


class ValidatorNotNamed(Refusal):
    """The UZI card is not that of the person named in the request.

    Support can change the name (ORG-3, ORG-4).
    """

    code = "validator-not-named"

    def __init__(self, *, ura: str) -> None:
        super().__init__(ura=ura)


class ValidatingCardTypeRefused(Refusal):
    """An organisation is validated with a zorgverlenerspas (Z); its professional can do it (ORG-4)."""

    code = "validating-card-type-refused"

    def __init__(self, *, card_type: str) -> None:
        super().__init__(card_type=card_type)


class OrganisationNotRegistered(Refusal):
    """The organisation is known but not registered yet, or no longer.

    Its administrator can finish that (CARD-3).
    """

    code = "organisation-not-registered"

    def __init__(self, *, ura: str, state: str) -> None:
        super().__init__(ura=ura, state=state)


class OrganisationNotForSmartcards(Refusal):
    """The organisation is registered, but not for Smartcards.

    Its administrator can add them (ORG-1, CARD-3).
    """

    code = "organisation-not-for-smartcards"

    def __init__(self, *, ura: str) -> None:
        super().__init__(ura=ura)


class OrganisationTypeNotAdmitted(Refusal):
    """Smartcards are not made for this type of organisation; the operator's setting decides (CARD-3)."""

    code = "organisation-type-not-admitted"

    def __init__(self, *, ura: str, organisation_type: str) -> None:
        super().__init__(ura=ura, organisation_type=organisation_type)
