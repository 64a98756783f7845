"""Runs the command as `python -m zorgid.cli`."""

import sys

from zorgid.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
