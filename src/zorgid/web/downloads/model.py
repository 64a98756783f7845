"""What the operator offers for download: a file that says where each package is, with its checksum."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from zorgid.protocol.versions import AppVersion
from zorgid.settings import SettingsUnfit


class System(StrEnum):
    """The systems that the app is packaged for."""

    windows = "windows"
    macos = "macos"
    linux = "linux"


class Download(BaseModel):
    """One package."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: System
    address: str = Field(max_length=500)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)

    @field_validator("address")
    @classmethod
    def _is_secure(cls, given: str) -> str:
        if urlsplit(given).scheme != "https" or not urlsplit(given).hostname:
            raise ValueError("begins with https:// and names a host")
        return given

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return urlsplit(self.address).path.rpartition("/")[2]

    @property
    def size_mb(self) -> int:
        """The size in whole megabytes, rounded up."""
        return -(-self.size_bytes // 1_000_000)


class Downloads(BaseModel):
    """All packages of one version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    download: tuple[Download, ...] = Field(min_length=1)

    @field_validator("version")
    @classmethod
    def _is_version(cls, given: str) -> str:
        AppVersion.read(given)
        return given

    @model_validator(mode="after")
    def _is_one_per_system(self) -> Self:
        if len({one.system for one in self.download}) != len(self.download):
            raise ValueError("a system is named twice")
        return self


def read_downloads(path: Path | None) -> Downloads | None:
    """Return what the operator's file offers, or nothing without one. Raises `SettingsUnfit`."""
    if path is None:
        return None
    try:
        return Downloads.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise SettingsUnfit(f"ZORGID_APP_DOWNLOADS: {path} cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsUnfit(f"ZORGID_APP_DOWNLOADS: {path} is not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise SettingsUnfit(f"ZORGID_APP_DOWNLOADS: {wrong}") from None
