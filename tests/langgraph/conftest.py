"""Checkpointers as people run them: in memory, SQLite, and a real PostgreSQL of the tests' own."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from loading import load

graphs = load(Path(__file__).with_name("graphs.py"))


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]
    if shutil.which("initdb", path=str(found[-1])) is None:
        pytest.fail("these tests need PostgreSQL: run scripts/bootstrap.sh as root")
    return found[-1]


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server on a free port; it refuses to run as root."""
    programs, port = _programs(), _free_port()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        init = [programs / "initdb", "-D", folder, "-A", "trust", "-U", "persist", "--no-sync"]
        subprocess.run([*as_user, *init], check=True, capture_output=True)
        run = [
            programs / "postgres",
            "-D",
            folder,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            folder,
        ]
        server = subprocess.Popen([*as_user, *run], stderr=subprocess.DEVNULL)
        try:
            yield _connected(f"postgresql://persist@127.0.0.1:{port}/", server)
        finally:
            subprocess.run(
                [*as_user, programs / "pg_ctl", "-D", folder, "stop", "-m", "immediate"],
                check=True,
                capture_output=True,
            )
            server.wait(timeout=30)


def _connected(address, server):
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(f"{address}postgres"):
            return address
        assert server.poll() is None, "PostgreSQL ended"
        time.sleep(0.1)
    pytest.fail("PostgreSQL does not answer")


@pytest.fixture
def new_saver(tmp_path, request):
    """Makes a new checkpointer of a kind, closed after the test."""
    with contextlib.ExitStack() as stack:
        made = iter(range(100))

        def new(kind):
            name = f"saver_{next(made)}_{abs(hash(tmp_path))}"
            if kind == "memory":
                return InMemorySaver()
            if kind == "sqlite":
                return stack.enter_context(SqliteSaver.from_conn_string(str(tmp_path / name)))
            address = request.getfixturevalue("postgres")
            saver = stack.enter_context(PostgresSaver.from_conn_string(database(address, name)))
            saver.setup()
            return saver

        yield new


def database(address, name):
    with psycopg.connect(f"{address}postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return address + name


@pytest.fixture
async def new_async_saver(tmp_path, request):
    """Makes a new asynchronous checkpointer of a kind, closed after the test."""
    async with contextlib.AsyncExitStack() as stack:
        made = iter(range(100))

        async def new(kind):
            name = f"async_{next(made)}_{abs(hash(tmp_path))}"
            if kind == "memory":
                return InMemorySaver()
            if kind == "sqlite":
                path = str(tmp_path / name)
                return await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(path))
            address = database(request.getfixturevalue("postgres"), name)
            saver = await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(address))
            await saver.setup()
            return saver

        yield new


@pytest.fixture
def place_of(tmp_path, request):
    """Where the checkpointers of a kind are: each scenario has one of its own, under its name."""

    def place(kind, role):
        if kind == "memory":
            return kind
        if kind == "sqlite":
            return str(tmp_path / f"{role}_NAME.db")
        address = request.getfixturevalue("postgres")
        prefix = f"{role}_{abs(hash(tmp_path))}"
        for scenario in graphs.SCENARIOS:
            database(address, f"{prefix}_{scenario.__name__.lower()}")
        return f"{address}{prefix}_NAME"

    return place
