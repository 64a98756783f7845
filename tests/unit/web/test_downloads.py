"""The file with downloads is read at the start, and whatever is wrong in it stops the start by name (INFO-5)."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from zorgid.settings import Settings, SettingsUnfit
from zorgid.web.downloads.model import System, read_downloads

SUM = "0123456789abcdef" * 4
FILE = f"""
version = "0.2.0"
[[download]]
system = "windows"
address = "https://zorg-id.example/app/zorgid-desktop-0.2.0.msi"
sha256 = "{SUM}"
size_bytes = 41_000_001
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "downloads.toml"
    path.write_text(text)
    return path


def test_a_file_of_downloads_is_read(tmp_path: Path) -> None:
    found = read_downloads(written(tmp_path, FILE))
    assert found
    (one,) = found.download
    assert (found.version, one.system, one.file_name, one.size_mb) == (
        "0.2.0",
        System.windows,
        "zorgid-desktop-0.2.0.msi",
        42,
    )


def test_without_a_file_nothing_is_offered() -> None:
    assert read_downloads(None) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("https://", "http://"), "begins with https"),
        (("https://zorg-id.example", "https://"), "names a host"),
        ((SUM, SUM[1:]), "sha256"),
        (('"0.2.0"', '"new"'), "version"),
        (('"windows"', '"amiga"'), "system"),
        (("size_bytes = 41_000_001", "size_bytes = 0"), "size_bytes"),
        (("size_bytes", "size"), "size"),
        (("[[download]]", "[download]"), "download"),
        (("version =", "version"), "not TOML"),
        ((FILE, FILE + FILE.partition("[[download]]")[2].join(["[[download]]", ""])), "twice"),
        ((FILE, 'version = "1"'), "download"),
        ((FILE, 'version = "1"\ndownload = []'), "download"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_by_name(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    with pytest.raises(SettingsUnfit, match=words):
        read_downloads(written(tmp_path, FILE.replace(*change)))


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SettingsUnfit):
            read_downloads(path)
    with pytest.raises(SettingsUnfit, match="APP_DOWNLOADS"):
        Settings.from_environment({"ZORGID_APP_DOWNLOADS": str(tmp_path / "none.toml")})


def test_a_least_version_that_is_none_stops_the_start() -> None:
    assert Settings(least_app_version="1.2").least_app_version == "1.2"
    with pytest.raises(ValidationError, match="not a version"):
        Settings(least_app_version="latest")
