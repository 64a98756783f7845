"""Clients: the care applications and the portal, as the identity server knows them (LOGIN-1, 3, 8).

Holds their exact addresses, public keys and profile. What a client may ask in a request is judged by `oidc`.
"""
