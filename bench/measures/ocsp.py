"""OCSP answers: the platform beside `openssl ocsp -multi` and nginx, over kept and over new connections.

All three answer the same GET about the same certificate. nginx serves a stored answer from a file: what any
signed answer could cost at least. OpenSSL signs each answer anew, as it does for its users.
"""

import asyncio
import base64
import contextlib
import getpass
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from tests.ca_builders import HOLDER, fresh_keys

from bench import knock, results, wrk
from bench.house import ORIGIN, House, house
from bench.processes import Server, cpu_seconds, free_port, serving
from bench.results import OURS, Round, Rounds, ratios, spreads
from bench.turns import in_turns
from zorgid.ca import actions as ca
from zorgid.ca.hierarchy import load_hierarchy
from zorgid.ca.keys import KeyName
from zorgid.ca.model import CertificateStatus, Places
from zorgid.kernel.ids import CardId
from zorgid.opening import open_keys
from zorgid.pki.prepare import card_validity

CONNECTIONS = 16
KNOCKING = 8
"""Processes that ask over new connections."""

RESPONDERS = 4
"""Processes of `openssl ocsp`, as many as a common machine has cores."""
ONE_OPENSSL, OPENSSL = "openssl -multi 1", f"openssl -multi {RESPONDERS}"
SECONDS = 3.0


@dataclass(frozen=True)
class Issued:
    """A good certificate, its authority, and the question about it."""

    certificate: x509.Certificate
    authority: x509.Certificate

    @property
    def question(self) -> bytes:
        """The request as DER, by SHA-1 as most clients ask."""
        builder = ocsp.OCSPRequestBuilder().add_certificate(self.certificate, self.authority, hashes.SHA1())
        return builder.build().public_bytes(serialization.Encoding.DER)

    @property
    def path(self) -> str:
        """The question as the end of an address (RFC 6960, appendix A.1)."""
        return quote(base64.b64encode(self.question).decode(), safe="")


@dataclass(frozen=True)
class Contender:
    """A server that answers, where, and what its CPU time is."""

    name: str
    url: str
    cpu: Callable[[], float]
    keeps_connections: bool = True


def run(runs: int) -> None:
    """Measure and keep the findings."""
    with house("ocsp") as made:
        issued = issue(made)
        with contenders(made, issued) as all_of_them:
            keeping = [one for one in all_of_them if one.keeps_connections]
            told = {
                "kept": rounds_of(keeping, issued, runs, partial(wrk.ask, connections=CONNECTIONS)),
                "new": rounds_of(all_of_them, issued, runs, partial(knock.knock, connections=KNOCKING)),
            }
        check_hold_is_seen(made, issued)
    compared = {f"{way}, {name}": one for way, rounds in told.items() for name, one in ratios(rounds).items()}
    found = {
        way: {
            name: spreads(rounds)
            | ({"ratio": compared[place]} if (place := f"{way}, {name}") in compared else {})
            for name, rounds in one.items()
        }
        for way, one in told.items()
    }
    results.keep("ocsp", {"versions": versions(), **found}, compared)
    for way, by_name in found.items():
        for name, one in by_name.items():
            print(
                f"ocsp, {way} connections, {name}: {one['rate'].text()} a second,"
                f" {one['cpu_us'].text()} µs CPU each"
            )


def issue(made: House) -> Issued:
    """Issue the certificates of one card through the platform's own authority; return a good one."""

    async def run() -> Issued:
        async with made.database() as (database, keys):
            authority = (await load_hierarchy(database, Places(made.settings.pki_origin), ORIGIN)).smartcard
            card_id = CardId(uuid4())
            async with database.work(ORIGIN) as work:
                intents = await ca.intend_certificates(
                    work,
                    authority=authority,
                    card_id=card_id,
                    holder=HOLDER,
                    public_keys=fresh_keys(),
                    validity=card_validity(work.now),
                    is_attested=True,
                )
            issued = await ca.sign_intents(database, keys, authority, intents, ORIGIN)
            async with database.work(ORIGIN) as work:
                await ca.set_status_for_card(work, card_id=card_id, status=CertificateStatus.good)
            (made.folder / "card").write_text(str(card_id))
            return Issued(issued[0].certificate, authority.certificate)

    return asyncio.run(run())


@contextlib.contextmanager
def contenders(made: House, issued: Issued) -> Iterator[list[Contender]]:
    """Run all servers at once; only one is asked at a time."""
    with (
        made.running() as platform,
        openssl(made, issued, processes=1) as alone,
        openssl(made, issued, processes=RESPONDERS) as responder,
    ):
        port = made.settings.pki_listen_port
        ours = f"http://127.0.0.1:{port}/ocsp/{issued.path}"

        def our_cpu() -> float:
            return platform.cpu_seconds() + cpu_seconds(made.postgres_id)

        with nginx(made, fetch(ours)) as web:
            yield [
                Contender(OURS, ours, our_cpu),
                *(
                    Contender(name, f"http://127.0.0.1:{one.port}/{issued.path}", one.cpu_seconds, False)
                    for name, one in ((ONE_OPENSSL, alone), (OPENSSL, responder))
                ),
                Contender("nginx", f"http://127.0.0.1:{web.port}/ocsp/answer", web.cpu_seconds),
            ]


