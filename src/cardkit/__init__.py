"""The language of smartcards.

Bytes in, values out: commands, objects, certificates, PINs and personalisation of PIV cards, and a complete
virtual card. This package knows no web, no database and nothing of ZORG-ID, so that it can be tried on its
own with any card.
"""
