"""What every command says to its operator, and how it ends."""

import sys
from typing import Final

OK: Final = 0
FAILED: Final = 1


def say(line: str) -> None:
    """Write a line for the operator."""
    sys.stdout.write(f"{line}\n")
