"""The log of every act and every login: append-only, authenticated, sealed once a second (AUD-1).

Each entry carries an HMAC whose key is not in the database; a sealer closes committed entries in a signed
chain of seals that is kept outside the database, and `verify` proves from there what was changed, dropped,
added or cut off. Other rooms call `actions.record`; the edge opens its works with `actions.act`, so that
refusals are in the log too.
"""
