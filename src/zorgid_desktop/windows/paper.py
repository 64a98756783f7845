"""Prints the PUK for its holder: to a printer and nowhere else."""

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo
from PySide6.QtWidgets import QDialog, QWidget

from cardkit.secrets import Puk
from zorgid_desktop.windows.look import monospace
from zorgid_desktop.windows.words import Words


class Printed(StrEnum):
    """How printing ended."""

    sent = "sent"
    no_printer = "no-printer"
    cancelled = "cancelled"


Print = Callable[[QWidget, Words, Puk], Printed]


def print_puk(parent: QWidget, words: Words, puk: Puk) -> Printed:
    """Let the person choose a printer and print one page; a file is not among the choices."""
    if not QPrinterInfo.availablePrinterNames():
        return Printed.no_printer
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    # What the print queue shows to others tells nothing.
    printer.setDocName(words.text("product"))
    dialog = QPrintDialog(printer, parent)
    dialog.setOption(QPrintDialog.PrintDialogOption.PrintToFile, False)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return Printed.cancelled
    if printer.outputFormat() is not QPrinter.OutputFormat.NativeFormat or printer.outputFileName():
        return Printed.no_printer
    painter = QPainter(printer)
    draw_page(painter, QRectF(painter.viewport()), words, puk)
    painter.end()
    return Printed.sent


def draw_page(painter: QPainter, page: QRectF, words: Words, puk: Puk) -> None:
    """Draw the page: what the code is, the code in large groups, and how to keep it."""
    inside = page.adjusted(page.width() / 12, page.height() / 14, -page.width() / 12, 0)
    wrapped = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
    for text, font, share in (
        (words.text("puk-paper-title"), _font(20, is_bold=True), 0.1),
        (puk.text_to_show_once(), _code_font(), 0.12),
        (words.text("puk-why"), _font(12), 0.07),
        (words.text("puk-paper-text"), _font(12), 0.1),
    ):
        painter.setFont(font)
        box = QRectF(inside.left(), inside.top(), inside.width(), page.height() * share)
        painter.drawText(box, wrapped, text)
        inside.setTop(box.bottom())


def _font(points: int, *, is_bold: bool = False) -> QFont:
    font = QFont()
    font.setPointSize(points)
    font.setBold(is_bold)
    return font


def _code_font() -> QFont:
    font = monospace()
    font.setPointSize(36)
    font.setBold(True)
    return font
