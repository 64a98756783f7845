"""The command `zorgid`. What a command needs is imported when it runs, so that `--help` answers at once."""

from zorgid.cli.entry import main
from zorgid.cli.table import parser

__all__ = ["main", "parser"]
