"""Reads the registration of a client as a supplier writes it down: JSON with the standard's field names.

Source: RFC 7591, section 2; OpenID Connect Dynamic Client Registration 1.0, section 2.
"""

import codecs
import json
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zorgid.clients.errors import ClientDocumentUnfit, ClientFieldMissing, ClientNotJson, ClientUnfit
from zorgid.clients.model import PORTAL_ID, Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.kernel.errors import Refusal

LARGEST_DOCUMENT_BYTES: Final = 64 * 1024


class Registration(BaseModel):
    """The document. Where it may leave something out, that gets the strictest value.

    Profile fapi2, ES256, private_key_jwt. A sector has no strictest value: it decides every `sub`, for good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    jwks: dict[str, Any] = Field(default_factory=lambda: {"keys": []})
    token_endpoint_auth_method: TokenEndpointAuth = TokenEndpointAuth.private_key_jwt
    scope: str = "openid"
    id_token_signed_response_alg: SigningAlgorithm = SigningAlgorithm.ES256
    sector_identifier: str
    """The host that pairwise subjects are made for."""
    profile: Profile = Profile.fapi2
    default_acr: str | None = None


def read_registration(unverified: bytes) -> Client:
    """Return the client that a document describes; whether it may be registered is for `register_client`.

    It never describes the portal, which registers itself.

    Raises:
        ClientNotJson: it cannot be read as JSON.
        ClientDocumentUnfit: it is too large, no JSON object, or holds what no document can hold.
        ClientFieldMissing: a field that must be there is not.
        ClientUnfit: a field is unknown or of another kind, or names the portal.
    """
    if len(unverified) > LARGEST_DOCUMENT_BYTES:
        raise _unfit_document()
    # Some editors write this mark in front of every text; no one sees it.
    document = require_json(unverified.removeprefix(codecs.BOM_UTF8))
    try:
        told = Registration.model_validate_json(document)
    except ValidationError as wrong:
        raise _refusal_of(wrong) from None
    if told.client_id == PORTAL_ID:
        raise ClientUnfit(part="client_id")
    return Client(
        id=ClientId(told.client_id),
        name=told.client_name,
        profile=told.profile,
        redirect_uris=told.redirect_uris,
        post_logout_redirect_uris=told.post_logout_redirect_uris,
        jwks=told.jwks,
        token_endpoint_auth=told.token_endpoint_auth_method,
        scopes=frozenset(told.scope.split()),
        sector=told.sector_identifier,
        default_acr=told.default_acr,
        signing_algorithm=told.id_token_signed_response_alg,
        is_portal=False,
    )


def require_json(unverified: bytes) -> bytes:
    """Return `unverified`, in which no place is found that is not JSON in UTF-8.

    Raises `ClientNotJson` with the first such place, counted in characters.
    """
    text = unverified.decode(errors="replace")
    places = [*_not_utf_8(unverified), *_not_json(text)]
    if places:
        before = text[: min(places)].split("\n")
        raise ClientNotJson(line=len(before), column=len(before[-1]) + 1)
    return unverified


def _not_utf_8(unverified: bytes) -> list[int]:
    """Return before how many characters the first byte stands that is no part of one, if there is any."""
    try:
        unverified.decode()
    except UnicodeDecodeError as wrong:
        return [len(unverified[: wrong.start].decode())]
    return []


def _not_json(text: str) -> list[int]:
    """Return the first place where `text` cannot go on as JSON, if there is any."""
    try:
        json.loads(text)
    except json.JSONDecodeError as wrong:
        return [wrong.pos]
    except (RecursionError, ValueError):  # brackets or a number without end: the model refuses both
        pass
    return []


def _refusal_of(wrong: ValidationError) -> Refusal:
    """Return the refusal of the first thing that the model found."""
    first = wrong.errors()[0]
    if not first["loc"]:
        return _unfit_document()
    part = str(first["loc"][0])
    return ClientFieldMissing(part=part) if first["type"] == "missing" else ClientUnfit(part=part)


def _unfit_document() -> ClientDocumentUnfit:
    return ClientDocumentUnfit(largest_kib=LARGEST_DOCUMENT_BYTES // 1024)
