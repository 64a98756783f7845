"""The one builder of authorisation responses (RFC 9207: `iss` always)."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from zorgid.oidc.errors import LoginRequired, ResponseMode, Target
from zorgid.oidc.response import FormPost, Redirect, code_response, error_response

STATES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


@given(STATES)
def test_the_state_comes_back_byte_for_byte_by_query(state: str) -> None:
    response = code_response(
        Target("https://a.example/cb", state=state), code="c", issuer="https://op.example"
    )
    assert isinstance(response, Redirect)
    query = urlsplit(response.location).query
    assert parse_qsl(query, strict_parsing=True) == [
        ("code", "c"),
        ("state", state),
        ("iss", "https://op.example"),
    ]


def test_a_query_that_was_registered_is_kept() -> None:
    response = code_response(Target("https://a.example/cb?x=1"), code="c", issuer="i")
    assert isinstance(response, Redirect)
    assert response.location == "https://a.example/cb?x=1&code=c&iss=i"


def test_an_error_by_form_has_issuer_and_state_and_names_the_one_origin() -> None:
    target = Target("https://a.example:8443/cb", ResponseMode.form_post, '"><script>')
    refusal = LoginRequired(description="A login is needed.", detail="secret detail").sent_to(target)
    response = error_response(refusal, issuer="https://op.example")
    assert isinstance(response, FormPost)
    assert response.origin == "https://a.example:8443"
    assert response.action == target.redirect_uri
    assert dict(response.fields) == {
        "error": "login_required",
        "error_description": "A login is needed.",
        "state": '"><script>',
        "iss": "https://op.example",
    }


def test_no_state_is_made_up() -> None:
    response = code_response(Target("https://a.example/cb"), code="c", issuer="i")
    assert isinstance(response, Redirect)
    assert "state" not in parse_qs(urlsplit(response.location).query)
