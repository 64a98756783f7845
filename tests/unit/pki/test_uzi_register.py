"""The test UZI register: its world stays the same, and its switches do what they say."""

import asyncio
import base64
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from tests.unit.pki.builders import NOW, open_register, shared_register

from zorgid.demo.uzi_register.app import create_app
from zorgid.demo.uzi_register.register import Register
from zorgid.pki.crl_judgement import judge_crl
from zorgid.pki.errors import StatusRevoked, StatusTooOld
from zorgid.pki.identity import CardType
from zorgid.pki.ocsp_judgement import judge_ocsp
from zorgid.pki.status import build_ocsp_request, ocsp_addresses


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return open_register(tmp_path)


class Web:
    """Asks the register's application over HTTP, without a network."""

    def __init__(self, register: Register) -> None:
        self._transport = httpx.ASGITransport(create_app(register))

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, None))

    def post(self, path: str, content: bytes) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, content))

    async def _ask(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1:8605") as client:
            return await client.request(method, path, content=content)


@pytest.fixture
def web(register: Register) -> Web:
    return Web(register)


def card_and_issuer(register: Register) -> tuple[x509.Certificate, x509.Certificate]:
    card = register.card("assistente-linde").authentication.certificate
    return card, register.hierarchy.issuers[CardType.N].certificate


def question(register: Register) -> bytes:
    return build_ocsp_request(*card_and_issuer(register), nonce=None)


def judge(register: Register, answer: bytes) -> object:
    card, issuer = card_and_issuer(register)
    return judge_ocsp(answer, certificate=card, issuer=issuer, now=NOW)


def test_opening_the_same_folder_again_finds_the_same_cards_and_revocations(tmp_path: Path):
    first = open_register(tmp_path)
    first.revoke_card("bezorger-lelietje")

    again = open_register(tmp_path, clock=lambda: NOW + timedelta(days=1))

    assert [card.authentication.certificate for card in again.cards] == [
        card.authentication.certificate for card in first.cards
    ]
    revoked = again.card("bezorger-lelietje").authentication.certificate.serial_number
    crl = x509.load_der_x509_crl(again.crl(again.hierarchy.issuers[CardType.N]))
    entry = crl.get_revoked_certificate_by_serial_number(revoked)
    assert entry is not None
    assert entry.revocation_date_utc == NOW


def test_another_address_makes_another_world_with_the_same_keys(tmp_path: Path):
    first = open_register(tmp_path).card("assistente-linde").authentication
    moved = open_register(tmp_path, base_url="http://127.0.0.1:18605").card("assistente-linde").authentication

    assert ocsp_addresses(moved.certificate) == ("http://127.0.0.1:18605/ocsp",)
    assert ocsp_addresses(first.certificate) != ocsp_addresses(moved.certificate)
    assert first.certificate.public_key() == moved.certificate.public_key()


def test_each_card_fits_its_keys_and_has_a_pin_of_its_own(register: Register):
    for card in register.cards:
        for key in card.keys.values():
            assert key.certificate.public_key() == key.private_key.public_key()
    assert len({card.pin for card in register.cards}) == len(register.cards)
    assert len({card.label for card in register.cards}) == len(register.cards)


def test_a_card_without_a_name_cannot_sign(register: Register):
    assert register.card("niet-op-naam-linde").signature is None


def test_the_long_name_has_exactly_64_characters(register: Register):
    assert len(register.card("lange-naam").person.names.full_name) == 64


def test_every_authority_is_loud_about_being_a_test(register: Register):
    for authority in register.hierarchy.all:
        assert "TEST " in authority.certificate.subject.rfc4514_string()


def test_an_unknown_label_is_an_error(register: Register):
    with pytest.raises(KeyError):
        register.card("nobody")


def test_ocsp_answers_by_post_and_by_get(register: Register, web: Web):
    asked = question(register)

    by_post = web.post("/ocsp", content=asked)
    by_get = web.get(f"/ocsp/{quote(base64.b64encode(asked).decode(), safe='')}")

    assert by_post.headers["content-type"] == "application/ocsp-response"
    assert judge(register, by_post.content)
    assert judge(register, by_get.content)


def test_a_revocation_shows_at_once_in_ocsp_and_on_the_list(register: Register, web: Web):
    card, issuer = card_and_issuer(register)
    register.revoke(card.serial_number)

    with pytest.raises(StatusRevoked):
        judge(register, web.post("/ocsp", content=question(register)).content)
    crl = web.get("/cdp/test_uzi-register_n_ca_g3.crl").content
    with pytest.raises(StatusRevoked):
        judge_crl(crl, issuer=issuer, now=NOW, lowest_number=None).require_good(card)


def test_a_stale_register_answers_with_what_it_knew_hours_ago(register: Register, web: Web):
    card, issuer = card_and_issuer(register)
    register.revoke(card.serial_number)
    register.go_stale()

    answer = web.post("/ocsp", content=question(register)).content
    crl = web.get("/cdp/test_uzi-register_n_ca_g3.crl").content

    assert ocsp.load_der_ocsp_response(answer).certificate_status is ocsp.OCSPCertStatus.GOOD
    with pytest.raises(StatusTooOld):
        judge(register, answer)
    with pytest.raises(StatusTooOld):
        judge_crl(crl, issuer=issuer, now=NOW, lowest_number=None)


def test_a_dark_register_answers_nothing_until_it_recovers(register: Register, web: Web):
    asked = question(register)
    register.go_dark()

    dark = [web.post("/ocsp", content=asked), web.get("/cdp/test_uzi-register_n_ca_g3.crl")]
    register.recover()

    assert [(answer.status_code, answer.content) for answer in dark] == [(503, b""), (503, b"")]
    assert judge(register, web.post("/ocsp", content=asked).content)


def test_the_numbers_of_a_list_only_grow(register: Register):
    issuer = register.hierarchy.issuers[CardType.N]
    numbers = [
        judge_crl(register.crl(issuer), issuer=issuer.certificate, now=NOW, lowest_number=None).number
        for _ in range(3)
    ]

    assert numbers == sorted(set(numbers))


def test_certificates_and_lists_are_found_under_the_addresses_in_the_cards(register: Register, web: Web):
    for authority in register.hierarchy.all:
        certificate = web.get(f"/ca/{authority.slug}.cer")
        assert certificate.content == authority.certificate.public_bytes(Encoding.DER)
        assert x509.load_der_x509_crl(web.get(f"/cdp/{authority.slug}.crl").content).is_signature_valid(
            authority.public_key
        )


@pytest.mark.parametrize("asked", [b"", b"nonsense", b"\x30" * 5000])
def test_a_malformed_request_is_told_so(web: Web, asked: bytes):
    answer = ocsp.load_der_ocsp_response(web.post("/ocsp", content=asked).content)

    assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_card_of_an_issuer_that_is_not_here_gets_no_answer(web: Web, register: Register):
    other = shared_register()
    card, issuer = card_and_issuer(other)

    answer = web.post("/ocsp", content=build_ocsp_request(card, issuer, nonce=None))

    assert ocsp.load_der_ocsp_response(answer.content).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_unknown_addresses_are_not_found(web: Web):
    assert web.get("/cdp/other.crl").status_code == 404
    assert web.get("/ca/other.cer").status_code == 404


def test_the_start_page_says_what_it_is_and_lists_the_cards(web: Web):
    page = web.get("/").text

    assert page.startswith("TEST UZI REGISTER")
    assert "\nuzi-assistente-linde  " in page
    assert "Kaartnaam" in page
    assert "as the commands and the Desktop App take it" in page
