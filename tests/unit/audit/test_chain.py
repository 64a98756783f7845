"""No change of a chain of seals stays unseen (AUD-1)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from zorgid.audit.chain import Digest, Mark, Seal, SealUnreadable, check_seal, next_seal
from zorgid.audit.findings import FindingCode

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
START = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)

marks = st.builds(Mark, st.integers(0, 2**50), st.uuids(), st.binary(min_size=32, max_size=32))


def a_chain(batches: list[list[Mark]]) -> list[Seal]:
    chain: list[Seal] = []
    for number, batch in enumerate(batches):
        last = chain[-1] if chain else None
        now = START + timedelta(seconds=number)
        chain.append(
            next_seal(last, Digest.over(batch), until_xact=number * 10 + 10, now=now, node="n", sign=KEY.sign)
        )
    return chain


def findings(chain: list[Seal]) -> set[FindingCode]:
    found = []
    before = None
    for seal in chain:
        found += check_seal(seal, before, KEY.public_key())
        before = seal
    return {finding.code for finding in found}


@given(st.lists(st.lists(marks, max_size=4), max_size=6))
def test_an_untouched_chain_has_no_findings_and_reads_back_the_same(batches: list[list[Mark]]) -> None:
    chain = a_chain(batches)
    assert findings(chain) == set()
    assert [Seal.from_line(seal.line()) for seal in chain] == chain


@given(st.integers(2, 6), st.data())
def test_a_seal_that_is_left_out_breaks_the_chain(size: int, data: st.DataObject) -> None:
    chain = a_chain([[]] * size)
    del chain[data.draw(st.integers(0, size - 2))]
    assert findings(chain) & {FindingCode.chain_broken, FindingCode.seals_lack_their_beginning}


@given(st.integers(2, 6), st.data())
def test_two_seals_that_change_places_break_the_chain(size: int, data: st.DataObject) -> None:
    chain = a_chain([[]] * size)
    place = data.draw(st.integers(0, size - 2))
    chain[place], chain[place + 1] = chain[place + 1], chain[place]
    assert findings(chain)


@given(st.data())
def test_a_changed_byte_of_any_line_is_found(data: st.DataObject) -> None:
    chain = a_chain([[Mark(3, UUID(int=1), bytes(32))], [], []])
    place = data.draw(st.integers(0, 2))
    line = bytearray(chain[place].line().encode())
    position = data.draw(st.integers(0, len(line) - 1))
    line[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[position]))
    try:
        chain[place] = Seal.from_line(line.decode("utf-8", "replace"))
    except SealUnreadable:
        return
    assert findings(chain)


@given(st.sampled_from(["number", "entries", "from_xact", "until_xact"]), st.integers(0, 2**40))
def test_a_changed_number_is_not_covered_by_the_signature(name: str, value: int) -> None:
    chain = a_chain([[], []])
    changed = replace(chain[1], **{name: value})
    if changed != chain[1]:
        assert FindingCode.seal_not_ours in findings([chain[0], changed])


def test_a_seal_signed_by_another_key_is_not_ours() -> None:
    other = Ed25519PrivateKey.generate()
    first = next_seal(None, Digest(), until_xact=10, now=START, node="n", sign=other.sign)
    assert findings([first]) == {FindingCode.seal_not_ours}


def test_a_chain_without_its_beginning_says_so() -> None:
    assert findings(a_chain([[], [], []])[1:]) == {FindingCode.seals_lack_their_beginning}


@pytest.mark.parametrize(
    "change",
    [
        {"number": 3},
        {"previous": bytes(32)},
        {"from_xact": 9},
        {"from_xact": 11},
        {"until_xact": 9},
        {"at": START - timedelta(seconds=1)},
    ],
)
def test_a_seal_of_ours_that_does_not_go_on_where_the_last_ended_breaks_the_chain(
    change: dict[str, Any],
) -> None:
    first, second = a_chain([[], []])
    changed = replace(second, **change)
    signed = replace(changed, signature=KEY.sign(changed.covered()))
    assert findings([first, signed]) == {FindingCode.chain_broken}


@pytest.mark.parametrize("change", [{"number": 2}, {"previous": bytes([1] * 32)}, {"from_xact": 1}])
def test_a_first_seal_of_ours_that_is_no_beginning_says_so(change: dict[str, Any]) -> None:
    changed = replace(a_chain([[]])[0], **change)
    signed = replace(changed, signature=KEY.sign(changed.covered()))
    assert findings([signed]) == {FindingCode.seals_lack_their_beginning}


def test_a_seal_never_lies_before_the_one_it_follows() -> None:
    """ALL-11: the clock of the next node may be behind."""
    first = next_seal(None, Digest(), until_xact=10, now=START, node="a", sign=KEY.sign)
    second = next_seal(
        first, Digest(), until_xact=20, now=START - timedelta(hours=1), node="b", sign=KEY.sign
    )
    assert second.at == first.at
    assert findings([first, second]) == set()


@given(st.lists(marks, max_size=5), st.data())
def test_the_digest_depends_on_every_mark_and_on_their_order(batch: list[Mark], data: st.DataObject) -> None:
    other = data.draw(st.lists(marks, max_size=5) | st.permutations(batch))
    assert (Digest.over(batch).value() == Digest.over(other).value()) == (batch == other)


VALID = json.loads(a_chain([[]])[0].line())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        "{}",
        json.dumps(VALID),
        json.dumps(VALID, separators=(",", ":"))[:-5],
        json.dumps(VALID | {"number": "1"}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"number": -1}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"number": 1.0}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"at": "yesterday"}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"node": None}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"extra": 1}, separators=(",", ":"), sort_keys=True),
        json.dumps(VALID | {"digest": "***"}, separators=(",", ":"), sort_keys=True),
        "[" * 100_000,
    ],
)
def test_what_is_no_seal_is_unreadable(line: str) -> None:
    with pytest.raises(SealUnreadable):
        Seal.from_line(line)
