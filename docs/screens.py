"""Makes the pictures in docs/screens: every window and every page of the workplace, in Dutch and English.

Run as `make screens`, or `python docs/screens.py windows` for a part. A part is a function that writes its
pictures into the folder and returns their names.
"""  # noqa: INP001 - a script

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

HOUSE: Final = Path(__file__).parents[1]
FOLDER: Final = HOUSE / "docs/screens"
sys.path[:0] = [str(HOUSE), str(HOUSE / "src")]


def windows(folder: Path) -> list[str]:
    """Draw the windows of the Desktop App, without a screen."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_LOGGING_RULES"] = "*=false"
    from PySide6.QtGui import QImage  # noqa: PLC0415 - other parts need no Qt
    from tests.desktop.examples import begun, windows  # noqa: PLC0415

    from zorgid.kernel.sentences import Language  # noqa: PLC0415
    from zorgid_desktop.windows.app import new_application  # noqa: PLC0415

    application = new_application(Language.nl)
    names = []
    for language in Language:
        for name, make in windows(language).items():
            window = begun(make())
            application.processEvents()
            image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
            commonest = [colour for colour, _ in Counter(image.constBits().cast("I")).most_common(256)]
            image = image.convertToFormat(QImage.Format.Format_Indexed8, commonest)
            names.append(f"window-{name}-{language}.png")
            image.save(str(folder / names[-1]), "PNG", 0)
            window.close()
    return names


def workplace(folder: Path) -> list[str]:
    """Walk through the virtual workplace with a browser; needs Debian's chromium."""
    import asyncio  # noqa: PLC0415 - other parts need no browser

    from tests.workplace_pictures import draw  # noqa: PLC0415

    return asyncio.run(draw(folder))


PARTS: Final[Mapping[str, Callable[[Path], list[str]]]] = {"windows": windows, "workplace": workplace}
"""What draws which pictures."""


def main() -> None:
    """Draw the named parts, or all."""
    FOLDER.mkdir(exist_ok=True)
    for part in sys.argv[1:] or PARTS:
        names = PARTS[part](FOLDER)
        print(f"{part}: {len(names)} pictures")  # noqa: T201 - what the command did


if __name__ == "__main__":
    main()
