"""What this build of the app is. Packaging writes a module of the same names in its place (docs/packages.md).

As it stands here it is the build of who runs the app from the project: the demo.
"""

from enum import StrEnum


class Flavour(StrEnum):
    """For which environment a build is; it knows that one and no other."""

    demo = "demo"
    acceptance = "acceptance"
    production = "production"


FLAVOUR: Flavour = Flavour.demo

ENVIRONMENT_KEYS: tuple[str, ...] = ()
"""Public keys (Ed25519, hexadecimal) that sign lists of environments which count; the demo needs none."""

HAS_VIRTUAL_CARDS: bool = FLAVOUR is not Flavour.production
"""Whether cards made of software are in this build; a production build does not even hold their code."""
