"""Proves who is there with a card, and remembers it for a while as a session.

A transaction goes from the browser to the Desktop App and back (docs/desktop-protocol.md). Nothing takes
effect before the browser that began has completed it; only the purpose *login* ever makes a session. What a
completed proof leads to besides is for the rooms after this one.
"""
