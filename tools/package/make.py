"""Packs the Desktop App for this system: `python tools/package/make.py --flavour demo`.

A build is for one environment. That of acceptance and of production holds the operator's public keys and the
signed list of environments; that of production does not even hold the code of virtual cards.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from zorgid.protocol.environments import verify_environments
from zorgid_desktop.build import Flavour

HOUSE = Path(__file__).parents[2]
PARTS = ("cardkit", "zorgid_desktop", "zorgid/kernel", "zorgid/pki", "zorgid/protocol")
"""What an app is made of; nothing else of the platform goes along."""

NOT_IN_PRODUCTION = ("cardkit/virtual",)
KEY = re.compile(r"[0-9a-f]{64}")


def main() -> int:
    """Pack one build; returns the exit code."""
    options = _parser().parse_args()
    flavour = Flavour(options.flavour)
    if flavour is not Flavour.demo:
        _require_signed_list(options.environments, options.key, flavour)
    name = f"zorgid-desktop-{flavour}"
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        lay_out(sources, flavour, options.key, options.environments)
        _pack(sources, name, options.to, Path(folder) / "work")
    files = [file for file in (options.to / name).rglob("*") if file.is_file() and not file.is_symlink()]
    total = sum(file.stat().st_size for file in files)
    sys.stdout.write(f"{options.to / name}: {total / 1e6:.0f} MB\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flavour", choices=[*Flavour], default=Flavour.demo)
    parser.add_argument("--key", action="append", default=[], help="public key of the signer, hexadecimal")
    parser.add_argument("--environments", type=Path, help="the signed list of environments")
    parser.add_argument("--to", type=Path, default=HOUSE / "dist")
    return parser


def _require_signed_list(path: Path | None, keys: Sequence[str], flavour: Flavour) -> None:
    """Check that the build would find its platform. Raises what the app itself would."""
    if path is None or not keys or not all(KEY.fullmatch(key) for key in keys):
        raise SystemExit("a build outside the demo needs --environments and at least one --key")
    public = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in keys]
    listed = verify_environments(path.read_bytes(), public, now=datetime.now(UTC), least_serial=0)
    if flavour not in {one.id for one in listed.environments}:
        raise SystemExit(f"the list does not name {flavour}")


def lay_out(sources: Path, flavour: Flavour, keys: Sequence[str], environments: Path | None) -> None:
    """Copy what belongs in a build of this flavour, with its own `build.py`."""
    for part in PARTS:
        shutil.copytree(HOUSE / "src" / part, sources / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "src/zorgid/__init__.py", sources / "zorgid")
    if flavour is Flavour.production:
        for part in NOT_IN_PRODUCTION:
            shutil.rmtree(sources / part)
    module = sources / "zorgid_desktop/build.py"
    module.write_text(built_module(module.read_text(encoding="utf-8"), flavour, keys), encoding="utf-8")
    if environments is not None:
        shutil.copy(environments, sources / "zorgid_desktop/environments.json")


def built_module(text: str, flavour: Flavour, keys: Sequence[str]) -> str:
    """Return the module `build` of a build."""
    changes = {
        "FLAVOUR: Flavour = Flavour.demo\n": f"FLAVOUR: Flavour = Flavour.{flavour}\n",
        "ENVIRONMENT_KEYS: tuple[str, ...] = ()\n": f"ENVIRONMENT_KEYS: tuple[str, ...] = {tuple(keys)!r}\n",
    }
    for before, after in changes.items():
        if text.count(before) != 1:
            raise SystemExit(f"build.py does not say {before!r}")
        text = text.replace(before, after)
    return text


def _pack(sources: Path, name: str, to: Path, work: Path) -> None:
    spec = Path(__file__).with_name("zorgid-desktop.spec")
    words = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    words += ["--distpath", str(to), "--workpath", str(work), str(spec)]
    subprocess.run([*words, "--", "--sources", str(sources), "--name", name], check=True)  # noqa: S603 - words of our own


if __name__ == "__main__":
    sys.exit(main())
