"""Walks through the windows against a platform that runs in a thread of the same process."""

from tests.desktop.ending import application, nothing_left

__all__ = ["application", "nothing_left"]
