"""The drawings of the windows, all our own: a card reader with cards, and the mark of the app."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from zorgid_desktop.windows import look

SHARPNESS: Final = 3.0
"""Pixels a unit, so that a drawing is sharp on every screen."""
SIZE: Final = QSize(520, 206)
READER: Final = QRectF(300, 70, 190, 66)
CARD: Final = QSize(150, 94)
GOLD: Final = "#d9a928"


class Picture(StrEnum):
    """What can be drawn."""

    insert = "insert"
    swap = "swap"
    busy = "busy"
    stay = "stay"


def picture(which: Picture, labels: tuple[str, str]) -> QPixmap:
    """Return a drawing; `labels` are the words on the UZI card and on the Smartcard."""
    pixmap = QPixmap(SIZE * SHARPNESS)
    pixmap.setDevicePixelRatio(SHARPNESS)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    DRAWN[which](painter, labels)
    painter.end()
    return pixmap


def app_icon() -> QIcon:
    """Return the mark of the app: the letter Z on the brand's colour."""
    icon = QIcon()
    for side in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(_mark(side))
    return icon


def mark(side: int) -> QPixmap:
    """Return the mark of the app for a place of so many units, sharp on every screen."""
    pixmap = _mark(int(side * SHARPNESS))
    pixmap.setDevicePixelRatio(SHARPNESS)
    return pixmap


def _mark(side: int) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / 32, side / 32)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.BRAND))
    painter.drawRoundedRect(QRectF(0, 0, 32, 32), 6, 6)
    painter.setBrush(QColor(look.BRAND_INK))
    corners = ((9, 9), (23, 9), (23, 13), (14, 20), (23, 20), (23, 23), (9, 23), (9, 19), (18, 12), (9, 12))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.end()
    return pixmap


def _insert(painter: QPainter, labels: tuple[str, str]) -> None:
    _card(painter, QPointF(60, 56), "")
    _arrow(painter, 222, 103, 284)
    _reader(painter)
    del labels


def _swap(painter: QPainter, labels: tuple[str, str]) -> None:
    uzi, smartcard = labels
    _card(painter, QPointF(10, 3), uzi, colour=look.PAPER_SHADE)
    _arrow(painter, 284, 48, 174)
    _card(painter, QPointF(10, 109), smartcard)
    _arrow(painter, 174, 158, 284)
    _reader(painter)


def _busy(painter: QPainter, labels: tuple[str, str]) -> None:
    _card(painter, QPointF(180, 56), labels[1])
    _reader(painter)


def _stay(painter: QPainter, labels: tuple[str, str]) -> None:
    """Draw any card in the reader; which one it is, is said elsewhere."""
    _card(painter, QPointF(180, 56), "")
    _reader(painter)
    del labels


DRAWN: Final[Mapping[Picture, Callable[[QPainter, tuple[str, str]], None]]] = {
    Picture.insert: _insert,
    Picture.swap: _swap,
    Picture.busy: _busy,
    Picture.stay: _stay,
}


def _outline(painter: QPainter, width: float = 2.5) -> None:
    painter.setPen(QPen(QColor(look.INK), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))


def _card(painter: QPainter, at: QPointF, label: str, *, colour: str = look.PAPER) -> None:
    """Draw a card with its chip at the right, which goes in first."""
    whole = QRectF(at, CARD)
    _outline(painter)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(whole, 9, 9)
    chip = QRectF(whole.right() - 44, whole.center().y() - 14, 32, 28)
    painter.setBrush(QColor(GOLD))
    _outline(painter, 1.5)
    painter.drawRoundedRect(chip, 4, 4)
    painter.drawLine(chip.topLeft() + QPointF(11, 1), chip.bottomLeft() + QPointF(11, -1))
    painter.drawLine(chip.topRight() + QPointF(-11, 1), chip.bottomRight() + QPointF(-11, -1))
    if label:
        font = QFont(painter.font())
        font.setPixelSize(14)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(look.INK))
        painter.drawText(whole.adjusted(10, 8, -48, -8), Qt.AlignmentFlag.AlignVCenter, label)


def _arrow(painter: QPainter, tail: float, height: float, head: float) -> None:
    """Draw a thick arrow along a line at `height`, from `tail` to `head`."""
    back = -18 if head > tail else 18
    painter.setPen(QPen(QColor(look.ACTION), 9, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawLine(QPointF(tail, height), QPointF(head + back, height))
    path = QPainterPath(QPointF(head, height))
    path.lineTo(head + back, height - 15)
    path.lineTo(head + back, height + 15)
    path.closeSubpath()
    painter.fillPath(path, QColor(look.ACTION))


def _reader(painter: QPainter) -> None:
    """Draw a reader that lies on the desk, its mouth to the left."""
    _outline(painter)
    painter.setBrush(QColor(look.BRAND))
    painter.drawRoundedRect(READER, 14, 14)
    mouth = QRectF(READER.left() - 1, READER.center().y() - 5, 60, 10)
    painter.setBrush(QColor(look.INK))
    painter.drawRect(mouth)
    painter.setBrush(QColor(look.FOCUS))
    painter.drawEllipse(QPointF(READER.right() - 24, READER.top() + 18), 6, 6)
    cable = QPainterPath(QPointF(READER.right(), READER.center().y()))
    cable.cubicTo(READER.right() + 20, READER.center().y(), READER.right() + 6, 192, READER.right() + 28, 196)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(cable)
