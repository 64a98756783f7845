"""Tries a module in a process of its own, so that one that crashes or hangs takes nothing with it.

A module is code of others: loaded into this process it can end it. What it did once it may do again, so a
module that fails here is not loaded.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Final

from cardkit.errors import ModuleFlaw, ModuleUnusable

LONGEST_SECONDS: Final = 20.0
"""Readers of which a card is just being powered take seconds; nobody waits longer than this."""
TRY_AGAIN_AFTER_SECONDS: Final = 30.0
"""A module may refuse since the service of readers does not run yet; one that crashed is not tried again."""
FITS: Final = 0
UNFIT: Final = 3
NO_BINDING: Final = 4


def require_usable(path: str) -> None:
    """Check that the module can be loaded and asked for its slots.

    Raises:
        ModuleUnusable: with why.
    """
    if not Path(path).is_absolute():
        raise ModuleUnusable(module=path, flaw=ModuleFlaw.not_whole)
    if not Path(path).is_file():
        raise ModuleUnusable(module=path, flaw=ModuleFlaw.missing)
    flaw, tried_at = _tried.get(path, (ModuleFlaw.unfit, -TRY_AGAIN_AFTER_SECONDS))
    if flaw is ModuleFlaw.unfit and time.monotonic() - tried_at >= TRY_AGAIN_AFTER_SECONDS:
        flaw = _flaw_of(path)
        _tried[path] = flaw, time.monotonic()
    if flaw is not None:
        raise ModuleUnusable(module=path, flaw=flaw)


_tried: dict[str, tuple[ModuleFlaw | None, float]] = {}


def _flaw_of(path: str) -> ModuleFlaw | None:
    # "spawn": a fork of a program with threads and windows may hang before it begins.
    trial = multiprocessing.get_context("spawn").Process(target=_try, args=(path,), daemon=True)
    trial.start()
    trial.join(LONGEST_SECONDS)
    if trial.exitcode is None:
        trial.kill()
        trial.join()
        return ModuleFlaw.mute
    return {
        FITS: None,
        UNFIT: ModuleFlaw.unfit,
        NO_BINDING: ModuleFlaw.no_binding,
    }.get(trial.exitcode, ModuleFlaw.crashed)


def _try(path: str) -> None:
    """Load the module, ask for its slots, and end the process with what came of it."""
    try:
        import pkcs11  # noqa: PLC0415 - an extra
    except ImportError:
        raise SystemExit(NO_BINDING) from None
    try:
        for slot in pkcs11.lib(path).get_slots():
            str(slot)
    except Exception:  # noqa: BLE001 - whatever it is, the module does not answer as one
        raise SystemExit(UNFIT) from None
