"""The address of the certificate authority on plain HTTP: OCSP, CRLs and authority certificates.

Relying parties fetch these to find out whether a certificate may be trusted, so it cannot be over TLS.
Source: RFC 6960, appendix A; RFC 5019, section 6; RFC 5280, section 4.2.2.1.
"""
