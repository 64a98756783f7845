"""What the identity server is given when the house is put together (`app.py`)."""

from dataclasses import dataclass

from zorgid.ca.keys import KeyProvider
from zorgid.clients.actions import ClientCache
from zorgid.clients.model import Client
from zorgid.kernel.ids import PersonId
from zorgid.login.setup import LoginSetup
from zorgid.oidc.assertion import Addresses
from zorgid.oidc.claims import pairwise_subject
from zorgid.oidc.rotation import PAIRWISE_KEY, SigningKeys

AUTHORIZE: str = "/connect/authorize"
TOKEN: str = "/connect/token"  # noqa: S105 - a path, not a secret
USERINFO: str = "/connect/userinfo"
END_SESSION: str = "/connect/endsession"
JWKS: str = "/.well-known/openid-configuration/jwks"
METADATA: str = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class IdentityServer:
    """The fixed surroundings of every request to the identity server."""

    issuer: str
    """Name and base address, without a slash at the end."""
    portal_api: str
    """The audience of access tokens with scope `api`."""
    login: LoginSetup
    keys: KeyProvider
    signing_keys: SigningKeys
    clients: ClientCache

    @property
    def addresses(self) -> Addresses:
        """How clients may call the server in an assertion."""
        return Addresses(self.issuer, self.issuer + TOKEN)

    @property
    def userinfo_url(self) -> str:
        """Address of userinfo, which is also the audience of access tokens."""
        return self.issuer + USERINFO

    def subject(self, client: Client, person_id: PersonId) -> str:
        """Return the `sub` of a person for a client."""
        return pairwise_subject(lambda data: self.keys.mac(PAIRWISE_KEY, data), client.sector, person_id)
