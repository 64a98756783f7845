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


class ClientFieldMissing(Refusal):
    """The registration lacks a field that nobody else can choose; the supplier adds it.

    `part` is the name of the field.
    """

    code = "client-field-missing"
    status = 422

    def __init__(self, *, part: str) -> None:
        super().__init__(part=part)


class ClientNotJson(Refusal):
    """The registration cannot be read as JSON; the supplier can mend it at `line` and `column`, from 1."""

    code = "client-not-json"
    status = 422

    def __init__(self, *, line: int, column: int) -> None:
        super().__init__(line=line, column=column)


class ClientDocumentUnfit(Refusal):
    """The registration is no JSON object, too deep, too large, or holds an impossible number or character.

    The supplier can mend it.
    """

    code = "client-document-unfit"
    status = 422

    def __init__(self, *, largest_kib: int) -> None:
        super().__init__(largest_kib=largest_kib)


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
