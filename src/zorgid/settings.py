"""What the operator decides: read once at start from `ZORGID_…` variables, checked, and handed on as a value.

Nothing imports this module to look something up; `app.py` passes on what each part needs. Secrets come from
files, so that they stand in no process list.
"""

import socket
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from zorgid.kernel.errors import Fault
from zorgid.organisations.model import OrganisationType
from zorgid.people.model import MeansPolicy
from zorgid.pki.algorithms import KeyKind
from zorgid.protocol.versions import AppVersion
from zorgid.stock.rules import KINDS

PREFIX: Final = "ZORGID_"

FOREIGN_PREFIXES: Final = ("ZORGID_TEST_", "ZORGID_DESKTOP_")
"""Variables that are meant for the tests and for the Desktop App."""


class SettingsUnfit(Fault):
    """A setting cannot be, or does not fit the environment; the operator reads its name, never its value."""


class Environment(StrEnum):
    """Where the platform runs; what that means for it stands in docs/operator.md."""

    demo = "demo"
    acceptance = "acceptance"
    production = "production"


class LogLevel(StrEnum):
    """From which weight on a log line is written."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def _parts(given: Any) -> Any:
    """Return the parts of a list in a variable, which commas separate."""
    return {part.strip() for part in given.split(",") if part.strip()} if isinstance(given, str) else given


FromCommas: Final = BeforeValidator(_parts)


class Settings(BaseModel):
    """All settings, with the values of the demo as defaults.

    Raises:
        pydantic.ValidationError: a value cannot be, or does not fit the environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Environment.demo
    node: str = Field(default_factory=socket.gethostname)
    """Name of this node in logs."""
    data_folder: Path = Path("var")
    """Holds the embedded database, the keys and the seals unless these are named."""
    database_url: str | None = Field(default=None, repr=False)
    """PostgreSQL 15 or newer; without it the embedded one runs in the data folder (ALL-3)."""
    most_connections: int = Field(default=10, ge=8)
    """Connections of this node to the database; strangers at the PKI address may hold six of them at once."""

    origin: str = "http://localhost:8600"
    """Scheme, host and port under which people reach portal and identity server."""
    listen_address: str = "127.0.0.1"
    listen_port: int = 8600
    tls_certificate: Path | None = None
    """PEM chain, when this process speaks TLS itself."""
    tls_key: Path | None = None
    shares_ports: bool = False
    """Whether other nodes on this machine may listen on the same ports, to use more cores."""
    trusted_proxies: Annotated[frozenset[str], FromCommas] = frozenset()
    """Addresses whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    pki_origin: str = "http://127.0.0.1:8604"
    """Where relying parties fetch OCSP, CRL and CA certificates; stands in every certificate."""
    pki_listen_address: str = "127.0.0.1"
    pki_listen_port: int = 8604

    keys_folder: Path | None = None
    key_passphrase_file: Path | None = None
    seals_folder: Path | None = None
    """A place that the database's administrators cannot write."""
    trust_folder: Path | None = None
    """Trust store of UZI issuers (PEM); the one of the environment when it is not named."""

    admitted_types: Annotated[frozenset[OrganisationType], FromCommas] = frozenset(OrganisationType) - {
        OrganisationType.overig
    }
    """The types of organisations that may have Smartcards made (CARD-3)."""
    means_policy: MeansPolicy = MeansPolicy.one_kind
    """Whether one person may have a Smartcard and a phone identity at once (CARD-4)."""
    card_key_kind: KeyKind | None = None
    """The kind of the keys of new Smartcards; without it each kind of card gets its own default."""

    may_attest_nothing: bool = False
    """Whether cards that cannot prove where their keys were made are taken, at a lower level (CARD-10)."""

    least_app_version: str = "0.1.0"
    """The oldest Desktop App that is let in (INFO-5)."""
    app_downloads: Path | None = None
    """File that says where packages of the Desktop App can be downloaded (docs/packages.md)."""

    log_level: LogLevel = LogLevel.info
    stop_within_seconds: int = 30
    """How long requests may take to finish at a stop."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from variables such as `ZORGID_ORIGIN`; lists are separated by commas.

        Raises:
            SettingsUnfit: a value does not fit, a file is not there, or a variable is no setting.
        """
        named = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and not name.startswith(FOREIGN_PREFIXES)
        }
        try:
            settings = cls.model_validate(named)
        except ValidationError as error:
            raise SettingsUnfit("; ".join(_complaints(error))) from None  # its own text would show values
        settings.require_files()
        return settings

    def require_files(self) -> None:
        """Check that the files that are named are there. Raises `SettingsUnfit`."""
        for name in ("tls_certificate", "tls_key", "key_passphrase_file", "trust_folder", "app_downloads"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.exists():
                raise SettingsUnfit(f"{PREFIX}{name.upper()}: {path} is not there")

    def require_nothing_pretends(self, stand_ins: Iterable[str]) -> None:
        """Let stand-ins, by name, work anywhere but in production. Raises `SettingsUnfit`."""
        names = sorted(stand_ins)
        if names and not self.allows_stand_ins:
            raise SettingsUnfit(f"production refuses stand-ins: {', '.join(names)}")

    @field_validator("card_key_kind")
    @classmethod
    def _is_on_a_card(cls, chosen: KeyKind | None) -> KeyKind | None:
        """Refuse a kind of key that no kind of card can make."""
        if chosen is not None and not any(chosen in kind.key_kinds for kind in KINDS.values()):
            raise ValueError("no kind of card makes such keys")
        return chosen

    @field_validator("least_app_version")
    @classmethod
    def _is_version(cls, given: str) -> str:
        AppVersion.read(given)
        return given

    @model_validator(mode="after")
    def _fits_environment(self) -> Self:
        """Refuse plain HTTP, and nameless places for keys and seals, outside the demo."""
        for name in ("origin", "pki_origin"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
                raise ValueError(f"{name} is scheme://host[:port] and nothing more")
        if self.environment is Environment.demo:
            return self
        if not self.is_secure:
            raise ValueError("only the demo speaks plain HTTP: origin must begin with https://")
        if not (self.tls_certificate and self.tls_key) and not self.trusted_proxies:
            raise ValueError("name tls_certificate and tls_key, or the trusted_proxies that speak TLS for us")
        missing = [name for name in ("key_passphrase_file", "seals_folder") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"outside the demo these must be named: {', '.join(missing)}")
        return self

    @property
    def issuer(self) -> str:
        """The identity server's name and base address (OpenID Connect Discovery 1.0, section 3)."""
        return f"{self.origin}/oauth"

    @property
    def host(self) -> str:
        """The host and port that requests must name."""
        return urlsplit(self.origin).netloc

    @property
    def is_demo(self) -> bool:
        """True for the demo, the one environment with plain HTTP."""
        return self.environment is Environment.demo

    @property
    def is_secure(self) -> bool:
        """True when people reach the platform over TLS, so that cookies are `Secure` and `__Host-`."""
        return self.origin.startswith("https://")

    @property
    def allows_stand_ins(self) -> bool:
        """True where stand-ins may work; production refuses them by name."""
        return self.environment is not Environment.production

    @property
    def keys_in(self) -> Path:
        """The folder of the keys."""
        return self.keys_folder or self.data_folder / "keys"

    @property
    def seals_in(self) -> Path:
        """The folder of the seals of the audit log."""
        return self.seals_folder or self.data_folder / "seals"

    @property
    def database_in(self) -> Path:
        """The folder of the embedded database."""
        return self.data_folder / "postgres"


def _complaints(error: ValidationError) -> Iterable[str]:
    """Return what is wrong, by name of the variable and without values."""
    for complaint in error.errors(include_input=False, include_url=False):
        if complaint["type"] == "extra_forbidden":
            yield f"{PREFIX}{str(complaint['loc'][0]).upper()} is not a setting"
        elif complaint["loc"]:
            yield f"{PREFIX}{str(complaint['loc'][0]).upper()}: {complaint['msg']}"
        else:
            yield complaint["msg"].removeprefix("Value error, ")
