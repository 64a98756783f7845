"""The launch link has one form and nothing to choose in it (docs/desktop-protocol.md, 1)."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zorgid.kernel.randomness import from_base64url
from zorgid.kernel.secrets import Secret
from zorgid.protocol.errors import LinkMalformed
from zorgid.protocol.links import (
    Browser,
    LaunchLink,
    browser_of,
    completion_address,
    parse_link,
)

HANDLE = "AAECAwQFBgcICQoLDA0ODw"
GOOD = f"zorg-id:auth?v=1&e=demo&h={HANDLE}&b=edge"
environments = st.text(string.ascii_lowercase, min_size=1, max_size=20)
handles = st.binary(min_size=16, max_size=16).map(Secret)


@given(environments, handles, st.sampled_from(Browser))
def test_a_link_is_read_as_it_was_written(environment: str, handle: Secret, browser: Browser) -> None:
    link = LaunchLink(environment, handle, browser)
    assert parse_link(link.text()) == link


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assume(not text.startswith("zorg-id:auth"))
    with pytest.raises(LinkMalformed):
        parse_link(text)


@given(st.integers(0, len(GOOD)), st.characters())
def test_a_link_with_something_put_in_is_refused_or_another_environment(at: int, sign: str) -> None:
    changed = GOOD[:at] + sign + GOOD[at:]
    try:
        link = parse_link(changed)
    except LinkMalformed:
        return
    assert link.text() == changed
    assert link.handle.text_for_wire() == HANDLE
    assert link.environment.isascii()
    assert link.environment.islower()


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("v=1", "v=2"),
        GOOD.replace("zorg-id:", "ZORG-ID:"),
        GOOD.replace("zorg-id:", "zorg-id://"),
        GOOD.replace("e=demo", "e=https://evil.example"),
        GOOD.replace("e=demo", "e="),
        GOOD.replace("b=edge", "b=../../calc"),
        GOOD.replace("b=edge", "b=opera"),
        GOOD.replace("b=edge", ""),
        GOOD + "&u=https://evil.example",
        GOOD + "\n",
        " " + GOOD,
        GOOD.replace(HANDLE, HANDLE[:-1]),
        GOOD.replace(HANDLE, HANDLE + "A"),
        GOOD.replace(HANDLE, HANDLE[:-1] + "="),
        GOOD.replace(HANDLE, HANDLE[:-1] + "x"),  # bits beyond the sixteenth byte
        GOOD.replace("v=1&e=demo", "e=demo&v=1"),
    ],
)
def test_what_does_not_have_the_one_form_is_refused(text: str) -> None:
    with pytest.raises(LinkMalformed):
        parse_link(text)


def test_a_link_tells_no_secret_when_it_is_printed() -> None:
    """ALL-4."""
    link = parse_link(GOOD)
    assert HANDLE not in repr(link)
    assert HANDLE not in str(link)


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/145.0 Safari/537.36 Edg/145.0",
            Browser.edge,
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/145.0 Safari/537.36", Browser.chrome),
        (
            "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chromium/145.0 Chrome/145.0 Safari/537.36",
            Browser.chromium,
        ),
        ("Mozilla/5.0 (X11; Linux; rv:140.0) Gecko/20100101 Firefox/140.0", Browser.firefox),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18 Safari/605.1.15", Browser.safari),
        ("", Browser.default),
        ("curl/8", Browser.default),
    ],
)
def test_the_browser_is_a_guess_from_its_own_name(user_agent: str, browser: Browser) -> None:
    assert browser_of(user_agent) is browser


def test_the_completion_travels_in_the_fragment_alone() -> None:
    """ALL-4: no server and no proxy sees it."""
    address = completion_address("https://id.example", Secret(bytes(16)), Secret(bytes(32)))
    before, _, fragment = address.partition("#")
    assert before == "https://id.example/oauth/complete"
    handle, _, code = fragment.partition(".")
    assert (from_base64url(handle), from_base64url(code)) == (bytes(16), bytes(32))
