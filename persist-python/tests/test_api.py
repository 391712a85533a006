"""The verbs on the local disk, as a user calls them."""

import asyncio
import inspect
import json
import os
import pathlib
import pickle
import stat
import subprocess
import sys

import persist
import pytest
from persist import _persist


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.json.gz"


def test_a_snapshot_comes_back_with_its_metadata(path):
    state = {"turns": 3, "spot": (1, 2.5), "when": None}
    written = persist.snapshot(
        state, path, "bot", "s-1", 7, "after hello", tags={"env": "prod"}, compression="gzip"
    )
    assert persist.restore(path) == state
    read = persist.get_metadata(path)
    assert read == written
    assert read["agent_id"] == "bot"
    assert read["session_id"] == "s-1"
    assert read["snapshot_index"] == 7
    assert read["description"] == "after hello"
    assert read["tags"] == {"env": "prod"}
    assert read["format_version"] == 1
    assert read["uncompressed_size"] > 0
    assert "agent_id               bot" in str(read)


def test_the_readmes_verbs(path):
    persist.snapshot(["hello"], str(path))
    assert persist.verify_snapshot(str(path)) is True
    assert persist.snapshot_exists(str(path)) is True
    persist.delete_snapshot(str(path))
    assert persist.snapshot_exists(str(path)) is False


@pytest.mark.parametrize("verb", ["restore", "get_metadata", "verify_snapshot", "delete_snapshot"])
def test_what_is_missing_is_a_file_not_found(verb, path):
    with pytest.raises(FileNotFoundError) as caught:
        getattr(persist, verb)(path)
    assert isinstance(caught.value, persist.NotFoundError)
    assert caught.value.kind == "not_found"
    assert "agent.json.gz" in str(caught.value)


def test_a_store_in_memory_has_every_verb():
    url = "memory://api/agents/a.json.gz"
    saved = persist.snapshot([1], url, agent_id="bot", overwrite=False)
    assert persist.get_metadata(url) == saved
    assert persist.restore(url) == [1]
    with pytest.raises(persist.ConflictError):
        persist.snapshot([2], url, overwrite=False)
    second = persist.snapshot([2], url, if_match=saved.e_tag)
    with pytest.raises(persist.ConflictError):
        persist.snapshot([3], url, if_match=saved.e_tag)
    assert persist.get_metadata(url).e_tag == second.e_tag
    assert [found.path for found in persist.list_snapshots("memory://api/agents")] == [url]
    persist.delete_snapshot(url)
    assert not persist.snapshot_exists(url)


def test_the_local_disk_has_no_versions(tmp_path):
    with pytest.raises(persist.ConfigurationError, match="if_match"):
        persist.snapshot([1], tmp_path / "a.json.gz", if_match="1")


@pytest.mark.parametrize(("name", "algorithm"), [("a.json.gz", "gzip"), ("a.json.zst", "zstd")])
def test_the_name_chooses_the_algorithm(name, algorithm, tmp_path):
    metadata = persist.snapshot({"a": 1}, tmp_path / name)
    assert metadata["compression_algorithm"] == algorithm
    assert persist.restore(tmp_path / name) == {"a": 1}


