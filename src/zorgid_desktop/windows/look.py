"""The look of the windows: colours of the portal, sizes, how focus is seen. Text has a contrast of 7 : 1."""

from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

INK: Final = "#15202b"
INK_SOFT: Final = "#3d4a57"
PAPER: Final = "#ffffff"
PAPER_SHADE: Final = "#f1f5f7"
LINE: Final = "#5f6f7c"
BRAND: Final = "#0a4a4e"
BRAND_INK: Final = "#ffffff"
ACTION: Final = "#075e45"
ACTION_INK: Final = "#ffffff"
DANGER: Final = "#9b1111"
DANGER_PAPER: Final = "#fdf0ef"
WARN_PAPER: Final = "#fff4cc"
GOOD_PAPER: Final = "#e6f4ec"
FOCUS: Final = "#ffd800"
FOCUS_INK: Final = "#15202b"

LEAST_POINTS: Final = 12
"""The size of ordinary text, unless the system's own is larger."""

STYLE: Final = f"""
* {{ color: {INK}; }}
QWidget#page, QScrollArea {{ background: {PAPER}; }}
QWidget#top {{ background: {BRAND}; }}
QWidget#top QLabel {{ color: {BRAND_INK}; font-weight: 700; background: transparent; }}
QWidget#foot {{ background: {PAPER_SHADE}; border-top: 1px solid {LINE}; }}
QLabel {{ background: transparent; }}
QLabel[kind="title"] {{ font-size: 17pt; font-weight: 700; }}
QLabel[kind="name"] {{ font-size: 14pt; font-weight: 700; }}
QLabel[kind="strong"] {{ font-weight: 700; }}
QLabel[kind="hint"] {{ color: {INK_SOFT}; }}
QLabel[kind="puk"] {{
    font-size: 34pt; font-weight: 700; padding: 14px 26px;
    background: {PAPER_SHADE}; border: 3px solid {LINE};
}}
QLabel[kind="puk"]:focus {{ background: {WARN_PAPER}; border: 3px solid {FOCUS_INK}; }}
QLabel[kind="tag"] {{
    font-weight: 700; padding: 2px 10px; border: 2px solid {INK}; border-radius: 4px; background: {PAPER};
}}
QFrame[kind="note"], QFrame[kind="warn"] {{ border: 2px solid {LINE}; border-left: 8px solid {LINE}; }}
QFrame[kind="note"] {{ background: {PAPER_SHADE}; }}
QFrame[kind="warn"] {{ background: {WARN_PAPER}; }}
QFrame[kind="context"] {{
    border: 2px solid {BRAND}; border-left: 8px solid {BRAND}; background: {PAPER_SHADE};
}}
QFrame[kind="wrong"] {{
    border: 2px solid {DANGER}; border-left: 8px solid {DANGER}; background: {DANGER_PAPER};
}}
QFrame[kind="good"] {{
    border: 2px solid {ACTION}; border-left: 8px solid {ACTION}; background: {GOOD_PAPER};
}}
QFrame[kind="card"] {{ border: 2px solid {LINE}; border-radius: 6px; background: {PAPER}; }}
QPushButton {{
    min-height: 30px; padding: 6px 20px; border: 2px solid {LINE}; border-radius: 4px;
    background: {PAPER}; font-weight: 700;
}}
QPushButton[kind="main"] {{ background: {ACTION}; color: {ACTION_INK}; border-color: {ACTION}; }}
QPushButton:hover {{ text-decoration: underline; }}
QPushButton:focus {{
    background: {FOCUS}; color: {FOCUS_INK}; border: 4px solid {FOCUS_INK}; padding: 4px 18px;
}}
QLineEdit {{
    min-height: 32px; padding: 4px 10px; border: 2px solid {LINE}; background: {PAPER};
    selection-background-color: {BRAND}; selection-color: {BRAND_INK};
}}
QLineEdit:focus {{ border: 4px solid {FOCUS_INK}; padding: 2px 8px; background: {WARN_PAPER}; }}
QCheckBox, QRadioButton {{
    spacing: 12px; padding: 6px 8px; border: 3px solid transparent; background: transparent;
}}
QCheckBox:focus, QRadioButton:focus {{ background: {FOCUS}; border: 3px solid {FOCUS_INK}; }}
QCheckBox::indicator, QRadioButton::indicator {{
    width: 24px; height: 24px; border: 2px solid {INK}; background: {PAPER};
}}
QRadioButton::indicator {{ border-radius: 14px; }}
QRadioButton::indicator:checked {{ width: 10px; height: 10px; border: 9px solid {INK}; }}
QListWidget {{ border: 2px solid {LINE}; background: {PAPER}; }}
QListWidget:focus {{ border: 4px solid {FOCUS_INK}; }}
QListWidget::item:selected {{ background: {BRAND}; color: {BRAND_INK}; }}
QScrollArea {{ border: 0; }}
QScrollBar:vertical {{ width: 16px; background: {PAPER_SHADE}; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 6px; margin: 2px; min-height: 40px; }}
QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical {{ height: 0; }}
QMenu {{ background: {PAPER}; border: 1px solid {LINE}; }}
QMenu::item {{ padding: 8px 24px; }}
QMenu::item:selected {{ background: {BRAND}; color: {BRAND_INK}; }}
"""
"""The style sheet of all windows."""


def dress(application: QApplication) -> None:
    """Give all windows this look, whatever theme the system has, with text that is large enough."""
    application.setStyle("Fusion")
    font = QFont(application.font())
    font.setPointSizeF(max(font.pointSizeF(), LEAST_POINTS))
    application.setFont(font)
    application.setPalette(_palette())
    application.setStyleSheet(STYLE)


def monospace() -> QFont:
    """Return the font in which each digit is as wide as another."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def _palette() -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for roles, colour in (
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), INK),
        ((role.Window, role.Base, role.Button, role.ToolTipBase), PAPER),
        ((role.AlternateBase,), PAPER_SHADE),
        ((role.Highlight, role.Accent), BRAND),
        ((role.HighlightedText,), BRAND_INK),
        ((role.PlaceholderText,), INK_SOFT),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    return palette
