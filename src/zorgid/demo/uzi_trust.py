"""Lets the platform trust the test UZI register: its trust store, and the ways to ask it for a status."""

from zorgid.demo.uzi_register.authorities import Authority
from zorgid.demo.uzi_register.register import Register
from zorgid.pki.algorithms import key_fingerprint
from zorgid.trust.model import TrustBundle, Ways


def trust_in(register: Register) -> TrustBundle:
    """Return what demo and acceptance trust; production never loads this."""
    ways = {key_fingerprint(one.public_key): _ways(one) for one in register.hierarchy.all}
    return TrustBundle(register.trust_store(accepts_test=True), ways)


def _ways(authority: Authority) -> Ways:
    responder = (f"{authority.base_url}/ocsp",) if authority.has_responder else ()
    return Ways(ocsp=responder, crl=(f"{authority.base_url}/cdp/{authority.slug}.crl",))
