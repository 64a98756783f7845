"""Settings are read once, and what cannot be is named at start (docs/settings.md)."""

import re
from pathlib import Path

import pytest

from zorgid.organisations.model import OrganisationType
from zorgid.settings import Environment, Settings, SettingsUnfit
from zorgid_desktop.environments import DEMO_ORIGIN_VARIABLE
from zorgid_desktop.modules import MODULE_VARIABLE


def test_without_variables_it_is_the_demo():
    settings = Settings.from_environment({"PATH": "/usr/bin", "ZORGID_TEST_POSTGRESQL": "/x"})

    assert settings.is_demo
    assert settings.database_url is None


def test_lists_are_separated_by_commas():
    settings = Settings.from_environment(
        {"ZORGID_ADMITTED_TYPES": "huisarts, apotheek", "ZORGID_TRUSTED_PROXIES": "192.0.2.1,192.0.2.2"}
    )

    assert settings.admitted_types == {OrganisationType.huisarts, OrganisationType.apotheek}
    assert settings.trusted_proxies == {"192.0.2.1", "192.0.2.2"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZORGID_ENVIRONMENT", "staging"),
        ("ZORGID_LISTEN_PORT", "many"),
        ("ZORGID_ADMITTED_TYPES", "kapper"),
        ("ZORGID_CARD_KEY_KIND", "rsa1024"),
        ("ZORGID_CARD_KEY_KIND", "p384"),
        ("ZORGID_DATABSE_URL", "postgresql://a:secret@b/c"),
        ("ZORGID_TLS_KEY", "/nonexistent/key.pem"),
    ],
)
def test_a_variable_that_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(SettingsUnfit, match=name):
        Settings.from_environment({name: value})


def test_values_never_stand_in_the_complaint_or_in_the_printed_settings():
    settings = Settings.from_environment({"ZORGID_DATABASE_URL": "postgresql://a:S3CRET@b/c"})
    assert "S3CRET" not in repr(settings)

    with pytest.raises(SettingsUnfit) as refused:
        Settings.from_environment({"ZORGID_LISTEN_PORT": "S3CRET"})
    assert "S3CRET" not in str(refused.value)


def test_outside_the_demo_plain_http_is_refused():
    with pytest.raises(SettingsUnfit, match="only the demo speaks plain HTTP"):
        Settings.from_environment({"ZORGID_ENVIRONMENT": "acceptance"})


def test_production_refuses_every_stand_in_by_name():
    production = Settings.model_construct(environment=Environment.production)

    with pytest.raises(SettingsUnfit, match="keys in a file, virtual cards"):
        production.require_nothing_pretends(["virtual cards", "keys in a file"])


def test_the_demo_takes_stand_ins_and_production_takes_none():
    Settings().require_nothing_pretends(["virtual cards"])
    Settings.model_construct(environment=Environment.production).require_nothing_pretends([])


def test_every_setting_stands_in_the_documentation_and_nothing_else_does():
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")

    documented = set(re.findall(r"`(ZORGID_\w+)`", page))

    of_the_app = {MODULE_VARIABLE, DEMO_ORIGIN_VARIABLE}
    assert documented == {f"ZORGID_{name.upper()}" for name in Settings.model_fields} | of_the_app
