"""The names that the first README promised: calls, keys, commands, files, as they stood there."""

import json
import os
import subprocess
from pathlib import Path

import persist
import pytest
from langchain_classic.chains import ConversationChain
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage

ROOT = Path(__file__).parents[2]
KEYS = [
    "agent_id",
    "session_id",
    "snapshot_index",
    "timestamp",
    "content_hash",
    "format_version",
    "snapshot_id",
    "description",
    "uncompressed_size",
    "compressed_size",
    "compression_algorithm",
]
FILES = [
    *(f"persist-core/src/{room}.rs" for room in ("lib", "snapshot", "metadata", "storage")),
    *(f"persist-core/src/{room}.rs" for room in ("compression", "error")),
    "persist-core/Cargo.toml",
    "persist-python/src/lib.rs",
    "persist-python/Cargo.toml",
    "persist-python/pyproject.toml",
    ".github/workflows/rust-ci.yml",
    ".github/workflows/python-ci.yml",
    "tests",
    "docs/observability.md",
    "LICENSE",
]
SCRIPTS = [
    "build-and-test.sh",
    "scripts/format.sh",
    "scripts/lint.sh",
    "scripts/run_comprehensive_tests.sh",
]
METRICS = [
    "persist_s3_requests_total",
    "persist_s3_errors_total",
    "persist_s3_latency_seconds",
    "persist_state_size_bytes",
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def agent():
    model = FakeListChatModel(responses=["I am well.", "We said hello."])
    return ConversationChain(llm=model)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_basic_usage(agent):
    agent.predict(input="Hello, how are you?")
    persist.snapshot(
        agent,
        "agent_snapshot.json.gz",
        agent_id="conversation_agent",
        description="After greeting interaction",
    )
    restored_agent = persist.restore("agent_snapshot.json.gz")
    response = restored_agent.predict(input="What did we talk about?")
    assert response == "We said hello."
    history = restored_agent.memory.chat_memory.messages
    assert history[0] == HumanMessage("Hello, how are you?")


def test_advanced_usage(capsys):
    persist.snapshot([HumanMessage("Hello")], "agent_snapshot.json.gz", agent_id="bot")
    metadata = persist.get_metadata("agent_snapshot.json.gz")
    print(f"Agent: {metadata['agent_id']}")
    print(f"Created: {metadata['timestamp']}")
    print(f"Size: {metadata['uncompressed_size']} bytes")
    assert capsys.readouterr().out.startswith("Agent: bot\nCreated: 20")
    if not persist.verify_snapshot("agent_snapshot.json.gz"):
        pytest.fail("the snapshot is not valid")
    assert not persist.snapshot_exists("old_snapshot.json.gz")
    if persist.snapshot_exists("agent_snapshot.json.gz"):
        persist.delete_snapshot("agent_snapshot.json.gz")
    assert not persist.snapshot_exists("agent_snapshot.json.gz")


def test_error_handling():
    caught = None
    try:
        persist.restore("missing_snapshot.json.gz")
    except FileNotFoundError as e:
        caught = f"Snapshot not found: {e}"
    except PermissionError as e:
        pytest.fail(f"Access denied: {e}")
    except persist.S3Error as e:
        pytest.fail(f"S3 operation failed: {e}")
    assert "missing_snapshot.json.gz" in caught
    assert issubclass(persist.AccessDeniedError, PermissionError)
    for error in (persist.S3NotFoundError, persist.S3AccessDeniedError):
        assert issubclass(error, persist.S3Error)
    assert issubclass(persist.S3NotFoundError, FileNotFoundError)
    assert issubclass(persist.S3AccessDeniedError, PermissionError)


def test_every_verb_takes_the_bucket_as_it_was_written():
    for verb in (
        persist.snapshot,
        persist.restore,
        persist.get_metadata,
        persist.verify_snapshot,
        persist.snapshot_exists,
        persist.delete_snapshot,
    ):
        agent = ["hello"] if verb is persist.snapshot else []
        # No bucket, so that no store is called; the other words are taken.
        with pytest.raises(persist.ConfigurationError, match="bucket"):
            verb(*agent, "a/b.json.gz", storage_mode="s3", s3_bucket="")
        with pytest.raises(TypeError, match="s3_buket"):
            verb(*agent, "a/b.json.gz", storage_mode="s3", s3_buket="my-ai-snapshots-bucket")


def test_the_metadata_schema():
    persist.snapshot(
        ["hello"],
        "agent.json",
        agent_id="conversation_agent",
        session_id="default_session",
        snapshot_index=0,
        description="After greeting interaction",
    )
    document = json.loads(Path("agent.json").read_text())
    assert list(document) == ["metadata", "agent_state"]
    assert list(document["metadata"])[: len(KEYS)] == KEYS
    shown = persist.get_metadata("agent.json")
    assert set(KEYS) <= set(shown)
    assert (shown["session_id"], shown["snapshot_index"]) == ("default_session", 0)
    assert (shown["format_version"], shown["timestamp"][-1]) == (1, "Z")


def test_what_is_not_said_has_the_defaults():
    metadata = persist.snapshot(["hello"], "agent.json.gz")
    assert (metadata["agent_id"], metadata["session_id"]) == ("default_agent", "default_session")
    assert metadata["compression_algorithm"] == "gzip"


@pytest.mark.parametrize("name", FILES)
def test_the_repository_has_what_it_showed(name):
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run(name):
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / name], check=True)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_documented(name):
    assert name in (ROOT / "docs/reference/metrics.md").read_text()


def test_the_readme_has_the_badges_and_the_support():
    readme = (ROOT / "README.md").read_text()
    badge = "https://github.com/xenoscale/Persist/actions/workflows/{}/badge.svg"
    for workflow in ("rust-ci.yml", "python-ci.yml"):
        assert badge.format(workflow) in readme
    for word in ("[documentation](docs/)", "[issues](../../issues)", "MiniMax Agent"):
        assert word in readme
