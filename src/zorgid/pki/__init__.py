"""The language of certificates: UZI identity string, profiles, recognition, status, CRL, OCSP, requests.

Pure: nothing here reads a clock, a network, a file or a database, and no private key lives here. Moments are
handed in, signatures are made elsewhere over bytes that these modules prepare.
"""
