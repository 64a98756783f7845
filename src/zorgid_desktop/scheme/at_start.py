"""The check at every start: do links still start this very program?"""

import sys
from collections.abc import Mapping

from zorgid_desktop.flow.asking import Said
from zorgid_desktop.scheme import SchemeNotRegistered, SchemeState, register, registered, said_of
from zorgid_desktop.scheme.program import Program


def look_at_scheme(
    program: Program, variables: Mapping[str, str], *, is_packaged: bool, platform: str = sys.platform
) -> Said | None:
    """Return what the person must know, nothing when all is well.

    A packaged program takes a scheme that nobody has. Another program's is never taken without asking. Who
    runs the app from the project registers it by command.
    """
    found = registered(program, variables, platform)
    if found.state is not SchemeState.absent:
        return said_of(found)
    if not is_packaged:
        return None
    try:
        register(program, variables, platform)
    except SchemeNotRegistered:
        return said_of(found)
    return None
