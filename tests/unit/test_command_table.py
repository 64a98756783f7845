"""The table of the command `zorgid`: each of its lines leads to a function."""

import inspect

import pytest

from zorgid.cli import parser
from zorgid.cli.table import COMMANDS, GROUPS, Command


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_leads_to_a_function_of_settings_and_arguments(command: Command) -> None:
    does = command.load()
    assert inspect.iscoroutinefunction(does)
    assert list(inspect.signature(does).parameters) == ["settings", "asked"]


def test_no_two_commands_lead_to_the_same_function() -> None:
    assert len({command.does for command in COMMANDS}) == len({command.name for command in COMMANDS}) == 11


def test_every_group_has_a_command() -> None:
    assert {command.name.split()[0] for command in COMMANDS if " " in command.name} == set(GROUPS)


@pytest.mark.parametrize("line", [[], ["ca"], ["crl", "init"], ["environments", "key"], ["serve", "now"]])
def test_what_is_no_whole_command_is_refused(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(line)
    assert "zorgid" in capsys.readouterr().err


def test_what_a_command_is_not_told_is_as_its_help_says() -> None:
    assert parser().parse_args(["serve"]).with_worker is True
    assert parser().parse_args(["serve", "--no-with-worker"]).with_worker is False
    assert parser().parse_args(["ca", "init"]).root_keys is None
    assert parser().parse_args(["audit", "verify"]).at_least == 0
