"""`zorgid-desktop scheme`: what registers the scheme, and says whose it is."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.scheme import (
    Registered,
    SchemeNotRegistered,
    SchemeState,
    register,
    registered,
    said_of,
    unregister,
)
from zorgid_desktop.scheme.program import Program, program_for
from zorgid_desktop.texts import language_of, sentence


def run(command: str, cards_folder: Path | None, show: Callable[[str], None] = print) -> int:
    """Do one of register, unregister and check; 0 when links start this program, or nothing any more."""
    program = program_for(cards_folder)
    code, said = {"register": _register, "unregister": _unregister, "check": _check}[command](
        program, os.environ
    )
    text = sentence(said, language_of())
    show("\n".join(filter(None, (text.text, text.next_step))))
    return code


def _register(program: Program, variables: Mapping[str, str]) -> tuple[int, Said]:
    try:
        register(program, variables)
    except SchemeNotRegistered:
        return 1, Said("scheme-not-registered")
    return 0, Said("scheme-registered")


def _unregister(_: Program, variables: Mapping[str, str]) -> tuple[int, Said]:
    unregister(variables)
    return 0, Said("scheme-unregistered")


def _check(program: Program, variables: Mapping[str, str]) -> tuple[int, Said]:
    found: Registered = registered(program, variables)
    trouble = said_of(found)
    if trouble is not None:
        return 1, trouble
    if found.state is SchemeState.unknown:
        return 0, Said("scheme-unknown")
    return 0, Said("scheme-ours")
