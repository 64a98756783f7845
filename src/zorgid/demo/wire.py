"""What relying parties see: the status of a certificate as OCSP and CRL answer it over plain HTTP."""

from dataclasses import dataclass

import httpx
from cryptography import x509
from cryptography.x509 import ocsp

from zorgid.pki.status import build_ocsp_request, crl_addresses, ocsp_addresses


@dataclass(frozen=True)
class Statuses:
    """The two answers about one certificate at one moment."""

    ocsp: str
    crl: str


async def statuses(certificate: x509.Certificate, issuer: x509.Certificate) -> Statuses:
    """Ask both, at the addresses that stand in the certificate."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        question = build_ocsp_request(certificate, issuer, nonce=None)
        answer = await client.post(
            ocsp_addresses(certificate)[0],
            content=question,
            headers={"Content-Type": "application/ocsp-request"},
        )
        listed = await client.get(crl_addresses(certificate)[0])
    return Statuses(_ocsp(answer.content), _crl(listed.content, certificate.serial_number))


def _ocsp(der: bytes) -> str:
    answer = ocsp.load_der_ocsp_response(der)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return answer.response_status.name.lower()
    if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        return "on hold" if answer.revocation_reason is x509.ReasonFlags.certificate_hold else "revoked"
    return answer.certificate_status.name.lower()


def _crl(der: bytes, serial: int) -> str:
    entry = x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return "not listed"
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return "revoked"
    return "on hold" if reason is x509.ReasonFlags.certificate_hold else "revoked"


def addresses_of(certificate: x509.Certificate) -> tuple[str, str]:
    """Return the CRL and the OCSP address that stand in a certificate."""
    return crl_addresses(certificate)[0], ocsp_addresses(certificate)[0]
