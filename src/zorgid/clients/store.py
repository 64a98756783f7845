"""The SQL of clients."""

from typing import Any, Final, LiteralString

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from zorgid.clients.model import Client, ClientId, Profile, SigningAlgorithm, TokenEndpointAuth
from zorgid.storage.database import Work

ADD: Final = """
    insert into client (id, name, profile, redirect_uris, post_logout_redirect_uris, jwks,
        token_endpoint_auth, scopes, sector, default_acr, signing_algorithm, is_portal, registered_at,
        changed_at)
    values (%(id)s, %(name)s, %(profile)s, %(redirect_uris)s, %(post_logout_redirect_uris)s, %(jwks)s,
        %(token_endpoint_auth)s, %(scopes)s, %(sector)s, %(default_acr)s, %(signing_algorithm)s,
        %(is_portal)s, %(now)s, %(now)s)
    on conflict (id) do nothing
"""

CHANGE: Final = """
    update client set name = %(name)s, profile = %(profile)s, redirect_uris = %(redirect_uris)s,
        post_logout_redirect_uris = %(post_logout_redirect_uris)s, jwks = %(jwks)s,
        token_endpoint_auth = %(token_endpoint_auth)s, scopes = %(scopes)s, sector = %(sector)s,
        default_acr = %(default_acr)s, signing_algorithm = %(signing_algorithm)s, is_portal = %(is_portal)s,
        changed_at = %(now)s
    where id = %(id)s
"""

ONE: Final = """
    select id, name, profile, redirect_uris, post_logout_redirect_uris, jwks, token_endpoint_auth, scopes,
        sector, default_acr, signing_algorithm, is_portal
    from client where id = %(id)s
"""

ALL: Final = """
    select id, name, profile, redirect_uris, post_logout_redirect_uris, jwks, token_endpoint_auth, scopes,
        sector, default_acr, signing_algorithm, is_portal
    from client order by name, id
"""


def _client(**row: Any) -> Client:
    typed = {
        "profile": Profile(row["profile"]),
        "redirect_uris": tuple(row["redirect_uris"]),
        "post_logout_redirect_uris": tuple(row["post_logout_redirect_uris"]),
        "token_endpoint_auth": TokenEndpointAuth(row["token_endpoint_auth"]),
        "scopes": frozenset(row["scopes"]),
        "signing_algorithm": SigningAlgorithm(row["signing_algorithm"]),
    }
    return Client(**{**row, **typed})


async def add(work: Work, client: Client) -> bool:
    """Store a client; return False when its id is taken."""
    return bool((await work.connection.execute(ADD, _columns(work, client))).rowcount)


async def change(work: Work, client: Client) -> bool:
    """Store the client's new registration; return False when there is no such client."""
    return bool((await work.connection.execute(CHANGE, _columns(work, client))).rowcount)


async def one(work: Work, client_id: ClientId) -> Client | None:
    """Return the client, or None."""
    found = await _clients(work, ONE, {"id": client_id})
    return found[0] if found else None


async def every(work: Work) -> list[Client]:
    """Return all clients by name."""
    return await _clients(work, ALL, {})


def _columns(work: Work, client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "profile": client.profile,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "jwks": Jsonb(dict(client.jwks)),
        "token_endpoint_auth": client.token_endpoint_auth,
        "scopes": sorted(client.scopes),
        "sector": client.sector,
        "default_acr": client.default_acr,
        "signing_algorithm": client.signing_algorithm,
        "is_portal": client.is_portal,
        "now": work.now,
    }


async def _clients(work: Work, query: LiteralString, columns: dict[str, Any]) -> list[Client]:
    async with work.connection.cursor(row_factory=kwargs_row(_client)) as cursor:
        await cursor.execute(query, columns)
        return await cursor.fetchall()
