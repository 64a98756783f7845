"""The refusals about clients."""

from zorgid.kernel.errors import Refusal


class ClientUnknown(Refusal):
    """No client is registered under this id; the supplier can check it."""

    code = "client-unknown"
    status = 404


class ClientIdTaken(Refusal):
    """A client with this id is registered already.

    Whoever registers can choose another or change that one.
    """

    code = "client-id-taken"
    status = 409

    def __init__(self, *, client_id: str) -> None:
        super().__init__(client_id=client_id)


class ClientUnfit(Refusal):
    """A field of the registration cannot be right; the supplier can mend it.

    `part` is the name of the field.
    """

    code = "client-unfit"
    status = 422

    def __init__(self, *, part: str) -> None:
        super().__init__(part=part)


class ClientKeysUnfit(Refusal):
    """The key set holds a private, weak, nameless or unfitting key; the supplier can mend it.

    `flaw` says which of these, in kebab-case.
    """

    code = "client-keys-unfit"
    status = 422

    def __init__(self, *, flaw: str) -> None:
        super().__init__(flaw=flaw)


class RedirectUriUnfit(Refusal):
    """An address is not absolute https, or holds a fragment, a name and password, or a wildcard.

    The supplier can mend it.

    Source: RFC 9700, section 4.1.
    """

    code = "redirect-uri-unfit"
    status = 422

    def __init__(self, *, uri: str) -> None:
        super().__init__(uri=uri)
