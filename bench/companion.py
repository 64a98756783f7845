"""A process that plays the other side in the bench: told things by lines, it answers in lines of JSON."""

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from typing import Any


class Companion(AbstractContextManager["Companion"]):
    """The process of a module, from its start until the block around it ends."""

    def start(self, module: str, told: dict[str, Any]) -> None:
        """Start it, and tell it what it is to do."""
        self._module = module
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(json.dumps(told))

    def say(self, line: str) -> None:
        """Tell it something."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Wait for what it says next."""
        assert self._process.stdout is not None
        heard = self._process.stdout.readline()
        if not heard:
            raise RuntimeError(f"{self._module} ended; what it said stands above")
        return json.loads(heard)

    def __exit__(self, *exception: object) -> None:
        """End it, and whatever it holds open."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
