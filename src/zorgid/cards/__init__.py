"""Cards: the Smartcards that were made, their life cycle, their links and the holds on them (LIFE).

Making one is `issuance`'s, the certificates are `ca`'s; here stands when a card works, and each change of
that goes to certificates, audit log and outbox in the same transaction.
"""
