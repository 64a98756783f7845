"""Organisations: care providers by URA, from their registration request to their end (ORG, CARD-3).

Knows who asked, what was decided and which kinds of means the organisation is registered for. Who may act for
an organisation is `roles`'s; the proof with a UZI card is `onboarding`'s.
"""
