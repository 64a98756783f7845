"""The Desktop App: what the employee at the counter sees. It speaks to the platform over HTTP only.

`flow` decides, a face (`flow/asking.py`) draws: the terminal today, windows and the virtual workplace later.
"""

APP_VERSION = "0.1.0"
"""Told to the platform, which may ask for a newer one."""
