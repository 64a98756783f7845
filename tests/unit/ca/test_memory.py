"""Memory of OCSP answers: when it counts and what it forgets."""

from datetime import timedelta

import pytest
from tests.clock import START

from zorgid.ca import memory as module
from zorgid.ca.memory import TRUSTED_SECONDS, AnswerMemory, KeptAnswer
from zorgid.pki.ocsp import CertId, CertIdHash

ANSWER = KeptAnswer(b"answer", START, START + timedelta(minutes=10), START + timedelta(minutes=5))


def about(serial, algorithm=CertIdHash.sha1):
    return CertId(algorithm, b"name", b"key", serial)


class Seconds:
    """A clock that never goes back, moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def memory(seconds):
    memory = AnswerMemory("node-a", seconds)
    memory.connected()
    memory.heard(memory.beat())
    return memory


def keep(memory, *cert_ids):
    for cert_id in cert_ids:
        memory.keep(cert_id, ANSWER, memory.generation)


def test_what_was_kept_is_given(memory):
    keep(memory, about(1))

    assert memory.get(about(1), START) is ANSWER
    assert memory.get(about(2), START) is None
    assert memory.get(about(1, CertIdHash.sha256), START) is None


def test_memory_counts_for_a_second_after_a_beat_was_sent_and_again_after_the_next(memory, seconds):
    keep(memory, about(1))
    beat = memory.beat()
    seconds.now += TRUSTED_SECONDS / 2
    memory.heard(beat)
    seconds.now += TRUSTED_SECONDS / 2

    assert memory.get(about(1), START) is None
    memory.heard(memory.beat())
    assert memory.get(about(1), START) is ANSWER


def test_the_beat_of_another_node_proves_nothing(memory, seconds):
    keep(memory, about(1))
    seconds.now += TRUSTED_SECONDS
    other = AnswerMemory("node-b", lambda: seconds.now + 1e9)

    memory.heard(other.beat())

    assert memory.get(about(1), START) is None


def test_a_late_beat_does_not_take_back_what_a_newer_one_proved(memory, seconds):
    keep(memory, about(1))
    old = memory.beat()
    seconds.now += 0.9
    memory.heard(memory.beat())
    memory.heard(old)
    seconds.now += 0.9

    assert memory.get(about(1), START) is ANSWER


def test_a_change_drops_the_answers_about_that_serial_under_both_hashes_and_no_other(memory):
    keep(memory, about(0xABC), about(0xABC, CertIdHash.sha256), about(0xDEF), about(1))

    memory.heard("abc,def")

    kept = [
        memory.get(cert_id, START)
        for cert_id in (about(0xABC), about(0xABC, CertIdHash.sha256), about(0xDEF))
    ]
    assert kept == [None, None, None]
    assert memory.get(about(1), START) is ANSWER


def test_an_answer_that_was_read_before_something_was_heard_is_not_kept(memory):
    generation = memory.generation
    memory.heard("1")

    memory.keep(about(1), ANSWER, generation)

    assert memory.get(about(1), START) is None


@pytest.mark.parametrize("event", ["lost", "connected"])
def test_losing_or_finding_the_line_forgets_everything(memory, event):
    keep(memory, about(1))
    generation = memory.generation

    getattr(memory, event)()

    assert not memory.is_trusted
    memory.keep(about(1), ANSWER, generation)
    memory.heard(memory.beat())
    assert memory.get(about(1), START) is None


def test_while_nothing_is_heard_nothing_is_kept(seconds):
    memory = AnswerMemory("node-a", seconds)
    keep(memory, about(1))

    assert memory.get(about(1), START) is None
    assert not memory._kept


def test_an_answer_is_not_given_before_its_time_nor_when_it_is_due_to_be_signed_again(memory):
    keep(memory, about(1))

    assert memory.get(about(1), START - timedelta(seconds=1)) is None
    assert memory.get(about(1), ANSWER.sign_again_at - timedelta(seconds=1)) is ANSWER
    assert memory.get(about(1), ANSWER.sign_again_at) is None


def test_the_longest_unused_answer_goes_first(memory, monkeypatch):
    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    keep(memory, about(1), about(2))
    memory.get(about(1), START)

    keep(memory, about(3))

    assert [memory.get(about(serial), START) is ANSWER for serial in (1, 2, 3)] == [True, False, True]
