"""When signing keys are made, published, used and removed; tested as a table of ages."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import JWKRegistry

from zorgid.oidc.jose import TokenUnreadable, UnverifiedToken
from zorgid.oidc.keys import KeyRing, SigningKeyMissing, Step, public_jwk, rotation_steps
from zorgid.oidc.model import SigningKey, SigningKeyState

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)


def key(state: SigningKeyState, *, days: float) -> SigningKey:
    then = NOW - timedelta(days=days)
    return SigningKey(
        kid=f"{state}-{days}",
        name="oidc-es256-x",
        algorithm="ES256",
        state=state,
        public_jwk={"kid": state},
        published_at=then,
        active_at=None if state is SigningKeyState.next else then,
        retired_at=then if state is SigningKeyState.retired else None,
    )


def upcoming(days: float) -> SigningKey:
    return key(SigningKeyState.next, days=days)


def active(days: float) -> SigningKey:
    return key(SigningKeyState.active, days=days)


def retired(days: float) -> SigningKey:
    return key(SigningKeyState.retired, days=days)


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        ([], [Step.make_first]),
        ([active(82)], []),
        ([active(83)], [Step.make_next]),
        ([active(90), upcoming(6.9)], []),
        ([active(89.9), upcoming(30)], []),
        ([active(90), upcoming(7)], [Step.promote]),
        ([active(400)], [Step.make_next]),
        ([active(1), retired(0.9)], []),
        ([active(1), retired(1)], [Step.remove]),
        ([retired(5)], [Step.remove, Step.make_first]),
    ],
)
def test_the_steps_that_are_due(keys: list[SigningKey], steps: list[Step]) -> None:
    assert [step for step, _ in rotation_steps(keys, now=NOW)] == steps


def test_the_ring_signs_with_the_active_key_and_publishes_all() -> None:
    ring = KeyRing((retired(1), upcoming(1), active(1)))
    assert ring.active("ES256").state is SigningKeyState.active
    assert [one["kid"] for one in ring.jwks()["keys"]] == ["active", "next", "retired"]
    with pytest.raises(SigningKeyMissing):
        ring.active("RS256")


def test_a_public_key_is_published_under_its_thumbprint() -> None:
    """RFC 7638, section 3."""
    for made, algorithm in (
        (ec.generate_private_key(ec.SECP256R1()).public_key(), "ES256"),
        (rsa.generate_private_key(65537, 2048).public_key(), "PS256"),
    ):
        jwk = public_jwk(made, algorithm)
        assert jwk["kid"] == JWKRegistry.import_key(dict(jwk)).thumbprint()
        assert jwk["alg"] == algorithm
        assert "d" not in jwk


@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.e30", "x" * 20_000])
def test_what_is_no_token_of_ours_is_unreadable(text: str) -> None:
    with pytest.raises(TokenUnreadable):
        KeyRing((active(1),)).verified(UnverifiedToken(text), typ="JWT")
