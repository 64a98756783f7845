"""OpenSSL, a foreign tool, accepts and refuses at the right moments what is served over real HTTP (LIFE-3)."""

import asyncio
import os

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID
from tests.ca_builders import new_card, served

from zorgid.ca.model import CertificateStatus
from zorgid.pki.crl import RevocationReason
from zorgid.pki.status import crl_addresses, ocsp_addresses

GOOD, ON_HOLD, REVOKED = CertificateStatus.good, CertificateStatus.on_hold, CertificateStatus.revoked


def issuer_address(certificate):
    """Return where the certificate says that its issuer's own is."""
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (place,) = [one for one in access if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS]
    return place.access_location.value


class Relying:
    """A party that relies on certificates with nothing but OpenSSL and the addresses in the certificate."""

    def __init__(self, house, folder, certificate):
        self.house = house
        self.folder = folder
        self.certificate = certificate

    async def openssl(self, *arguments):
        process = await asyncio.create_subprocess_exec(
            "openssl",
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "http_proxy": "", "no_proxy": "127.0.0.1"},
        )
        out, _ = await process.communicate()
        return process.returncode, out.decode()

    async def fetch(self, address):
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            response = await client.get(address)
        assert response.status_code == 200, address
        return response.content

    async def lay_down(self):
        """Fetch the chain and the lists from the addresses that stand in the certificates."""
        issuer = x509.load_der_x509_certificate(await self.fetch(issuer_address(self.certificate)))
        root = x509.load_der_x509_certificate(await self.fetch(issuer_address(issuer)))
        for name, certificate in {"card": self.certificate, "issuer": issuer, "root": root}.items():
            (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        lists = b""
        for certificate in (self.certificate, issuer):
            crl = x509.load_der_x509_crl(await self.fetch(crl_addresses(certificate)[0]))
            lists += crl.public_bytes(Encoding.PEM)
        (self.folder / "crls.pem").write_bytes(lists)

    async def by_crl(self):
        await self.lay_down()
        at = int(self.house.clock().timestamp()) + 1
        return await self.openssl(
            "verify", "-attime", at, "-crl_check_all", "-x509_strict", "-purpose", "sslclient",
            "-CAfile", self.folder / "root.pem", "-untrusted", self.folder / "issuer.pem",
            "-CRLfile", self.folder / "crls.pem", self.folder / "card.pem",
        )  # fmt: skip

    async def by_ocsp(self, *options):
        """Ask as `openssl ocsp` does; its clock cannot be set, so faketime-free checks ignore the age."""
        await self.lay_down()
        return await self.openssl(
            "ocsp", *options, "-issuer", self.folder / "issuer.pem", "-cert", self.folder / "card.pem",
            "-CAfile", self.folder / "root.pem", "-url", ocsp_addresses(self.certificate)[0],
            "-attime", int(self.house.clock().timestamp()) + 1, "-validity_period", 10**9,
        )  # fmt: skip


@pytest.fixture
async def relying(house, tmp_path):
    card = new_card()
    issued = await house.issue(card)
    async with served(house.app, house.port):
        relying = Relying(house, tmp_path, issued[0].certificate)
        relying.card = card
        yield relying


async def test_openssl_sees_hold_good_hold_release_and_revocation_by_crl(relying):
    house = relying.house
    seen = []
    for status in (None, GOOD, ON_HOLD, GOOD, REVOKED):
        if status:
            await house.set_status(relying.card, status, RevocationReason.key_compromise)
            await house.publish()
        code, said = await relying.by_crl()
        seen.append((code == 0, "certificate revoked" in said))

    assert seen == [(False, True), (True, False), (False, True), (True, False), (False, True)]


@pytest.mark.parametrize("options", [["-no_nonce"], [], ["-sha256", "-no_nonce"]])
async def test_openssl_sees_hold_good_hold_release_and_revocation_by_ocsp(relying, options):
    house = relying.house
    seen = []
    for status in (None, GOOD, ON_HOLD, GOOD, REVOKED):
        if status:
            await house.set_status(relying.card, status, RevocationReason.key_compromise)
        code, said = await relying.by_ocsp(*options)
        assert code == 0, said
        assert "Response verify OK" in said
        word = next(line for line in said.splitlines() if line.startswith(str(relying.folder / "card.pem")))
        seen.append(
            (word.rpartition(": ")[2], "Reason: " in said and said.split("Reason: ")[1].split("\n")[0])
        )

    assert seen == [
        ("revoked", "certificateHold"),
        ("good", False),
        ("revoked", "certificateHold"),
        ("good", False),
        ("revoked", "keyCompromise"),
    ]
    assert "WARNING: no nonce" not in said


async def test_openssl_is_told_unknown_of_a_serial_that_was_never_issued(relying):
    await relying.lay_down()
    _, said = await relying.openssl(
        "ocsp", "-issuer", relying.folder / "issuer.pem", "-serial", "12345678901234567890",
        "-CAfile", relying.folder / "root.pem", "-url", ocsp_addresses(relying.certificate)[0],
        "-attime", int(relying.house.clock().timestamp()) + 1, "-validity_period", 10**9,
    )  # fmt: skip

    assert "12345678901234567890: unknown" in said


async def test_openssl_asking_after_two_certificates_at_once_is_told_malformed(relying):
    await relying.lay_down()
    _, said = await relying.openssl(
        "ocsp", "-issuer", relying.folder / "issuer.pem", "-serial", "1", "-serial", "2",
        "-CAfile", relying.folder / "root.pem", "-url", ocsp_addresses(relying.certificate)[0],
    )  # fmt: skip

    assert "malformedrequest" in said
