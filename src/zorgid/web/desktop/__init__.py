"""What the Desktop App speaks to.

JSON over POST, each request signed by the app key (`protocol/messages.py`).
"""
