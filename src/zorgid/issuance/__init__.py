"""Makes Smartcards: from a completed proof with a UZI card to an active card.

An issuance belongs to one person and one app key and lasts a day. App and platform can both die after any
step: what is unfinished is never good, and a fresh proof by the same person's UZI card goes on with it. A PUK
that was not confirmed as kept is never counted on: the card is emptied and made again. How app and platform
speak about it: docs/desktop-protocol.md, chapter 7.
"""
