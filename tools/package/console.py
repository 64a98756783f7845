"""The program with a console: the app in a terminal."""

import multiprocessing
import sys

from zorgid_desktop.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a module of others is tried in a process of its own
    sys.exit(main())
