"""The main job through the computer's own PC/SC service, and the card that came of it under the tools of others."""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.interop.readers.desk import (
    Desk,
    PersonAtDesk,
    at_work,
    login_link,
    person_at,
    walk,
    world_of_today,
)
from tests.interop.readers.service import PLAIN, Service, eventually
from tests.interop.readers.test_foreign_tools import OPENSC, run
from tests.interop.readers.test_own_driver import HOLDER
from tests.ports import free_port
from tests.scenarios.checks import one_good_card
from tests.scenarios.world import EMPLOYEE, NEW_PIN, Scenario

from cardkit.card import CertificateUsage
from cardkit.pcsc.reader import TURN_SECONDS
from cardkit.piv import PivCard
from cardkit.virtual import VirtualCard
from zorgid.audit.model import Actor, ActorKind
from zorgid.cards import actions as cards
from zorgid.cards.model import HoldReason
from zorgid.pki.algorithms import KeyKind
from zorgid.storage.database import Work
from zorgid_desktop.flow.asking import AskPin, InsertCard, Question, Said, Wanted
from zorgid_desktop.flow.watching import WatchEnd, watch_card
from zorgid_desktop.run import run_link

pytestmark = pytest.mark.xdist_group("pcscd")


@pytest.fixture
def keys() -> KeyKind:
    """The kind of keys on cards that are made."""
    return KeyKind.p256


@pytest.fixture
def world(quick_place: Path, database_url: str, keys: KeyKind) -> Iterator[Scenario]:
    folder = Path(tempfile.mkdtemp(prefix="zorgid-desk-", dir=quick_place))
    with world_of_today(folder, database_url, keys) as running:
        yield running
    shutil.rmtree(folder)


@pytest.mark.parametrize("keys", [KeyKind.p256, KeyKind.rsa2048])
def test_a_card_is_made_and_logs_in_at_a_real_reader(world: Scenario, plain_reader: Service) -> None:
    """CARD-1, CARD-5, LOGIN-2: with the same steps as in process."""
    blank = world.blank()
    desk = Desk(plain_reader, world)
    person = person_at(desk, world.maker(EMPLOYEE, blank))
    walk(world, person, is_making=True)
    desk.take_out()
    one_good_card(world, EMPLOYEE, person)
    person.cards[Wanted.login_card] = blank
    person.pin = NEW_PIN
    logged_in = walk(world, person, is_making=False)
    assert logged_in.card.reader == plain_reader.slot_name()
    assert person.codes() == []


class Clumsy(PersonAtDesk):
    """Does something with the reader instead of what is asked, as long as there are such acts left."""

    before_pin: list[Callable[[], None]]
    instead_of_card: list[Callable[[], None]]

    def answer(self, question: Question[Any]) -> Any:
        if isinstance(question, AskPin) and self.before_pin:
            self.before_pin.pop(0)()
        if isinstance(question, InsertCard) and self.instead_of_card:
            return self.instead_of_card.pop(0)()
        return super().answer(question)


def clumsy_at(desk: Desk, world: Scenario) -> Clumsy:
    maker = world.maker(EMPLOYEE, "none")
    person = Clumsy(world, maker.cards, maker.pin, maker.birth_date)
    person.desk, person.before_pin, person.instead_of_card = desk, [], []
    return person


def no_try_is_lost(world: Scenario) -> bool:
    pin = world.reader.card_state(f"uzi-{EMPLOYEE}").pin
    return pin.tries_left == pin.most_tries


def test_a_card_that_is_pulled_at_the_pin_is_asked_for_again(world: Scenario, plain_reader: Service) -> None:
    """ALL-2, PIN-1: a sentence, a way on, and no try less."""
    desk = Desk(plain_reader, world)
    person = clumsy_at(desk, world)
    person.before_pin = [desk.take_out]
    walk(world, person, is_making=False)
    assert person.codes() == ["card-gone"]
    assert no_try_is_lost(world)


def test_a_card_that_another_program_holds_is_said_and_used_when_it_is_free(
    world: Scenario, plain_reader: Service
) -> None:
    """ALL-2, PIN-1."""
    desk = Desk(plain_reader, world)
    person = clumsy_at(desk, world)
    desk.put_in(f"uzi-{EMPLOYEE}")
    other = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout
    assert other.stdout.readline() == b"held\n"
    person.instead_of_card = [lambda: None, lambda: other.communicate() and None]
    walk(world, person, is_making=False, turn_seconds=TURN_SECONDS)
    assert person.codes() == ["card-busy"]
    assert no_try_is_lost(world)


def test_a_service_that_ends_at_the_pin_is_said_and_used_when_it_is_back(
    world: Scenario, plain_reader: Service
) -> None:
    """ALL-2, PIN-1."""
    desk = Desk(plain_reader, world)
    person = clumsy_at(desk, world)
    person.before_pin = [plain_reader.stop]

    def start_again() -> None:
        plain_reader.start(PLAIN)
        desk.put_in(f"uzi-{EMPLOYEE}")

    person.instead_of_card = [lambda: desk.put_in(f"uzi-{EMPLOYEE}") and None, lambda: None, start_again]
    walk(world, person, is_making=False)
    assert person.codes() == ["card-gone", "reader-service-absent"]
    assert no_try_is_lost(world)


