"""Kinds of blank cards: those that cannot prove where their keys were made, and those that tell no serial (CARD-10)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from tests.scenarios.checks import one_good_card, written_on
from tests.scenarios.world import EMPLOYEE, Scenario

from cardkit.virtual import Mode
from zorgid.audit.model import SYSTEM
from zorgid.pki.profiles import CARD_PROFILES, policy_oid
from zorgid.stock import actions as stock
from zorgid.storage.database import Work
from zorgid_desktop.flow.asking import Cancelled, Wanted

UNATTESTED = "virtual-unattested"


def sold_as(world: Scenario, kind: str) -> str:
    """Sell a card that can do everything as a card of another kind; the platform goes by its stock list."""
    name = world.unsold()

    async def sell(work: Work) -> None:
        serial = name.removeprefix("blank-")
        blank = await stock.add_to_stock(work, chip_serial=serial, kind=kind, by=SYSTEM)
        await stock.allocate(work, number=blank.number, by=SYSTEM)
        await stock.ship(work, number=blank.number, by=SYSTEM)

    world.in_work(sell)
    return name


@pytest.fixture
def cards_that_do_not_attest_are_taken(world: Scenario) -> Iterator[None]:
    setup = world.running.services.issuance
    object.__setattr__(setup, "may_attest_nothing", True)
    yield
    object.__setattr__(setup, "may_attest_nothing", False)


def test_a_kind_that_cannot_attest_is_refused_and_not_touched(world: Scenario) -> None:
    blank = sold_as(world, UNATTESTED)
    state = world.reader.card_state(blank)
    maker = world.maker(EMPLOYEE, blank, patience=1)
    with pytest.raises(Cancelled):
        world.make(maker)
    assert set(maker.codes()) == {"card-kind-not-admitted"}
    assert world.reader.card_state(blank) == state
    assert world.blank_state(blank) == "shipped"


@pytest.mark.usefixtures("cards_that_do_not_attest_are_taken")
def test_a_kind_that_cannot_attest_gets_a_lower_level_where_the_operator_takes_it(world: Scenario) -> None:
    attested = world.maker(EMPLOYEE, world.blank())
    world.make(attested)
    unattested = world.maker(EMPLOYEE, sold_as(world, UNATTESTED), new_pin="240624")
    world.make(unattested)
    one_good_card(world, EMPLOYEE, unattested)
    for maker, level, is_attested in ((attested, "substantial", True), (unattested, "low", False)):
        name = maker.cards[Wanted.blank_card]
        card = world.rows("select level from card where chip_serial = %s", name.removeprefix("blank-"))
        assert [row["level"] for row in card] == [level]
        expected = {policy_oid(profile, attested=is_attested) for profile in CARD_PROFILES}
        assert {policy_of(der) for der in written_on(world, name)} == expected


def policy_of(der: bytes) -> str:
    policies = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.CertificatePolicies
    )
    (policy,) = policies.value
    return policy.policy_identifier.dotted_string


@pytest.mark.usefixtures("cards_that_do_not_attest_are_taken")
def test_a_card_for_digits_takes_no_letters(world: Scenario) -> None:
    """CARD-7."""
    maker = world.maker(EMPLOYEE, sold_as(world, UNATTESTED), patience=0)
    with pytest.raises(Cancelled):
        world.make(maker)
    assert maker.codes() == ["pin-unfit-digits"]


def test_a_card_that_tells_no_serial_is_not_touched(world: Scenario) -> None:
    blank = world.unsold(mode=Mode.strict)
    before = Path(world.reader._path(blank)).read_bytes()
    maker = world.maker(EMPLOYEE, blank, patience=1)
    with pytest.raises(Cancelled):
        world.make(maker)
    assert set(maker.codes()) == {"card-without-serial"}
    assert Path(world.reader._path(blank)).read_bytes() == before
