"""Recognises foreign means, UZI cards, and keeps what their issuers say about them.

What makes a certificate a UZI card and what counts as an answer is `pki`'s; here the answers are fetched,
kept and chosen between. Everything that cannot be learned refuses (LOGIN-4).
"""
