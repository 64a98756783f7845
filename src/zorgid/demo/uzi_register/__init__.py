"""A stand-in for the UZI register, for demo, acceptance and tests: authorities, cards, OCSP and CRLs.

The profile is the real one with the object identifiers of the register's test environment and names that
begin with TEST. Nothing it signs counts in production: trust stores there list its issuers as test issuers,
or not at all.
"""
