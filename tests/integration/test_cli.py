"""The command `zorgid`, as an operator runs it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.app_builders import register_in, write_trust_folder
from tests.ports import free_port, ports_for_demo

from zorgid.demo.uzi_trust import trust_in

HEAVY = ("cryptography", "psycopg", "pydantic", "starlette", "granian", "httpx", "jinja2", "structlog")


@pytest.fixture
def variables(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of a demo on a database of the test, with a trust folder as elsewhere."""
    write_trust_folder(tmp_path / "trust", trust_in(register_in(tmp_path)))
    main, pki = ports_for_demo(), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZORGID_")}
    return {
        **kept,
        "PYTHONPATH": "src",
        "PYTHONWARNINGS": "default",
        "ZORGID_DATA_FOLDER": str(tmp_path),
        "ZORGID_DATABASE_URL": database_url,
        "ZORGID_ORIGIN": f"http://localhost:{main}",
        "ZORGID_LISTEN_PORT": str(main),
        "ZORGID_PKI_ORIGIN": f"http://127.0.0.1:{pki}",
        "ZORGID_PKI_LISTEN_PORT": str(pki),
        "ZORGID_STOP_WITHIN_SECONDS": "10",
    }


def zorgid(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "zorgid.cli", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)


def test_help_is_answered_without_importing_what_commands_need(variables: dict[str, str]) -> None:
    """docs/performance.md, the goals: `zorgid --help` in 0.3 s."""
    script = "import sys, zorgid.cli; zorgid.cli.parser().format_help(); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True
    )
    assert {name.partition(".")[0] for name in run.stdout.split()} & set(HEAVY) == set()


def test_a_variable_that_is_no_setting_is_named(variables: dict[str, str]) -> None:
    run = zorgid({**variables, "ZORGID_ORIGEN": "x"}, "serve")
    assert run.returncode == 1
    assert run.stderr == "zorgid: SettingsUnfit: ZORGID_ORIGEN is not a setting\n"


@pytest.mark.parametrize("option", ["--root-keys", "--root-passphrase-file"])
def test_a_root_that_is_named_by_half_is_refused(
    variables: dict[str, str], tmp_path: Path, option: str
) -> None:
    """Else its key would be made among those that are on line."""
    run = zorgid(variables, "ca", "init", option, str(tmp_path / "root"))
    assert run.returncode == 1
    assert "give both or neither" in run.stderr
    assert not (tmp_path / "keys").exists() or not list((tmp_path / "keys").glob("ca-*"))


def test_a_root_with_a_home_of_its_own_leaves_no_key_behind(
    variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "root-passphrase").write_text("a passphrase for the root of the tests")
    apart = (
        "--root-keys",
        str(tmp_path / "root"),
        "--root-passphrase-file",
        str(tmp_path / "root-passphrase"),
    )
    made = zorgid(variables, "ca", "init", *apart)
    assert made.returncode == 0, made.stderr
    assert [key.name for key in (tmp_path / "root").glob("*.pem")] == ["ca-root.pem"]
    assert "ca-root.pem" not in {key.name for key in (tmp_path / "keys").glob("*.pem")}
    published = zorgid(variables, "crl", "publish", *apart)
    assert "root: number 2" in published.stdout, published.stderr


def test_a_database_that_cannot_be_reached_is_said_in_one_line(
    variables: dict[str, str], tmp_path: Path
) -> None:
    away = f"postgresql://user:very-secret@/nothing?host={tmp_path}&connect_timeout=1"
    run = zorgid({**variables, "ZORGID_DATABASE_URL": away}, "migrate")
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "the database cannot be used" in run.stderr
    assert "very-secret" not in run.stderr


def test_a_platform_is_set_up_command_by_command(
    variables: dict[str, str], empty_url: str, tmp_path: Path
) -> None:
    variables = {**variables, "ZORGID_DATABASE_URL": empty_url}
    assert zorgid(variables, "doctor").returncode == 1
    migrated = zorgid(variables, "migrate")
    assert "steps taken" in migrated.stdout, migrated.stderr
    assert zorgid(variables, "migrate").stdout == "nothing to do\n"
    made = zorgid(variables, "ca", "init")
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("CN=TEST ZORG-ID") == 3
    # At once: entries that nobody sealed for a minute are said to have lost their seals.
    unsealed = zorgid(variables, "audit", "verify")
    assert unsealed.returncode == 0, unsealed.stdout + unsealed.stderr
    assert "the log is as it was written" in unsealed.stdout
    published = zorgid(variables, "crl", "publish")
    assert "smartcard: number 2" in published.stdout, published.stderr
    healthy = zorgid(variables, "doctor")
    assert healthy.returncode == 0, healthy.stdout
    with psycopg.connect(empty_url) as connection:
        connection.execute("alter table audit_entry disable trigger user")
        connection.execute("update audit_entry set event = 'card-released' where event = 'authority-created'")
    verified = zorgid(variables, "audit", "verify")
    assert verified.returncode == 1
    assert "was changed after it was written. Keep the database and the seals" in verified.stdout
    assert "THE LOG IS NOT AS IT WAS WRITTEN" in verified.stdout


