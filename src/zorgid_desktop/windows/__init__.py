"""The windows of the Desktop App, in Qt. The flow decides; the screens here draw what it asks and tells.

Nothing of Qt is imported before a window is wanted: a computer without PySide6 runs the rest of the app.
"""
