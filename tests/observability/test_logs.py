"""What the core tells: on stderr when the environment asks for it, else in Python's logging."""

import json
import logging
import os
import re
import subprocess
import sys
import textwrap
from datetime import datetime

import persist
import pytest

LINE = re.compile(
    r"^\S+Z  INFO persist_core::snapshot: Save operation completed "
    r'agent_id="prod_agent" duration_ms=[\d.]+ size_bytes=(\d+) .*key="a.json.gz"$',
    re.MULTILINE,
)
SECRET = "canary-93c1f0"  # in every state below


def run(folder, program, **variables):
    """Run a program in a folder, with nothing of these variables but what is given."""
    env = {name: text for name, text in os.environ.items() if name != "RUST_LOG"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=env | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(folder, *arguments, **variables):
    """Run the command in a folder."""
    line = f"import sys; from persist._cli import main; sys.argv = {['persist', *arguments]!r}"
    return run(folder, f"{line}\nsys.exit(main())", **variables)


SAVE = """
    import os
    import persist
    os.environ.update(VARIABLES)
    persist.snapshot({"text": "canary-93c1f0"}, "a.json.gz", agent_id="prod_agent")
    persist.restore("a.json.gz")
    persist.verify_snapshot("a.json.gz")
    persist.delete_snapshot("a.json.gz")
    try:
        persist.restore("a.json.gz")
    except FileNotFoundError:
        print("done")
"""


def told(folder, **variables):
    """What is written to stderr when the variables are set after the import."""
    done = run(folder, SAVE.replace("VARIABLES", repr(variables)))
    assert done.stdout == "done\n", done.stderr
    return done.stderr


def test_rust_log_gives_the_line_of_the_readme(tmp_path):
    lines = told(tmp_path, RUST_LOG="persist_core=info")
    assert int(LINE.search(lines)[1]) == len('{"text":"canary-93c1f0"}')
    verbs = re.findall(r"INFO persist_core::snapshot: (\w+) operation completed", lines)
    assert verbs == ["Save", "Load", "Verify", "Delete"]
    assert lines.count(" WARN persist_core::snapshot: Load operation failed ") == 1
    assert " DEBUG " not in lines


def test_a_filter_chooses_module_and_level(tmp_path):
    lines = told(tmp_path, RUST_LOG="persist_core::storage=debug").splitlines()
    assert lines
    assert all(" DEBUG persist_core::storage: Request completed " in line for line in lines)


def test_json_is_one_object_a_line_with_an_rfc_3339_time(tmp_path):
    lines = told(tmp_path, RUST_LOG="persist_core=info", PERSIST_LOG_FORMAT="json").splitlines()
    saved, *_, failed = map(json.loads, lines)
    assert datetime.fromisoformat(saved["timestamp"].replace("Z", "+00:00")).tzinfo
    assert (saved["level"], saved["target"]) == ("INFO", "persist_core::snapshot")
    assert saved["message"] == "Save operation completed"
    assert (saved["agent_id"], saved["key"]) == ("prod_agent", "a.json.gz")
    assert saved["duration_ms"] > 0
    assert (failed["level"], failed["kind"]) == ("WARN", "not_found")


def test_the_format_alone_means_info(tmp_path):
    assert '"Save operation completed"' in told(tmp_path, PERSIST_LOG_FORMAT="json")


def test_what_is_not_understood_is_told_and_stops_nothing(tmp_path):
    lines = told(tmp_path, RUST_LOG="persist_core=loud", PERSIST_LOG_FORMAT="xml")
    assert "RUST_LOG is not understood" in lines
    assert "PERSIST_LOG_FORMAT is neither text nor json" in lines
    assert LINE.search(lines)


def test_nothing_is_written_unless_asked(tmp_path):
    assert told(tmp_path) == ""


def test_logging_takes_the_records_with_their_fields(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG, "persist"):
        persist.snapshot(["hello"], tmp_path / "a.json.gz", agent_id="bot", session_id="s1")
    saved = [record for record in caplog.records if record.name == "persist.snapshot"]
    (record,) = saved
    assert (record.levelname, record.getMessage()) == ("INFO", "Save operation completed")
    assert (record.agent_id, record.session_id, record.snapshot_index) == ("bot", "s1", 0)
    assert record.size_bytes == len('["hello"]')
    assert record.duration_ms > 0
    assert record.key == str(tmp_path / "a.json.gz")
    assert record.filename.endswith(".rs")
    requests = [record for record in caplog.records if record.name == "persist.storage"]
    assert {record.levelname for record in requests} == {"DEBUG"}
    assert {record.operation for record in requests} >= {"write"}


def test_the_levels_of_the_application_apply(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "persist"):
        persist.snapshot(["hello"], tmp_path / "a.json.gz")
        with pytest.raises(persist.NotFoundError):
            persist.verify_snapshot(tmp_path / "missing.json.gz")
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "Verify operation failed")
    assert record.kind == "not_found"
    caplog.clear()
    with caplog.at_level(logging.ERROR, "persist"), pytest.raises(persist.NotFoundError):
        persist.verify_snapshot(tmp_path / "missing.json.gz")
    assert caplog.records == []


