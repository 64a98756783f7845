"""Who may ask userinfo, and how the answer looks (RFC 6750; RFC 9068, section 4; LOGIN-3)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.clock import FakeClock
from tests.oidc_builders import Visit, a_client, an_assertion

from zorgid.audit.model import SYSTEM
from zorgid.kernel.ids import OrganisationId
from zorgid.kernel.randomness import base64url
from zorgid.oidc.errors import InvalidToken
from zorgid.oidc.jose import UnverifiedToken
from zorgid.oidc.tokens import access_token
from zorgid.people.actions import recognise_person
from zorgid.people.model import MeansPolicy, Names
from zorgid.roles.actions import grant_role
from zorgid.roles.model import Role
from zorgid.storage.database import Origin

ADDRESS = "/oauth/connect/userinfo"


async def test_a_token_in_the_form_does_as_well(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    """Module oidcc-userinfo-post-body."""
    await visit.log_in(origin)
    token = (await visit.tokens(now=clock.at))["access_token"]
    response = await visit.browser.post(ADDRESS, data={"access_token": token})
    assert response.json()["urn:zorgid:uzi_number"] == "900012345"
    by_header = await visit.browser.post(ADDRESS, headers={"Authorization": f"bearer {token}"})
    assert by_header.status_code == 200


async def test_the_answer_is_signed_when_the_client_asks_for_that(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    response = await visit.userinfo(tokens["access_token"], Accept="application/jwt")
    assert response.headers["content-type"] == "application/jwt"
    told = await visit.claims_of(response.text)
    assert told["aud"] == "xis"
    assert told["sub"] == (await visit.claims_of(tokens["id_token"]))["sub"]


async def test_a_token_in_the_address_is_not_looked_at(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await visit.log_in(origin)
    token = (await visit.tokens(now=clock.at))["access_token"]
    response = await visit.browser.get(ADDRESS, params={"access_token": token})
    assert response.status_code == 401


async def test_a_token_given_twice_is_refused(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    await visit.log_in(origin)
    token = (await visit.tokens(now=clock.at))["access_token"]
    response = await visit.browser.post(
        ADDRESS, data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 400


async def test_what_is_no_access_token_of_ours_is_refused(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """RFC 8725: an ID token or an assertion never passes for an access token."""
    await visit.log_in(origin)
    tokens = await visit.tokens(now=clock.at)
    header, payload, signature = tokens["access_token"].split(".")
    unsigned = base64url(b'{"alg":"none","typ":"at+jwt"}')
    for wrong in (
        tokens["id_token"],
        an_assertion(now=clock.at, header={"typ": "at+jwt"}),
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{unsigned}.{payload}.",
        "nonsense",
        "",
    ):
        response = await visit.userinfo(wrong)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_a_token_ends_after_fifteen_minutes(visit: Visit, clock: FakeClock, origin: Origin) -> None:
    await visit.log_in(origin)
    token = (await visit.tokens(now=clock.at))["access_token"]
    clock.advance(timedelta(minutes=14, seconds=59))
    assert (await visit.userinfo(token)).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert (await visit.userinfo(token)).status_code == 401


async def test_only_the_portal_gets_a_token_for_its_api(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """docs/supplier.md, the request: `api` is the portal's alone."""
    scopes = frozenset({"openid", "api"})
    await visit.register(origin, a_client(id="user-management", is_portal=True, scopes=scopes))
    await visit.log_in(origin)
    own = {
        "client_id": "user-management",
        "client_assertion": an_assertion(now=clock.at, iss="user-management", sub="user-management"),
    }
    code = await visit.code(client_id="user-management", scope="openid api")
    portal = (await visit.redeem(code, now=clock.at, **own)).json()["access_token"]
    other = (await visit.tokens(now=clock.at))["access_token"]
    async with visit.database.work(origin) as work:
        ring = await visit.server.signing_keys.ring(work)
    facts = {"audience": visit.server.portal_api, "now": clock.at}
    assert access_token(visit.server, ring, UnverifiedToken(portal), **facts)["azp"] == "user-management"
    with pytest.raises(InvalidToken):
        access_token(visit.server, ring, UnverifiedToken(other), **facts)
    assert (await visit.userinfo(portal)).status_code == 200


async def organisation(visit: Visit, origin: Origin, ura: str, name: str, state: str) -> OrganisationId:
    organisation_id = OrganisationId(uuid4())
    async with visit.database.work(origin) as work:
        await work.connection.execute(
            "insert into organisation (id, ura, name, type, means, state, changed_at)"
            " values (%s, %s, %s, 'huisarts', '{smartcard}', %s, %s)",
            (organisation_id, ura, name, state, work.now),
        )
    return organisation_id


async def told_organisation(visit: Visit, clock: FakeClock, **asked: str) -> dict:
    token = (await visit.tokens(now=clock.at, **asked))["access_token"]
    return (await visit.userinfo(token)).json()["urn:zorgid:organisation"]


async def test_an_organisation_that_nothing_ties_the_person_to_makes_a_guest(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    """LOGIN-3: the organisation of work only from the card, a link or a grant, else marked as guest."""
    await organisation(visit, origin, "90001234", "De Linde", "registered")
    await organisation(visit, origin, "90005678", "De Eik", "registered")
    await visit.log_in(origin)
    own = {"ura": "90001234", "name": "De Linde", "guest": False}
    assert await told_organisation(visit, clock) == own
    assert await told_organisation(visit, clock, organisation="90001234") == own
    assert await told_organisation(visit, clock, organisation="90005678") == {**own, "guest": True}
    assert await told_organisation(visit, clock, organisation="90009999") == {**own, "guest": True}


async def test_the_name_of_an_organisation_that_nobody_checked_is_not_told(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    await organisation(visit, origin, "90001234", "Typed by anybody", "requested")
    await visit.log_in(origin)
    assert await told_organisation(visit, clock) == {"ura": "90001234", "guest": False}


async def test_a_role_ties_a_person_to_another_organisation(
    visit: Visit, clock: FakeClock, origin: Origin
) -> None:
    other = await organisation(visit, origin, "90005678", "De Eik", "registered")
    async with visit.database.work(origin) as work:
        names = Names("A.B. de Vries", "de Vries", "Anna Beatrix")
        person = await recognise_person(work, uzi_number="900012345", ura="90001234", names=names)
        await grant_role(
            work,
            person_id=person.id,
            role=Role.manager,
            organisation_id=other,
            policy=MeansPolicy.one_kind,
            by=SYSTEM,
        )
    await visit.log_in(origin, person=person.id)
    told = await told_organisation(visit, clock, organisation="90005678")
    assert told == {"ura": "90005678", "name": "De Eik", "guest": False}
