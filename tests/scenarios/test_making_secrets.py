"""What is secret in a making is collected, and would be found in a log (ALL-4).

That it is in none of the logs is looked at by the fixture `world`, at the end of every module of walks.
"""

import json
import re
from io import StringIO

from tests.scenarios.leaks import leaked
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
        str(row["whole"])
        for table in tables
        for row in world.rows(f'select row_to_json(t)::text as whole from "{table["table_name"]}" t')
    )
    words = set(re.findall(r"\w+", kept))
    long_enough = {secret for secret in world.secrets if len(secret) > 7}
    assert not [secret for secret in long_enough if stands_in(secret, kept, words)]


def stands_in(secret: str, text: str, words: set[str]) -> bool:
    """Tell whether a secret stands in a text; eight digits do by chance in any long hash, so a PUK must be a word."""
    return secret in words if secret.isdigit() else secret in text
