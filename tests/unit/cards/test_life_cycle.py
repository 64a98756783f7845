"""The life cycle of a Smartcard, as a table, and when a card works."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from zorgid.cards import rules
from zorgid.cards.errors import (
    AlreadyHeldByYou,
    CardActRefused,
    CardExpired,
    CardHeld,
    CardNotFinished,
    CardRevoked,
)
from zorgid.cards.model import (
    Card,
    CardAct,
    CardState,
    Hold,
    HoldId,
    HoldOwner,
    HoldOwnerKind,
    HoldReason,
    Link,
    RevocationReason,
)
from zorgid.kernel.ids import CardId, OrganisationId, PersonId
from zorgid.pki.recognise import Level
from zorgid.roles.model import Act, Permission, Role, Scope

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
HOLDER = PersonId(UUID(int=1))
HERE, THERE = OrganisationId(UUID(int=11)), OrganisationId(UUID(int=12))

# Written out by hand, so that nobody changes the table of the rules unawares.
# LIFE-2: a hold that comes or goes while another remains leaves the card held.
PRESCRIBED = {
    "issuing activate": "active",
    "issuing fail": "failed",
    "active hold": "held",
    "held hold": "held",
    "held release-one": "held",
    "held release-last": "active",
    "active revoke": "revoked",
    "held revoke": "revoked",
    "active expire": "expired",
    "held expire": "expired",
}


def card(state: CardState = CardState.active, **facts) -> Card:
    fields = {
        "id": CardId(UUID(int=5)),
        "number": "NR",
        "chip_serial": "123",
        "kind": "yubikey-5",
        "holder_id": HOLDER,
        "made_for": HERE,
        "state": state,
        "level": Level.substantial,
        "made_at": NOW,
        "valid_until": NOW + timedelta(days=1000),
    }
    return Card(**{**fields, **facts})


def hold(owner: HoldOwner) -> Hold:
    return Hold(HoldId(UUID(int=7)), CardId(UUID(int=5)), owner, HoldReason.lost, NOW)


@pytest.mark.parametrize(("state", "act"), list(product(CardState, CardAct)))
def test_every_pair_of_state_and_act_goes_where_it_is_prescribed_or_is_refused(
    state: CardState, act: CardAct
) -> None:
    """LIFE-2, CARD-9; docs/tables.md, a card."""
    prescribed = PRESCRIBED.get(f"{state} {act}")
    if prescribed:
        assert rules.next_state(state, act) == prescribed
    else:
        with pytest.raises(CardActRefused) as refusal:
            rules.next_state(state, act)
        assert refusal.value.facts == {"state": state, "act": act}


@pytest.mark.parametrize("state", [CardState.failed, CardState.revoked, CardState.expired])
def test_an_ended_card_never_changes_again(state: CardState) -> None:
    """LIFE-2: revoked is final."""
    assert not [act for from_state, act in rules.TRANSITIONS if from_state is state]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (CardState.issuing, CardNotFinished),
        (CardState.failed, CardNotFinished),
        (CardState.held, CardHeld),
        (CardState.revoked, CardRevoked),
        (CardState.expired, CardExpired),
    ],
)
def test_a_card_that_is_not_active_does_not_work(state: CardState, refusal: type[Exception]) -> None:
    """LOGIN-4."""
    with pytest.raises(refusal):
        rules.require_working(card(state), now=NOW)


def test_an_active_card_works_until_its_last_second_swept_or_not() -> None:
    """CARD-6."""
    for state in (CardState.active, CardState.held):
        with pytest.raises(CardExpired):
            rules.require_working(card(state, valid_until=NOW - timedelta(seconds=1)), now=NOW)
    last_second = card(valid_until=NOW)
    assert rules.require_working(last_second, now=NOW) is last_second


def test_the_card_works_when_no_hold_remains() -> None:
    """LIFE-2."""
    assert rules.releasing_act(0) is CardAct.release_last
    assert rules.releasing_act(1) is CardAct.release_one


def permission(role: Role, scope: Scope, place: OrganisationId | None = None) -> Permission:
    return Permission(HOLDER, Act.hold_card, role, scope, place)


@pytest.mark.parametrize(
    ("found", "owner"),
    [
        (permission(Role.holder, Scope.own_card), HoldOwner(HoldOwnerKind.holder)),
        (permission(Role.support, Scope.at_holders_request), HoldOwner(HoldOwnerKind.holder)),
        (permission(Role.support, Scope.unlinked_card), HoldOwner(HoldOwnerKind.support)),
        (
            permission(Role.manager, Scope.linked_card, HERE),
            HoldOwner(HoldOwnerKind.organisation, HERE),
        ),
        (
            permission(Role.administrator, Scope.linked_card, THERE),
            HoldOwner(HoldOwnerKind.organisation, THERE),
        ),
    ],
)
def test_a_hold_belongs_to_the_party_as_which_it_was_set(found: Permission, owner: HoldOwner) -> None:
    """LIFE-2, LIFE-11."""
    assert rules.hold_owner(found) == owner


def test_one_party_holds_a_card_once() -> None:
    """LIFE-2."""
    mine = HoldOwner(HoldOwnerKind.organisation, HERE)
    theirs = HoldOwner(HoldOwnerKind.organisation, THERE)
    rules.require_first_hold(card(), mine, [hold(theirs)])
    with pytest.raises(AlreadyHeldByYou):
        rules.require_first_hold(card(), mine, [hold(theirs), hold(mine)])


def test_the_facts_for_rights_name_holder_links_and_the_hold_that_is_meant() -> None:
    links = [Link(HERE, NOW), Link(THERE, NOW)]
    without = rules.target(card(), links)
    assert without.linked_organisations == {HERE, THERE}
    assert (without.holder_id, without.hold_of_organisation, without.is_hold_of_holder) == (
        HOLDER,
        None,
        False,
    )
    of_here = rules.target(card(), links, hold=hold(HoldOwner(HoldOwnerKind.organisation, HERE)))
    assert of_here == replace(without, hold_of_organisation=HERE)
    of_holder = rules.target(card(), [], hold=hold(HoldOwner(HoldOwnerKind.holder)))
    assert of_holder.is_hold_of_holder
    assert of_holder.linked_organisations == frozenset()


def test_every_reason_has_one_for_the_crl() -> None:
    """LIFE-3; a hold's reason never revokes."""
    assert set(rules.CRL_REASONS) == set(RevocationReason)
    assert "certificate_hold" not in set(rules.CRL_REASONS.values())
    assert rules.CRL_REASONS[RevocationReason.replaced] == "superseded"
