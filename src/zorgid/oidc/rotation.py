"""Makes, changes and removes the keys that sign tokens, and keeps the ring of a node in memory."""

from zorgid.audit.actions import record
from zorgid.audit.model import SYSTEM, Event, Subject
from zorgid.ca.keys import KeyKind, KeyName, KeyProvider
from zorgid.kernel.randomness import RandomSource
from zorgid.oidc import store
from zorgid.oidc.keys import KEY_KINDS, KeyRing, Step, public_jwk, rotation_steps
from zorgid.oidc.model import SigningKey, SigningKeyState
from zorgid.storage.database import Work

CHANNEL = "oidc_signing_keys"
"""Where nodes hear that the signing keys changed."""

PAIRWISE_KEY = KeyName("oidc-pairwise-subjects")
"""The key of pairwise subjects. It never changes: with it everybody's `sub` would."""


async def rotate_signing_keys(work: Work, keys: KeyProvider) -> KeyRing:
    """Do what is due: make the first keys, publish the next, promote it, remove what is long retired.

    Safe to call at every start and on every node as often as one likes; each step waits its full time.
    """
    keys.create_key(PAIRWISE_KEY, KeyKind.secret)
    await store.lock_signing_keys(work)
    known = await store.signing_keys(work)
    for algorithm in KEY_KINDS:
        for step, key in rotation_steps([key for key in known if key.algorithm == algorithm], now=work.now):
            await _take(work, keys, algorithm, step, key)
    return KeyRing(tuple(await store.signing_keys(work)))


async def _take(work: Work, keys: KeyProvider, algorithm: str, step: Step, key: SigningKey | None) -> None:
    if key is None:
        state = SigningKeyState.active if step is Step.make_first else SigningKeyState.next
        key = _new_key(work, keys, algorithm, state)
        await store.add_signing_key(work, key)
    elif step is Step.promote:
        await store.promote_signing_key(work, key)
    else:
        await store.remove_signing_key(work, key)
    await record(
        work,
        event=Event.signing_key_changed,
        by=SYSTEM,
        on=Subject("signing-key", key.kid),
        facts={"step": step, "algorithm": algorithm},
    )
    await work.notify(CHANNEL)


def _new_key(work: Work, keys: KeyProvider, algorithm: str, state: SigningKeyState) -> SigningKey:
    name = new_key_name(algorithm, work.random)
    keys.create_key(name, KEY_KINDS[algorithm])
    jwk = public_jwk(keys.public_key(name), algorithm)
    return SigningKey(
        kid=jwk["kid"],
        name=name,
        algorithm=algorithm,
        state=state,
        public_jwk=jwk,
        published_at=work.now,
        active_at=work.now if state is SigningKeyState.active else None,
        retired_at=None,
    )


def new_key_name(algorithm: str, random: RandomSource) -> KeyName:
    """Return a fresh name for a signing key at the provider."""
    return KeyName(f"oidc-{algorithm.lower()}-{random(6).hex()}")


class SigningKeys:
    """The ring of this node: kept while NOTIFY can tell of changes, read anew otherwise."""

    def __init__(self) -> None:
        self._ring: KeyRing | None = None
        self._is_listening = False
        self._changes_heard = 0

    async def ring(self, work: Work) -> KeyRing:
        """Return all published keys."""
        if self._ring is not None:
            return self._ring
        heard_before = self._changes_heard
        found = KeyRing(tuple(await store.signing_keys(work)))
        # What was read may be older than a change heard of meanwhile.
        if self._is_listening and heard_before == self._changes_heard:
            self._ring = found
        return found

    def forget(self, _payload: str = "") -> None:
        """Read anew at the next use; the handler of NOTIFY on `CHANNEL`."""
        self._changes_heard += 1
        self._ring = None

    def start(self) -> None:
        """Begin to keep the ring: changes will be heard (`Listener.on_connected`)."""
        self.forget()
        self._is_listening = True

    def stop(self) -> None:
        """Keep nothing: changes are not heard (`Listener.on_lost`)."""
        self.forget()
        self._is_listening = False