@contextlib.contextmanager
def openssl(made: House, issued: Issued, *, processes: int) -> Iterator[Server]:
    """Run OpenSSL's responder, with a responder key of the same kind, on an index with this certificate."""
    folder = made.folder / f"openssl-{processes}"
    folder.mkdir()
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(issued.authority.public_bytes(pem))
    key, certificate = responder_of(made)
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *private))
    (folder / "responder.pem").write_bytes(certificate.public_bytes(pem))
    until = issued.certificate.not_valid_after_utc
    line = ["V", f"{until:%y%m%d%H%M%SZ}", "", f"{issued.certificate.serial_number:X}", "unknown", "/CN=card"]
    (folder / "index.txt").write_text("\t".join(line) + "\n")
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    port = free_port()
    command = (
        f"openssl ocsp -port {port} -index index.txt -CA ca.pem -rsigner responder.pem -rkey key.pem"
        f" -multi {processes} -nmin 10"
    )
    log = folder / "log"

    def accepts() -> bool:
        return "ACCEPT" in log.read_text(errors="replace")

    with serving(command.split(), port, log=log, cwd=folder, is_ready=accepts) as server:
        yield server


def responder_of(made: House) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return key and certificate of the platform's own responder."""
    ((name, der),) = made.ask("select key_name, certificate from ca_responder where authority = 'smartcard'")
    keys: Any = open_keys(made.settings)
    key = keys._key(KeyName(str(name)))  # noqa: SLF001 - the peer signs with a key of the same kind
    return key, x509.load_der_x509_certificate(bytes(der))


@contextlib.contextmanager
def nginx(made: House, answer: bytes) -> Iterator[Server]:
    """Run nginx with one worker, which serves the same bytes from a file with the same headers."""
    folder = made.folder / "nginx"
    (folder / "www" / "ocsp").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "www" / "ocsp" / "answer").write_bytes(answer)
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors; user {getpass.getuser()};
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access combined buffer=64k; keepalive_requests 1000000000;
    sendfile on; tcp_nodelay on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}; root {folder}/www; default_type application/ocsp-response;
        add_header Cache-Control "public, no-transform, must-revalidate, max-age=60";
        add_header X-Content-Type-Options nosniff;
    }}
}}
""")
    with serving(
        ["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder], port, log=folder / "log"
    ) as server:
        yield server


def rounds_of(
    all_of_them: list[Contender], issued: Issued, runs: int, ask: Callable[..., wrk.Asked]
) -> Rounds:
    """Ask one after the other, several rounds; return what they told."""

    def once(one: Contender, number: int) -> Round:
        require_good(fetch(one.url), issued)
        cpu = one.cpu()
        asked = ask(one.url, seconds=SECONDS if number else 1.0)
        spent = one.cpu() - cpu
        require_good(fetch(one.url), issued)
        if asked.errors:
            raise AssertionError(f"{one.name}: {asked.errors} errors in {asked.answers} answers")
        return {
            "rate": asked.rate,
            "cpu_us": spent / asked.answers * 1e6,
            "half_us": asked.half_us,
            "most_us": asked.most_us,
            "generator_us": asked.generator_cpu_s / asked.answers * 1e6,
        }

    return in_turns(all_of_them, runs, once)


def fetch(url: str) -> bytes:
    """Return the body of an answer."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def require_good(der: bytes, issued: Issued) -> None:
    """The answer says good of this certificate, now, and its signature fits."""
    answer = ocsp.load_der_ocsp_response(der)
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert answer.serial_number == issued.certificate.serial_number
    assert answer.next_update_utc is not None
    assert answer.this_update_utc <= datetime.now(UTC) < answer.next_update_utc
    signer = answer.certificates[0].public_key()
    assert isinstance(signer, ec.EllipticCurvePublicKey)
    signer.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


def check_hold_is_seen(made: House, issued: Issued) -> None:
    """A hold counts at the next question, while the same answer was asked without end (LIFE-3)."""
    url = f"http://127.0.0.1:{made.settings.pki_listen_port}/ocsp/{issued.path}"
    card_id = CardId(UUID((made.folder / "card").read_text()))
    with made.running():
        for _ in range(50):
            require_good(fetch(url), issued)
        made.in_work(
            lambda work: ca.set_status_for_card(work, card_id=card_id, status=CertificateStatus.on_hold)
        )
        time.sleep(0.2)  # the announcement travels after the commit
        answer = ocsp.load_der_ocsp_response(fetch(url))
        assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED


def versions() -> dict[str, str]:
    """Return which peers these were."""
    told = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=True).stderr
    by_openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    return {"nginx": told.strip().rpartition("/")[2], "openssl": by_openssl.split()[1]}