@pytest.mark.parametrize("keys", [KeyKind.p256, KeyKind.rsa2048])
def test_nginx_takes_the_card_until_it_is_held(
    world: Scenario, plain_reader: Service, tmp_path: Path
) -> None:
    """LOGIN-6, LIFE-2, LIFE-3: a server that knows our root and our list, and nothing else of us."""
    blank = world.blank()
    world.make(world.maker(EMPLOYEE, blank))
    card = Desk(plain_reader, world).put_in(blank)
    write_certificates(world, card, tmp_path)
    write_lists(world, tmp_path)
    with nginx(tmp_path) as port:
        said = ask(port, tmp_path)
    assert "200" in said, said
    assert world.name_on(f"uzi-{EMPLOYEE}") in said
    world.in_work(hold_it(world))
    write_lists(world, tmp_path)
    with nginx(tmp_path) as port:
        said = ask(port, tmp_path)
    assert "400" in said, said
    assert "certificate revoked" in (tmp_path / "error.log").read_text()


class Leaving(PersonAtDesk):
    """Pulls the card when the app says that it watches it."""

    pulling: threading.Thread

    def tell(self, said: Said) -> None:
        super().tell(said)
        if said.code == "watching":
            self.pulling = threading.Thread(target=self.desk.take_out)
            self.pulling.start()


def test_a_card_that_is_pulled_ends_the_session(world: Scenario, plain_reader: Service) -> None:
    """LOGIN-7, LOGIN-10: the service of the computer tells the app, and the app the platform."""
    maker = world.maker(EMPLOYEE, "none")
    person = Leaving(world, maker.cards, maker.pin, maker.birth_date)
    person.desk = Desk(plain_reader, world)
    visitor = world.visitor()
    with at_work(world, visitor) as around:
        link = login_link(world, visitor)
        logged_in = run_link(around, person, link)
        assert watch_card(around, person, link, logged_in) is WatchEnd.card_out
    person.pulling.join(60)
    world.run(visitor._client.aclose())
    assert person.said[-1] == "session-ended-by-pull"
    assert [row["end_reason"] for row in world.rows("select end_reason from session")] == ["card-out"]


def hold_it(world: Scenario) -> Any:
    (card,) = [card for card in world.cards(EMPLOYEE) if card["state"] == "active"]

    async def hold(work: Work) -> None:
        by = Actor(ActorKind.person, person_id=world.person_id(EMPLOYEE))
        await cards.hold_card(work, card_id=card["id"], reason=HoldReason.lost, by=by)

    return hold


def write_certificates(world: Scenario, card: VirtualCard, folder: Path) -> None:
    """Write the certificate on the card, the authorities that nginx trusts, and nginx's own certificate."""
    found = PivCard.open(card).certificate_for(CertificateUsage.authentication)
    (folder / "card.pem").write_bytes(pem(found.certificate))
    hierarchy = world.running.hierarchy
    trusted = pem(hierarchy.root.certificate) + pem(hierarchy.smartcard.certificate)
    (folder / "trusted.pem").write_bytes(trusted)
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", folder / "server.key", "-out", folder / "server.pem")
    run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        *subject,
        *files,
    )


def write_lists(world: Scenario, folder: Path) -> None:
    """Write the lists of revoked certificates as they are served now."""
    world.published_serials()

    async def fetched(name: str) -> bytes:
        return (await world._pki.get(f"/crl/{name}.crl")).raise_for_status().content

    lists = [x509.load_der_x509_crl(world.run(fetched(name))) for name in ("root", "smartcard")]
    (folder / "lists.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in lists))


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """Run nginx with the files of the folder; gives its port."""
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
        pid {folder}/nginx.pid;
        error_log {folder}/error.log info;
        events {{}}
        http {{
            access_log off;
            server {{
                listen 127.0.0.1:{port} ssl;
                ssl_certificate {folder}/server.pem;
                ssl_certificate_key {folder}/server.key;
                ssl_client_certificate {folder}/trusted.pem;
                ssl_crl {folder}/lists.pem;
                ssl_verify_client on;
                ssl_verify_depth 2;
                location / {{ return 200 "$ssl_client_s_dn"; }}
            }}
        }}
    """)
    command = ["setpriv", "--pdeathsig", "TERM", "nginx", "-p", folder, "-c", folder / "nginx.conf"]
    process = subprocess.Popen([*map(str, command), "-g", "daemon off;", "-e", str(folder / "start.log")])
    try:
        eventually((folder / "nginx.pid").exists, "nginx runs")
        yield port
    finally:
        process.terminate()
        process.wait(60)


def ask(port: int, folder: Path) -> str:
    """Ask the server for a page by curl, which proves itself with the card."""
    key = f"pkcs11:id=%01;type=private?pin-value={NEW_PIN}"
    told = ("--silent", "--show-error", "--noproxy", "*", "--write-out", " %{http_code}")
    card = (
        "--cacert",
        folder / "server.pem",
        "--engine",
        "pkcs11",
        "--key-type",
        "ENG",
        "--key",
        key,
        "--cert",
        folder / "card.pem",
    )
    return run("curl", *told, *card, f"https://localhost:{port}/", env={"PKCS11_MODULE_PATH": OPENSC})
