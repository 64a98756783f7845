"""Builds every authorisation response, error or not, in one place: with `iss`, with the state as received.

Source: RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207; OAuth 2.0 Form Post Response Mode 1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from zorgid.oidc.addresses import origin_of
from zorgid.oidc.errors import OAuthRefusal, ResponseMode, Target


@dataclass(frozen=True)
class Redirect:
    """A response by query: the browser goes to `location` with status 303."""

    location: str


@dataclass(frozen=True)
class FormPost:
    """A response by form: the page posts `fields`, unescaped here, to `action`.

    `origin` is for the page's policy.
    """

    action: str
    origin: str
    fields: tuple[tuple[str, str], ...]


AuthorisationResponse = Redirect | FormPost


def code_response(target: Target, *, code: str, issuer: str) -> AuthorisationResponse:
    """Return the response that carries the code."""
    return _response(target, {"code": code}, issuer)


def error_response(refusal: OAuthRefusal, *, issuer: str) -> AuthorisationResponse:
    """Return the response that carries an error; the refusal must have a target."""
    assert refusal.target is not None
    facts = {"error": refusal.error, "error_description": refusal.description}
    return _response(refusal.target, facts, issuer)


def with_query(address: str, fields: Mapping[str, str] | tuple[tuple[str, str], ...]) -> str:
    """Return `address` with the fields added to its query, which is kept (RFC 6749, section 3.1.2)."""
    query = urlencode(fields, quote_via=quote, safe="")
    if not query:
        return address
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{query}"


def _response(target: Target, facts: Mapping[str, str], issuer: str) -> AuthorisationResponse:
    state = {} if target.state is None else {"state": target.state}
    fields = tuple({**facts, **state, "iss": issuer}.items())
    if target.mode is ResponseMode.form_post:
        return FormPost(target.redirect_uri, origin_of(target.redirect_uri), fields)
    return Redirect(with_query(target.redirect_uri, fields))
