"""A limit that is reached answers 429 with a sentence and the seconds to wait (issue 2, item 10)."""

from tests.clock import FakeClock
from tests.oidc_builders import TOKEN_URL, Visit, a_request, an_application
from tests.web_builders import browser, mac_of_tests

from zorgid.web.limits import BEGIN_PER_ADDRESS, TOKEN_PER_ADDRESS, Limits


async def test_too_many_token_requests_of_one_source_are_told_when_to_come_back(
    visit: Visit, clock: FakeClock
) -> None:
    limits = Limits(visit.database, clock=clock, mac=mac_of_tests)
    async with browser(an_application(visit.server, visit.database, limits=limits)) as visitor:
        for _ in range(TOKEN_PER_ADDRESS.most):
            limits._take_in_memory(TOKEN_PER_ADDRESS, "192.0.2.7")
        response = await visitor.post(TOKEN_URL, data={})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["error"] == "temporarily_unavailable"
    assert len(response.json()["error_description"]) > 20


async def test_too_many_logins_of_one_source_get_a_page(visit: Visit, clock: FakeClock) -> None:
    limits = Limits(visit.database, clock=clock, mac=mac_of_tests)
    async with browser(an_application(visit.server, visit.database, limits=limits)) as visitor:
        await visitor.get("/oauth/connect/authorize", params=a_request())
        async with visit.database.work(_nobody()) as work:
            await work.connection.execute(
                "update limit_use set full_at = %s + interval '1 year'", (work.now,)
            )
        response = await visitor.get("/oauth/connect/authorize", params=a_request())
    assert BEGIN_PER_ADDRESS.is_shared
    assert response.status_code == 429
    assert "<h1>" in response.text


def _nobody():
    from zorgid.storage.database import Origin

    return Origin("test", None, "test")
