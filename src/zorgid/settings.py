"""What the operator decides: read once at start from `ZORGID_…` variables, checked, and handed on as a value.

Nothing imports this module to look something up; `app.py` passes on what each part needs. Secrets come from
files, so that they stand in no process list.
"""

import socket
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """Where the platform runs (design.md, chapter 6)."""

    demo = "demo"
    acceptance = "acceptance"
    production = "production"


class Settings(BaseSettings):
    """All settings, with the values of the demo as defaults.

    Raises:
        pydantic.ValidationError: a value cannot be, or does not fit the environment.
    """

    model_config = SettingsConfigDict(env_prefix="ZORGID_", frozen=True, extra="ignore")

    environment: Environment = Environment.demo
    node: str = socket.gethostname()
    """Name of this node in logs."""
    data_folder: Path = Path("var")
    """Holds the embedded database, the keys and the seals unless these are named."""
    database_url: str | None = None
    """PostgreSQL 15 or newer; without it the embedded one runs in the data folder (ALL-3)."""
    most_connections: int = 10
    """Connections of this node to the database."""

    origin: str = "http://localhost:8600"
    """Scheme, host and port under which people reach portal and identity server."""
    listen_address: str = "127.0.0.1"
    listen_port: int = 8600
    tls_certificate: Path | None = None
    """PEM chain, when this process speaks TLS itself."""
    tls_key: Path | None = None
    trusted_proxies: frozenset[str] = frozenset()
    """Addresses whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    pki_origin: str = "http://localhost:8604"
    """Where relying parties fetch OCSP, CRL and CA certificates; stands in every certificate."""
    pki_listen_address: str = "127.0.0.1"
    pki_listen_port: int = 8604

    keys_folder: Path | None = None
    key_passphrase_file: Path | None = None
    seals_folder: Path | None = None
    """A place that the database's administrators cannot write."""
    trust_folder: Path | None = None
    """Trust store of UZI issuers (PEM); the one of the environment when it is not named."""

    stop_within_seconds: int = 30
    """How long requests may take to finish at a stop."""

    @model_validator(mode="after")
    def _fits_environment(self) -> Self:
        """Refuse plain HTTP, and nameless places for keys and seals, outside the demo."""
        parts = urlsplit(self.origin)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
            raise ValueError("origin is scheme://host[:port] and nothing more")
        if self.environment is Environment.demo:
            return self
        if parts.scheme != "https":
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
        return self.data_folder / "database"
