"""What is secret in a making is collected, and would be found in a log (ALL-4).

That it is in none of the logs is looked at by the fixture `world`, at the end of every module of walks.
"""

import json
from io import StringIO

import pytest
from tests.scenarios.leaks import leaked, stands_in, told
from tests.scenarios.world import EMPLOYEE, NEW_PIN, Scenario


def test_the_walks_collect_every_kind_of_secret_that_they_use(world: Scenario) -> None:
    maker = world.maker(EMPLOYEE, world.blank())
    before = set(world.secrets)
    world.make(maker)
    assert {NEW_PIN, maker.pin} <= world.secrets
    fresh = world.secrets - before
    assert any(len(secret) == 22 for secret in fresh)
    assert any(len(secret) == 8 and secret.isdigit() for secret in fresh)
    assert sum(len(secret) == 43 for secret in fresh) >= 2
    assert any(len(secret) == 48 for secret in fresh)


def test_the_log_is_listened_to(world: Scenario, log: StringIO) -> None:
    world.make(world.maker(EMPLOYEE, world.blank()))
    routes = {json.loads(line).get("route") for line in log.getvalue().splitlines()}
    assert {"/desktop/v1/prove", "/desktop/v1/issuance/certificates", "/oauth/complete"} <= routes


def test_a_secret_in_a_log_would_be_found() -> None:
    line = json.dumps(
        {"event": "x", "address": "zorg-id:auth?v=1&h=AAAAAAAAAAAAAAAAAAAAAA&b=edge", "at": "123456"}
    )
    assert leaked(line, {"AAAAAAAAAAAAAAAAAAAAAA"}) == {"AAAAAAAAAAAAAAAAAAAAAA"}
    assert leaked(json.dumps({"told": "key is q83vEjQ/+w=="}), {"q83vEjQ/+w=="})
    assert leaked(json.dumps({"told": "pin 140014"}), {"140014"})
    assert not leaked(line, {"123456"})
    assert leaked(line[:-1], {"123456"}) == {"123456"}, "a line that was cut off is read as it stands"


def test_no_secret_is_kept_in_any_table(world: Scenario) -> None:
    """Handles, codes and cookies are kept as hashes, keys are derived; PIN and PUK never come here."""
    world.make(world.maker(EMPLOYEE, world.blank()))
    tables = world.rows(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    kept = "\n".join(
        told(str(row["whole"]))
        for table in tables
        for row in world.rows(f'select row_to_json(t)::text as whole from "{table["table_name"]}" t')
    )
    long_enough = {secret for secret in world.secrets if len(secret) > 7}
    assert not [secret for secret in long_enough if stands_in(secret, kept)]


PUK = "12345678"


@pytest.mark.parametrize(
    "value",
    [
        PUK,
        f"puk_{PUK}",
        f"PUK={PUK}.",
        f"first\n{PUK}",
        f"first\b{PUK}\u00e9",
        int(PUK),
        [{PUK: True}],
        json.dumps({"told": f"first\f{PUK}"}),
    ],
)
def test_a_puk_in_a_table_would_be_found(value: object) -> None:
    assert stands_in(PUK, told(json.dumps({"facts": {"inner": value}})))


@pytest.mark.parametrize(
    "value", [f"9{PUK}", f"{PUK}0", f"\\xab{PUK}cd", f"a{PUK}", f"{PUK}F", int(f"{PUK}9")]
)
def test_digits_in_a_longer_number_or_hash_are_no_puk(value: object) -> None:
    assert not stands_in(PUK, told(json.dumps({"hash": value})))


def test_a_handle_in_a_table_would_be_found_inside_other_text() -> None:
    handle = "q83vEjQ_w-AAAAAAAAAAAA"
    assert stands_in(handle, told(json.dumps({"address": f"zorg-id:auth?h=x{handle}y"})))