@asynccontextmanager
async def running(variables: Mapping[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that goes on until it is told to stop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zorgid.cli", *arguments, env=variables, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_ready(client: httpx.AsyncClient, origin: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(120):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{origin}/ready")).status_code == 200:
                    return
            assert process.returncode is None, (await process.stderr.read()).decode()
            await asyncio.sleep(0.05)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_server_under_load_and_breaks_no_request_off(
    variables: dict[str, str], number: signal.Signals
) -> None:
    """Requests finish, nothing is half-done, and the log holds lines that a machine can read."""
    origin = variables["ZORGID_ORIGIN"]
    answers: list[int] = []
    broken: list[str] = []

    async def ask_on(client: httpx.AsyncClient) -> None:
        while True:
            try:
                answers.append((await client.get(f"{origin}/portal/login")).status_code)
            except httpx.ConnectError:
                return  # the door is closed: not a request that was broken off
            except httpx.TransportError as error:
                broken.append(type(error).__name__)
                return

    async with (
        running(variables, "serve") as process,
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
    ):
        await until_ready(client, origin, process)
        load = [asyncio.create_task(ask_on(client)) for _ in range(8)]
        await until(lambda: len(answers) >= 50 or all(task.done() for task in load))
        process.send_signal(number)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        await asyncio.gather(*load)
    assert process.returncode == 0, errors.decode()
    assert set(answers) == {303}
    lines = [json.loads(line) for line in errors.decode().splitlines()]
    assert {line["level"] for line in lines} <= {"info", "warning"}, errors.decode()
    # What is written on a connection at the moment that the server lets go of it was never taken up.
    assert set(broken) <= {"RemoteProtocolError", "ReadError", "WriteError"}
    assert len(broken) <= len(load)
    assert len(answers) >= 50


async def test_a_node_that_is_killed_under_load_leaves_nothing_half_done(variables: dict[str, str]) -> None:
    """Afterwards the log is whole and the next start finds everything in order."""
    origin = variables["ZORGID_ORIGIN"]
    answered = 0

    async def ask_on(client: httpx.AsyncClient) -> None:
        nonlocal answered
        with contextlib.suppress(httpx.TransportError):
            while True:
                await client.get(f"{origin}/portal/login", follow_redirects=True)
                answered += 1

    async with (
        running(variables, "serve") as process,
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
    ):
        await until_ready(client, origin, process)
        load = [asyncio.create_task(ask_on(client)) for _ in range(4)]
        await until(lambda: answered >= 20)
        process.kill()
        await asyncio.gather(*load)
    async with (
        running(variables, "serve") as process,
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
    ):
        await until_ready(client, origin, process)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    verified = zorgid(variables, "audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert zorgid(variables, "doctor").returncode == 0


async def test_a_worker_publishes_and_seals_beside_a_server_that_does_not(
    variables: dict[str, str], tmp_path: Path
) -> None:
    origin = variables["ZORGID_ORIGIN"]
    async with (
        httpx.AsyncClient(timeout=60, trust_env=False) as client,
        running(variables, "serve", "--no-with-worker") as server,
    ):
        await until_ready(client, origin, server)
        assert not list((tmp_path / "seals").glob("*"))
        async with running(variables, "worker") as worker, asyncio.timeout(120):
            while not list((tmp_path / "seals").glob("seals-*")):
                assert worker.returncode is None, (await worker.stderr.read()).decode()
                await asyncio.sleep(0.05)
            worker.send_signal(signal.SIGTERM)
            assert await worker.wait() == 0
        server.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.wait(), 60) == 0


def test_an_operator_registers_a_care_application_and_changes_it(
    variables: dict[str, str], tmp_path: Path
) -> None:
    document = {
        "client_id": "my-his",
        "client_name": "My HIS",
        "redirect_uris": ["https://his.example/callback"],
        "jwks": {"keys": []},
        "token_endpoint_auth_method": "none",
        "profile": "nlgov",
        "sector_identifier": "his.example",
    }
    file = tmp_path / "his.json"
    file.write_text(json.dumps(document))
    assert zorgid(variables, "ca", "init").returncode == 0
    for name in ("My HIS", "My new HIS"):
        file.write_text(json.dumps({**document, "client_name": name}))
        run = zorgid(variables, "client", "register", str(file))
        assert run.returncode == 0, run.stdout + run.stderr
        assert f"my-his: {name}" in run.stdout
    file.write_text(json.dumps({**document, "redirect_uris": ["http://his.example/callback"]}))
    run = zorgid(variables, "client", "register", str(file))
    assert run.returncode == 1
    assert "This address cannot be registered" in run.stdout


def test_a_registration_that_is_no_json_is_refused_with_the_place_to_look(
    variables: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "his.json"
    file.write_text('{\n  "client_id": "my-his",\n}\n')
    assert zorgid(variables, "ca", "init").returncode == 0
    run = zorgid(variables, "client", "register", str(file))
    assert run.returncode == 1
    assert run.stdout.startswith("The file is not JSON: it goes wrong on line 3, column 1.")


def test_nobody_takes_the_place_of_the_portal_by_a_registration(
    variables: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "portal.json"
    file.write_text(
        json.dumps(
            {
                "client_id": "user-management",
                "client_name": "Portaal",
                "redirect_uris": ["https://evil.example/callback"],
                "token_endpoint_auth_method": "none",
                "profile": "nlgov",
                "sector_identifier": "evil.example",
            }
        )
    )
    assert zorgid(variables, "ca", "init").returncode == 0
    run = zorgid(variables, "client", "register", str(file))
    assert run.returncode == 1


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_said_in_both_languages_with_what_to_do(
    variables: dict[str, str], command: str
) -> None:
    """ALL-1, ALL-2: who runs there, and how to take another port."""
    port = int(variables["ZORGID_LISTEN_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        run = zorgid(variables, command)
    assert run.returncode == 1
    assert run.stdout == ""
    dutch, english = run.stderr.split("\n\n")
    assert dutch.startswith(f"zorgid: Poort {port} ")
    assert english.startswith(f"zorgid: Port {port} ")
    for said in (dutch, english):
        assert f"  ss -ltnp 'sport = :{port}'" in said.splitlines()
        assert "ZORGID_LISTEN_PORT" in said
