"""Listings of many objects, in memory that does not grow with them."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import persist
import pytest
from persist.options import S3Options
from servers.pages import pages
from servers.spoiling import Spoiling

MANY = 2500
"""Objects on a real server: three pages."""
MOST = 32 << 20
"""What a listing may take beyond what its first page took."""

HIGHEST = """
import sys
import persist

def highest():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
"""
LISTS = f"""{HIGHEST}
count = 0
for found in persist.list_snapshots("s3://bucket/agents"):
    count += 1
    if count == 1000:
        before = highest()
print(count, highest() - before)
"""
COMMAND = f"""{HIGHEST}
from persist import _persist
code = _persist.run_cli(["persist", "list", "s3://bucket/agents", *sys.argv[1:]])
print(code, highest(), file=sys.stderr)
"""


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Starts a server that lists so many snapshots; the environment names it."""
    snapshot = tmp_path / "a.json.gz"
    persist.snapshot({"turns": 3}, snapshot, agent_id="bot")
    servers = []

    def start(count):
        server = pages(tmp_path, count, snapshot)
        servers.append(server.server)
        server.server.start()
        for name, value in server.variables().items():
            monkeypatch.setenv(name, value)

    yield start
    for server in servers:
        server.kill()


def test_a_hundred_thousand_objects_are_listed_in_little_memory(bucket):
    bucket(100_000)
    done = subprocess.run([sys.executable, "-c", LISTS], capture_output=True, text=True, check=True)
    count, grown = map(int, done.stdout.split())
    assert count == 100_000
    assert grown < MOST


def command(count, bucket, *arguments):
    """What the command writes, and the most memory that it had."""
    bucket(count)
    call = [sys.executable, "-c", COMMAND, *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    code, highest = map(int, done.stderr.split())
    assert code == 0
    return done.stdout, highest


def test_the_command_shows_what_it_has_read_and_forgets_it(bucket):
    _, few = command(1000, bucket)
    shown, many = command(6_000, bucket)
    assert [line.split()[0] for line in shown.splitlines()] == ["PATH", *named(6_000)]
    assert many - few < MOST / 2


def test_the_command_writes_json_of_what_it_has_read_and_forgets_it(bucket):
    _, few = command(1000, bucket, "--json")
    shown, many = command(6_000, bucket, "--json")
    assert [row["path"] for row in json.loads(shown)] == named(6_000)
    assert many - few < MOST / 2


def named(count):
    return [f"s3://bucket/agents/{number:09}.json.gz" for number in range(count)]


def test_pages_of_a_real_server_are_one_listing(on_s3, s3):
    client, names = s3.client(), [f"{number:05}.json.gz" for number in range(MANY)]

    def write(name):
        client.put_object(Bucket="bucket", Key=f"{on_s3.prefix}/many/{name}", Body=b"x")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, names))
    with Spoiling(s3.endpoint).running() as proxy:
        options = S3Options(endpoint=proxy.url)
        found = list(persist.list_snapshots(on_s3.url("many"), storage_options=options))
    assert [one.path for one in found] == [on_s3.url(f"many/{name}") for name in names]
    assert len(proxy.seen) == 3
