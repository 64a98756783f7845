"""Which PKCS#11 modules the app may use: those of the setting, else those found under their usual names."""

import sys
from collections.abc import Mapping
from typing import Final

from cardkit.pkcs11.places import Modules, named_modules, usual_modules

MODULE_VARIABLE: Final = "ZORGID_DESKTOP_PKCS11_MODULE"
"""Whole paths of modules, separated as in PATH.

Empty: none. Not set: SafeSign, OpenSC and ykcs11 are looked for.
"""


def modules_for(variables: Mapping[str, str], system: str = sys.platform) -> Modules:
    """Return the modules to use; nothing is loaded."""
    named = variables.get(MODULE_VARIABLE)
    return usual_modules(system, variables) if named is None else named_modules(named)
