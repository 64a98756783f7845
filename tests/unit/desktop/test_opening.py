"""What happens to a link before a window is drawn, and what is looked at when the app starts."""

import pytest

from zorgid.protocol.links import LaunchLink, parse_link
from zorgid_desktop import opening
from zorgid_desktop.flow.asking import Said
from zorgid_desktop.handover import Answer, Listening, PlaceUnsafe, place_of
from zorgid_desktop.opening import Opening, offer
from zorgid_desktop.scheme import Registered, SchemeNotRegistered, SchemeState, at_start
from zorgid_desktop.scheme.at_start import look_at_scheme
from zorgid_desktop.scheme.program import Program

LINK = "zorg-id:auth?v=1&e=demo&h=AAECAwQFBgcICQoLDA0ODw&b=firefox"
PROGRAM = Program(("/opt/zorgid-desktop-window",))


@pytest.fixture
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    return {"XDG_RUNTIME_DIR": str(folder), "DISPLAY": ":7"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer.taken, Opening(is_ours=False)),
        (Answer.busy, Opening(is_ours=False, said=Said("already-busy"))),
        (Answer.refused, Opening(is_ours=True)),
    ],
)
def test_what_the_first_program_answers_decides(
    variables: dict[str, str], answer: Answer, expected: Opening
) -> None:
    place = place_of(variables, "linux")
    assert place
    with Listening(place, lambda _: answer):
        assert offer(LINK, variables) == expected


def test_without_a_first_program_or_a_place_the_link_is_ours(variables: dict[str, str]) -> None:
    assert offer(LINK, variables) == offer(LINK, {}) == Opening(is_ours=True)


def test_what_is_no_link_is_given_to_nobody(variables: dict[str, str]) -> None:
    place, given = place_of(variables, "linux"), list[LaunchLink]()
    assert place
    with Listening(place, lambda link: given.append(link) or Answer.taken):
        assert offer("https://evil.example/", variables) == Opening(is_ours=True)
        assert given == []
        assert not offer(LINK, variables).is_ours
    assert given == [parse_link(LINK)]


def test_an_unsafe_place_is_told_and_the_link_stays_here(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PlaceUnsafe

    monkeypatch.setattr(opening, "hand_over", refuse)
    assert offer(LINK, variables) == Opening(is_ours=True, said=Said("handover-unsafe"))


class System:
    """What a system says of the scheme, and whether it takes a registration."""

    def __init__(self, state: SchemeState, *, takes: bool = True) -> None:
        self.state, self.takes, self.asked = state, takes, 0

    def registered(self, *_: object) -> Registered:
        return Registered(self.state, "/opt/evil")

    def register(self, *_: object) -> None:
        self.asked += 1
        if not self.takes:
            raise SchemeNotRegistered


OTHER = Said("scheme-other", {"program": "/opt/evil"})


@pytest.mark.parametrize(
    ("system", "is_packaged", "said", "asked"),
    [
        (System(SchemeState.ours), True, None, 0),
        (System(SchemeState.unknown), True, None, 0),
        (System(SchemeState.other), True, OTHER, 0),
        (System(SchemeState.other), False, OTHER, 0),
        (System(SchemeState.absent), False, None, 0),
        (System(SchemeState.absent), True, None, 1),
        (System(SchemeState.absent, takes=False), True, Said("scheme-absent"), 1),
    ],
)
def test_a_package_takes_a_free_scheme_and_never_that_of_another(
    monkeypatch: pytest.MonkeyPatch, system: System, is_packaged: bool, said: Said | None, asked: int
) -> None:
    """docs/packages.md: the look at the start says when another program opens the links."""
    monkeypatch.setattr(at_start, "registered", system.registered)
    monkeypatch.setattr(at_start, "register", system.register)
    before = system.asked
    assert look_at_scheme(PROGRAM, {}, is_packaged=is_packaged) == said
    assert system.asked - before == asked
