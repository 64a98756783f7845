"""The program without a console: links start it, and started bare it shows the list of cards."""

import multiprocessing
import sys

from zorgid_desktop.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a module of others is tried in a process of its own
    sys.exit(main(sys.argv[1:] or ["window"]))
