"""Which return addresses are the registered ones."""

import pytest

from zorgid.oidc.addresses import origin_of, registered_address


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("https://a.example/cb", "https://a.example/cb"),
        ("http://localhost:8600/portal/signin-oidc", "http://localhost:8600/portal/signin-oidc"),
        ("http://127.0.0.1:8602/cb", "http://127.0.0.1:8602/cb"),
        ("http://127.0.0.1:50123/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:50123/cb?x=1", "http://[::1]/cb?x=1"),
    ],
)
def test_a_registered_address_is_taken(asked: str, known: str) -> None:
    """RFC 8252, section 7.3: the port of a loopback address is free when none is registered."""
    assert registered_address(asked, [known]) == asked


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (None, "https://a.example/cb"),
        ("", "https://a.example/cb"),
        ("https://a.example/cb/../cb", "https://a.example/cb"),
        ("https://a.example/cb#", "https://a.example/cb"),
        ("https://a.example:443/cb", "https://a.example/cb"),
        ("https://a.example:8443/cb", "https://a.example/cb"),
        ("http://localhost:50123/cb", "http://localhost/cb"),
        ("http://localhost:50123/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:8603/cb", "http://127.0.0.1:8602/cb"),
        ("http://127.0.0.1:50123/other", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:50123/cb?x", "http://127.0.0.1/cb"),
        ("https://127.0.0.1:50123/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.2:50123/cb", "http://127.0.0.1/cb"),
        ("http://user@127.0.0.1:50123/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:50123@evil.example/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:evil/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb"),
        ("http://[::1/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1.evil.example:1/cb", "http://127.0.0.1/cb"),
    ],
)
def test_any_other_address_is_refused(asked: str | None, known: str) -> None:
    assert registered_address(asked, [known]) is None


def test_an_origin_has_no_path() -> None:
    assert origin_of("https://a.example:8443/cb?x=1") == "https://a.example:8443"