def test_a_plain_snapshot_is_plain_json(tmp_path):
    persist.snapshot({"a": 1}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["agent_state"] == {"a": 1}
    assert persist.restore(tmp_path / "a.json") == {"a": 1}


def test_a_name_that_contradicts_the_algorithm_is_refused(path):
    with pytest.raises(ValueError, match="says gzip, not zstd"):
        persist.snapshot({}, path, compression="zstd")
    assert not path.exists()


def test_overwriting_can_be_forbidden(path):
    persist.snapshot("one", path)
    with pytest.raises(FileExistsError) as caught:
        persist.snapshot("two", path, overwrite=False)
    assert isinstance(caught.value, persist.ConflictError)
    assert persist.restore(path) == "one"


def test_new_files_are_private_and_old_ones_keep_their_mode(path):
    persist.snapshot("one", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    persist.snapshot("two", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed(path, tmp_path):
    link = tmp_path / "latest.json.gz"
    link.symlink_to(path)
    persist.snapshot("one", link)
    assert link.is_symlink()
    assert persist.restore(path) == "one"


@pytest.mark.parametrize("verb", ["restore", "get_metadata", "verify_snapshot"])
def test_a_fifo_is_refused_and_nothing_hangs(verb, tmp_path):
    fifo = tmp_path / "pipe.json.gz"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="not a regular file"):
        getattr(persist, verb)(fifo)
    with pytest.raises(OSError, match="not a regular file"):
        persist.snapshot({}, fifo)


def test_paths_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="NUL"):
        persist.snapshot({}, str(tmp_path / "a\0b"))
    with pytest.raises(OSError, match="folder"):
        persist.snapshot({}, tmp_path)
    with pytest.raises(ValueError, match="empty"):
        persist.snapshot({}, "")
    with pytest.raises((OSError, ValueError), match="too long"):
        persist.snapshot({}, tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_a_path_need_not_be_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.json.gz"
    persist.snapshot("one", path)
    assert [os.fsencode(found.name) for found in tmp_path.iterdir()] == [b"\xff.json.gz"]
    assert persist.restore(pathlib.Path(os.fsdecode(path))) == "one"


def test_folders_are_made(tmp_path):
    persist.snapshot("one", tmp_path / "a/b/c.json.gz")
    assert persist.restore(f"file://{tmp_path}/a/b/c.json.gz") == "one"


def test_a_changed_byte_is_an_error_or_changes_nothing(path):
    state = {"text": "hello " * 20, "n": list(range(50))}
    metadata = persist.snapshot(state, path, description="x")
    whole = path.read_bytes()
    harmless = []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert (persist.restore(path), persist.get_metadata(path)) == (state, metadata)
            harmless.append(place)
        except persist.FormatError:
            pass
    # The name of the first extra field, and bits that gzip does not use.
    assert len(harmless) <= 5
    for length in range(0, len(whole), 13):
        path.write_bytes(whole[:length])
        with pytest.raises(persist.FormatError):
            persist.verify_snapshot(path)


def test_memory_and_disk_hold_the_same(path):
    data = persist.dumps({"turns": 3}, agent_id="bot")
    path.write_bytes(data)
    assert persist.loads(data) == persist.restore(path) == {"turns": 3}
    assert persist.get_metadata(path)["agent_id"] == "bot"
    with pytest.raises(TypeError, match="unexpected keyword argument 'agentid'"):
        persist.dumps({}, agentid="bot")


def test_memory_and_disk_say_the_same_of_themselves(path):
    saved = persist.snapshot([1], path, agent_id="bot")
    path.write_bytes(persist.dumps([1], agent_id="bot"))
    there = persist.get_metadata(path)
    own = {"timestamp", "snapshot_id", "metadata_hash"}
    assert {k: v for k, v in there.items() if k not in own} == {
        k: v for k, v in saved.items() if k not in own
    }


def test_every_verb_has_an_async_twin(path):
    async def live():
        await persist.asnapshot({"turns": 3}, path, agent_id="bot", durable=False)
        assert (await persist.aget_metadata(path))["agent_id"] == "bot"
        assert await persist.averify_snapshot(path)
        assert await persist.aload_state(path) == {"turns": 3}
        assert await persist.arestore(path) == {"turns": 3}
        assert await persist.asnapshot_exists(path)
        await persist.adelete_snapshot(path)
        assert not await persist.asnapshot_exists(path)
        assert await persist.aloads(await persist.adumps({"turns": 3})) == {"turns": 3}
        assert (await persist.ainspect({"turns": 3})).state_size == 11
        assert (await persist.ainspect({"turns": print})).refused

    asyncio.run(live())


def test_every_public_verb_has_its_twin():
    verbs = {n for n in persist.__all__ if inspect.isfunction(getattr(persist, n))}
    alone = {"force_flush", "health", "shutdown_hook"} | {
        n for n in verbs if n.startswith("register")
    }
    is_async = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    twins = {n for n in verbs if any(check(getattr(persist, n)) for check in is_async)}
    assert twins == {f"a{n}" for n in verbs - twins - alone}


def test_inspect_lists_what_a_class_of_yours_fails_with():
    class Broken:
        def __persist_capture__(self):
            raise ValueError("no disk")

    found = persist.inspect([Broken()])
    assert "$[0]" in found.refused[0]
    assert "ValueError: no disk" in found.refused[0]


def test_inspect_says_what_is_refused():
    found = persist.inspect({"a": [1, {"handler": print}]})
    assert found.adapter == "plain"
    assert "$.a[1].handler" in found.refused[0]
    assert persist.inspect({"a": 1}).state_size == 7


def test_what_cannot_come_back_is_refused_by_path_and_nothing_is_written(path):
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot({"a": {"b c": [open]}}, path)
    assert caught.value.path == "$.a['b c'][0]"
    assert caught.value.type_name == "builtins.builtin_function_or_method"
    assert isinstance(caught.value, TypeError)
    assert not path.exists()


def test_the_two_languages_know_the_same_kinds_of_error():
    codes = {cls.kind for cls in vars(persist.exceptions).values() if hasattr(cls, "kind")}
    assert set(_persist.error_kinds()) <= codes


def test_errors_survive_pickling():
    error = persist.S3NotFoundError("no such key", hint="look again", retryable=True)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.retryable) == (type(error), str(error), True)


def test_importing_persist_imports_no_framework():
    script = (
        "import sys, persist; persist.snapshot; "
        "names = {name.split('.')[0] for name in sys.modules}; "
        "sys.exit(bool(names & {'langchain', 'langchain_core', 'langgraph', 'pydantic', 'numpy'}))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_persist_imports_nothing_that_is_not_used():
    code = (
        "import persist, sys; "
        "assert not {'persist._api', 'persist.codec', 'inspect'} & set(sys.modules); "
        "from persist import *; "
        "assert all(name in globals() for name in persist.__all__); "
        "assert {*persist.__all__, 'codec'} <= set(dir(persist)); "
        "assert persist.codec and not hasattr(persist, 'no_such_name')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_langchain_its_snapshots_say_what_to_install(path):
    from langchain_core.messages import HumanMessage

    persist.snapshot([HumanMessage("hello")], path)
    script = (
        "import sys; sys.modules['langchain_core'] = None\n"
        "import persist\n"
        "print(persist.load_state(sys.argv[1])[0]['fields']['content'])\n"
        "try: persist.restore(sys.argv[1])\n"
        "except ImportError as error: print(error.kind, error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "hello\nadapter_not_installed pip install langchain-core\n"


@pytest.mark.parametrize("given", [{"granularity": "everything"}, {"secrets_policy": "hide"}])
def test_a_word_that_is_no_choice_chooses_nothing(given, path):
    (name,) = given
    with pytest.raises(persist.ConfigurationError, match=given[name]) as caught:
        persist.snapshot(["one"], path, **given)
    assert "use " in caught.value.hint
    assert not path.exists()
    persist.snapshot(["one"], path)
    with pytest.raises(persist.ConfigurationError, match="on_existing 'overwrite'"):
        persist.restore(path, on_existing="overwrite")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("snapshot_index", -1),
        ("snapshot_index", 2**70),
        ("snapshot_index", "3"),
        ("agent_id", 3),
        ("agent_id", "\ud800"),
        ("agent_id", ""),
        ("description", b"x"),
        ("tags", ["a"]),
        ("tags", {"a": 1}),
        ("parent", "not an id"),
        ("redact", "owner"),
        ("level", 99),
    ],
)
def test_a_description_that_cannot_be_is_an_error_of_the_caller(name, given, path):
    with pytest.raises(persist.ConfigurationError) as caught:
        persist.snapshot({"owner": "Ann"}, path, **{name: given})
    assert name in str(caught.value) or "name of an agent" in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("name", ["thread_id", "session", "memory", "messages"])
async def test_what_would_be_passed_over_is_refused(name, path):
    with pytest.raises(persist.ConfigurationError, match=f"'plain' takes no {name}="):
        persist.snapshot(["one"], path, **{name: ["two"]})
    with pytest.raises(persist.ConfigurationError, match=f"takes no {name}="):
        await persist.asnapshot(["one"], path, **{name: ["two"]})
    assert not path.exists()
    if name in ("thread_id", "session"):
        persist.snapshot(["one"], path)
        with pytest.raises(persist.ConfigurationError, match=f"takes no {name}="):
            persist.restore(path, **{name: "two"})
        with pytest.raises(persist.ConfigurationError, match=f"takes no {name}="):
            await persist.arestore(path, **{name: "two"})


@pytest.mark.parametrize("name", ["factory", "llm"])
def test_one_agent_is_spoken_of(name, path):
    persist.snapshot(["one"], path)
    with pytest.raises(persist.ConfigurationError, match=f"{name}= would not be used"):
        persist.restore(path, into=[], **{name: list})


def test_a_forked_child_goes_on(path):
    persist.snapshot("one", path)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            persist.snapshot(persist.restore(path) + " two", path)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert persist.restore(path) == "one two"
