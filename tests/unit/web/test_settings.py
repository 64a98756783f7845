"""Settings that cannot be are refused at start (docs/settings.md)."""

import pytest
from pydantic import ValidationError

from zorgid.settings import Settings

FITTING = {
    "environment": "production", "origin": "https://zorg.example", "tls_certificate": "c.pem", "tls_key": "k.pem",
    "key_passphrase_file": "p", "seals_folder": "s",
}  # fmt: skip


def test_the_demo_needs_no_setting() -> None:
    settings = Settings()
    assert settings.issuer == "http://localhost:8600/oauth"
    assert not settings.is_secure


def test_a_production_that_names_everything_is_taken() -> None:
    assert Settings(**FITTING).is_secure


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"origin": "http://zorg.example"}, "only the demo speaks plain HTTP"),
        ({"tls_key": None}, "tls_certificate and tls_key"),
        ({"seals_folder": None}, "seals_folder"),
        ({"key_passphrase_file": None}, "key_passphrase_file"),
        ({"origin": "https://zorg.example/path"}, "nothing more"),
        ({"environment": "test"}, "environment"),
        ({"most_connections": "7"}, "most_connections"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_name(change: dict[str, str | None], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**{**FITTING, **change})
