"""Every request of the app is signed by the key that attached: method, path, body and counter."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from zorgid.kernel.randomness import base64url
from zorgid.protocol.app_key import AppKey, RequestSignature, read_header, sign_request, verify_request
from zorgid.protocol.errors import AppSignatureWrong

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
APP_KEY = AppKey.of(KEY.public_key())
REQUEST = {"origin": "https://id.example", "method": "POST", "path": "/desktop/v1/prove", "body": b"{}"}


def signed(counter: int = 7) -> RequestSignature:
    return sign_request(KEY, **REQUEST, counter=counter)


@given(st.integers(0, 999_999_999), st.binary(max_size=200))
def test_a_signed_request_is_known_by_its_header(counter: int, body: bytes) -> None:
    request = {**REQUEST, "body": body}
    header = sign_request(KEY, **request, counter=counter).header()
    assert verify_request(read_header(header), APP_KEY, **request) == counter


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://other.example"},
        {"method": "GET"},
        {"path": "/desktop/v1/attach"},
        {"path": "/desktop/v1/prove/"},
        {"body": b"{} "},
        {"body": b""},
    ],
)
def test_a_request_that_was_changed_is_refused(change: dict[str, str | bytes]) -> None:
    with pytest.raises(AppSignatureWrong):
        verify_request(signed(), APP_KEY, **{**REQUEST, **change})


def test_a_request_under_another_counter_is_refused() -> None:
    claimed = signed()
    with pytest.raises(AppSignatureWrong):
        verify_request(RequestSignature(8, claimed.thumbprint, claimed.signature), APP_KEY, **REQUEST)


def test_a_request_of_another_key_is_refused_whatever_it_calls_itself() -> None:
    own = sign_request(OTHER, **REQUEST, counter=7)
    for thumbprint in (own.thumbprint, APP_KEY.thumbprint()):
        with pytest.raises(AppSignatureWrong):
            verify_request(RequestSignature(7, thumbprint, own.signature), APP_KEY, **REQUEST)


@pytest.mark.parametrize("size", [0, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(AppSignatureWrong):
        verify_request(RequestSignature(7, APP_KEY.thumbprint(), b"\1" * size), APP_KEY, **REQUEST)


def test_the_zero_signature_is_refused() -> None:
    with pytest.raises(AppSignatureWrong):
        verify_request(RequestSignature(7, APP_KEY.thumbprint(), bytes(64)), APP_KEY, **REQUEST)


HEADER = signed().header()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        HEADER.replace("v=1", "v=2"),
        HEADER.replace("n=7", "n=-7"),
        HEADER.replace("n=7", "n=\N{ARABIC-INDIC DIGIT SEVEN}"),
        HEADER.replace("n=7", "n="),
        HEADER.replace("n=7", "n=1234567890"),
        HEADER + ";x=1",
        HEADER.replace("v=1;n=7", "n=7;v=1"),
        HEADER.replace("s=", "S="),
        HEADER + "=",
        HEADER.replace("s=", "s=!"),
        HEADER.replace("n=7", "n=07"),
        HEADER[:-1] + chr(ord(HEADER[-1]) + 1),  # bits beyond the sixty-fourth byte
    ],
)
def test_a_header_of_any_other_form_is_refused(header: str | None) -> None:
    with pytest.raises(AppSignatureWrong):
        read_header(header)


@given(st.text())
def test_no_text_in_a_header_is_a_fault(header: str) -> None:
    try:
        read_header(header)
    except AppSignatureWrong:
        return
    assert header.startswith("v=1;n=")


@given(st.data())
def test_a_header_with_one_sign_changed_is_refused_or_not_signed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(HEADER) - 1))
    changed = HEADER[:at] + data.draw(st.characters(exclude_characters=HEADER[at])) + HEADER[at + 1 :]
    with pytest.raises(AppSignatureWrong):
        verify_request(read_header(changed), APP_KEY, **REQUEST)


FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The prime of P-256 (FIPS 186-5 and SP 800-186, section 3.2.1.3)."""


def coordinate(number: int) -> str:
    return base64url(number.to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        pytest.param(APP_KEY.x, APP_KEY.x, id="not on the curve"),
        pytest.param(APP_KEY.y, APP_KEY.x, id="coordinates swapped"),
        pytest.param(coordinate(0), coordinate(0), id="the point at infinity as some write it"),
        pytest.param(coordinate(FIELD), APP_KEY.y, id="a coordinate beyond the field"),
    ],
)
def test_a_point_that_is_not_on_the_curve_is_refused(x: str, y: str) -> None:
    key = AppKey(x=x, y=y)
    with pytest.raises(AppSignatureWrong):
        key.public_key()
    own = sign_request(KEY, **REQUEST, counter=7)
    with pytest.raises(AppSignatureWrong):
        verify_request(RequestSignature(7, key.thumbprint(), own.signature), key, **REQUEST)


def test_the_thumbprint_is_the_hash_of_the_four_members_in_their_order() -> None:
    """RFC 7638, section 3.2; computed here with hashlib alone."""
    text = f'{{"crv":"P-256","kty":"EC","x":"{APP_KEY.x}","y":"{APP_KEY.y}"}}'
    digest = hashlib.sha256(text.encode("ascii")).digest()
    assert APP_KEY.thumbprint() == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_what_is_signed_is_said_by_the_description_of_the_protocol() -> None:
    """Computed here with hashlib and JSON alone; `docs/desktop-protocol.md` describes it."""
    claimed = signed(3)
    text = json.dumps(
        {**REQUEST, "body": hashlib.sha256(b"{}").hexdigest(), "counter": 3},
        sort_keys=True,
        separators=(",", ":"),
    )
    r, s = (int.from_bytes(half, "big") for half in (claimed.signature[:32], claimed.signature[32:]))
    der = utils.encode_dss_signature(r, s)
    KEY.public_key().verify(der, text.encode("ascii"), ec.ECDSA(hashes.SHA256()))


def test_the_thumbprint_is_the_one_of_the_standard() -> None:
    """RFC 7638, section 3, over the EC key of RFC 7517, appendix A.1; computed with joserfc."""
    x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    theirs = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y}).thumbprint()
    assert AppKey(x=x, y=y).thumbprint() == theirs