THREADS = """
    import logging, threading
    import persist

    class Again(logging.Handler):
        def emit(self, record):
            persist.snapshot_exists("a0.json.gz")  # a handler may use Persist itself
            seen.append(record)

    seen = []
    logging.getLogger("persist").setLevel(logging.DEBUG)
    logging.getLogger("persist.snapshot").addHandler(Again())
    state = [f"canary-93c1f0 {number}" * 20 for number in range(7_000)]

    def work(number):
        for _ in range(2):
            persist.snapshot(state, f"a{number}.json.gz", verify=False)
            assert persist.load_state(f"a{number}.json.gz") == state

    threads = [threading.Thread(target=work, args=[number]) for number in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(sum("completed" in record.getMessage() for record in seen))
"""


@pytest.mark.parametrize("variables", [{}, {"RUST_LOG": "persist_core=trace"}])
def test_threads_that_log_never_wait_for_one_another(tmp_path, variables):
    done = run(tmp_path, THREADS, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("0\n" if variables else "12\n")


FORK = """
    import logging, os
    import persist
    logging.basicConfig(level=logging.INFO, format="%(process)d %(message)s")
    persist.snapshot([1], "a.json.gz")
    child = os.fork()
    persist.snapshot([2], "b.json.gz" if child else "c.json.gz")
    if child:
        assert os.waitpid(child, 0)[1] == 0
        print(os.getpid(), child)
"""


def test_a_forked_child_logs_for_itself(tmp_path):
    done = run(tmp_path, FORK)
    parent, child = done.stdout.split()
    words = "Save operation completed"
    lines = sorted(done.stderr.splitlines())
    assert lines == sorted([f"{parent} {words}"] * 2 + [f"{child} {words}"])


CANARY = """
    import contextlib, logging, sys, threading
    import persist
    logging.basicConfig(level=1, stream=sys.stderr, format="%(message)s %(__dict__)s")
    state = {"text": "canary-93c1f0", "more": ["canary-93c1f0"] * 9}
    with contextlib.suppress(persist.PersistError):
        persist.snapshot({**state, "lock": threading.Lock()}, "a.json.gz")
    with contextlib.suppress(persist.PersistError):
        persist.snapshot({**state, "key": "sk-proj-canary-93c1f0" + "a1B2" * 12}, "a.json.gz")
    for name in ("a.json.gz", "a.json.zst", "a.json"):
        persist.snapshot(state, name)
        persist.restore(name)
        persist.verify_snapshot(name)
        with open(name, "r+b") as file:
            file.seek(-9, 2)
            file.write(b"canary-93c1f0")
        for verb in (persist.restore, persist.verify_snapshot, persist.load_state):
            with contextlib.suppress(persist.PersistError):
                verb(name)
"""


@pytest.mark.parametrize("variables", [{}, {"RUST_LOG": "trace"}])
def test_no_state_and_no_secret_is_ever_logged(tmp_path, variables):
    done = run(tmp_path, CANARY, **variables)
    assert done.returncode == 0, done.stderr
    assert "operation failed" in done.stderr
    assert SECRET not in done.stderr


def test_the_command_logs_to_stderr_alone(tmp_path):
    persist.snapshot(["hello"], tmp_path / "a.json.gz", agent_id="bot")
    quiet = command(tmp_path, "verify", "a.json.gz")
    loud = command(tmp_path, "verify", "a.json.gz", RUST_LOG="persist_core=info")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "ok   a.json.gz\n", "")
    assert (loud.returncode, loud.stdout) == (0, quiet.stdout)
    assert "INFO persist_core::snapshot: Verify operation completed" in loud.stderr
