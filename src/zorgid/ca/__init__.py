"""The certificate authority: keys, hierarchy, the certificates of cards and their status.

Private keys are used behind `keys.py` only. What a certificate looks like is `pki`'s; when a card is good is
`cards`'.
"""
