"""The ZORG-ID platform: portal, identity server and certificate authority for care in the Netherlands.

One room per capability; `docs/architecture.md` has the floor plan and the walk of one Smartcard through it.
"""
