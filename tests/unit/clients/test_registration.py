"""What a supplier writes down to be registered (LOGIN-3)."""

import codecs
import json

import pytest

from zorgid.clients.errors import ClientDocumentUnfit, ClientFieldMissing, ClientNotJson, ClientUnfit
from zorgid.clients.model import Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.clients.registration import LARGEST_DOCUMENT_BYTES, read_registration
from zorgid.kernel.sentences import Language
from zorgid.web.shell import load_sentences

DOCUMENT = {
    "client_id": "my-his",
    "client_name": "My HIS",
    "redirect_uris": ["https://his.example/callback"],
    "jwks": {"keys": []},
    "scope": "openid profile",
    "sector_identifier": "his.example",
}


def test_what_is_left_out_gets_the_strictest_value() -> None:
    client = read_registration(json.dumps(DOCUMENT).encode())
    assert client.profile is Profile.fapi2
    assert client.token_endpoint_auth is TokenEndpointAuth.private_key_jwt
    assert client.signing_algorithm is SigningAlgorithm.ES256
    assert client.scopes == frozenset({"openid", "profile"})


def test_a_document_never_makes_a_portal() -> None:
    assert not read_registration(json.dumps(DOCUMENT).encode()).is_portal
    with pytest.raises(ClientUnfit) as refused:
        read_registration(json.dumps({**DOCUMENT, "is_portal": True}).encode())
    assert refused.value.facts == {"part": "is_portal"}


@pytest.mark.parametrize("left_out", ["client_id", "client_name", "redirect_uris", "sector_identifier"])
def test_a_field_that_must_be_there_is_named(left_out: str) -> None:
    told = {name: value for name, value in DOCUMENT.items() if name != left_out}
    with pytest.raises(ClientFieldMissing) as refused:
        read_registration(json.dumps(told).encode())
    assert refused.value.facts == {"part": left_out}


@pytest.mark.parametrize(
    ("unverified", "line", "column"),
    [
        (b"not json", 1, 1),
        (b"", 1, 1),
        (b'{\n  "client_id": "my-his",\n}', 3, 1),
        ('{\n  "é": "één" "twee"\n}'.encode(), 2, 14),
        (b'{"client_id": "my-his"} and more', 1, 25),
        (b'{\n  "client_name": "caf\xe9"}', 2, 22),
        (b'{"a" 1,\n"b":"\xe9"}', 1, 6),
        (b'{"a":"\xe9",\n"b" 1}', 1, 7),
        (b'{"a":"\xe9", "b": ' + b"9" * 5000 + b"}", 1, 7),
        (codecs.BOM_UTF16_LE + "{}".encode("utf-16-le"), 1, 1),
    ],
    ids=[
        "words",
        "empty",
        "comma-at-the-end",
        "comma-missing",
        "more-behind",
        "not-utf-8",
        "not-utf-8-later",
        "not-utf-8-earlier",
        "not-utf-8-and-a-number-without-end",
        "utf-16",
    ],
)
def test_what_is_no_json_is_refused_with_its_line_and_column(
    unverified: bytes, line: int, column: int
) -> None:
    with pytest.raises(ClientNotJson) as refused:
        read_registration(unverified)
    assert refused.value.facts == {"line": line, "column": column}


@pytest.mark.parametrize(
    "unverified",
    [
        b"[]",
        b'"my-his"',
        b" " * (LARGEST_DOCUMENT_BYTES + 1),
        b"[" * LARGEST_DOCUMENT_BYTES,
        b'{"client_id": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"client_id": ' + b"9" * 5000 + b"}",
        b'{"client_id": "\\ud800"}',
    ],
    ids=["list", "string", "too-large", "without-end", "too-deep", "number-without-end", "half-a-character"],
)
def test_what_is_no_such_document_is_refused(unverified: bytes) -> None:
    with pytest.raises(ClientDocumentUnfit) as refused:
        read_registration(unverified)
    assert refused.value.facts == {"largest_kib": 64}


def test_a_refused_document_may_be_too_deep_or_hold_what_cannot_be() -> None:
    """What is refused by the test above is told truly in both languages."""
    sentences = load_sentences()
    facts = {"largest_kib": 64}
    dutch = sentences.sentence("client-document-unfit", facts, Language.nl).text
    english = sentences.sentence("client-document-unfit", facts, Language.en).text
    assert "is te diep genest, bevat een getal of teken dat niet kan, of is groter" in dutch
    assert "is nested too deep, contains a number or character that cannot be used, or is larger" in english


@pytest.mark.parametrize("language", Language)
def test_a_file_in_another_encoding_can_be_saved_as_utf_8(language: Language) -> None:
    """Windows PowerShell writes UTF-16; whoever sees such a file sees nothing wrong on its first line."""
    refused = load_sentences().sentence("client-not-json", {"line": 1, "column": 1}, language)
    assert "UTF-8" in refused.next_step


def test_a_mark_that_an_editor_puts_in_front_is_no_part_of_the_document() -> None:
    document = json.dumps(DOCUMENT).encode()
    assert read_registration(codecs.BOM_UTF8 + document) == read_registration(document)
