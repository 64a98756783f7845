"""Which platform an environment id in a link means. A link never brings an address of its own."""

from collections.abc import Mapping
from typing import Final

DEMO_ORIGIN: Final = "http://localhost:8600"
DEMO_ORIGIN_VARIABLE: Final = "ZORGID_DESKTOP_DEMO_ORIGIN"
"""Moves the demo, and nothing but the demo, to another port or to a test's platform."""


class EnvironmentUnknown(Exception):
    """The link names an environment that this build does not know; the right build solves it."""

    code = "environment-unknown"


def origin_of(environment: str, variables: Mapping[str, str]) -> str:
    """Return the origin (scheme://host[:port]) of an environment. Raises `EnvironmentUnknown`.

    Acceptance and production come with the signed configuration of a packaged build.
    """
    if environment != "demo":
        raise EnvironmentUnknown
    return variables.get(DEMO_ORIGIN_VARIABLE, DEMO_ORIGIN)
