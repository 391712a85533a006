"""Every system call of a snapshot fails, or is the last one: old or new is there, never a mix."""

import re
import subprocess

import persist
import pytest
from support import PYTHON, WRITE, environment, leftovers, only, run, under_strace, write

ERRORS = [
    ("fsync", "error=EIO:when=1", "storage"),
    ("rename,renameat,renameat2", "error=EIO:when=1", "storage"),
    ("rename,renameat,renameat2", "error=ENOSPC:when=1", "no_space"),
    ("rename,renameat,renameat2", "error=EROFS:when=1", "access_denied"),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "agent.json.gz"
    persist.snapshot(["old"] * 400, path)
    return path


def calls_on_files(path, tmp_path):
    """The names of the system calls that a snapshot makes on its files, in order."""
    log = tmp_path / "strace.log"
    command = ["strace", "-f", "-qq", "-y", "-o", str(log), PYTHON, "-c", WRITE, str(path), "new"]
    subprocess.run(command, check=True, env=environment(), capture_output=True)
    lines = [line for line in log.read_text().splitlines() if str(path.parent) in line]
    log.unlink()
    names = [re.match(r"\d+\s+(\w+)\(", line)[1] for line in lines if "snapshot" not in line[:9]]
    start = next(i for i, line in enumerate(lines) if ".persist-" in line)
    return names[start:]


@pytest.mark.parametrize(("calls", "injection", "kind"), ERRORS)
def test_a_failing_call_is_the_right_error_and_the_old_file_stays(calls, injection, kind, path):
    done = write(path, "new", before=under_strace(calls, f"inject={calls}:{injection}"))
    assert done.stdout.split()[:1] == [kind], done
    assert persist.restore(path) == ["old"] * 400
    assert only(path.parent, "agent.json.gz")


def test_a_full_disk_while_writing(path):
    # The writes of the interpreter's own start go to no file of this name.
    before = [*under_strace("write", "inject=write:error=ENOSPC:when=1+"), "-P", str(path.parent)]
    done = write(path, "new", before=before)
    assert persist.restore(path) in (["old"] * 400, ["new"] * 400)
    assert not leftovers(path.parent), done


def test_a_kill_at_any_call_leaves_old_or_new(path, tmp_path):
    names = calls_on_files(path, tmp_path)
    assert {"fsync", "write"} <= set(names)
    for call in sorted(set(names)):
        for nth in range(1, names.count(call) + 1):
            persist.snapshot(["old"] * 400, path)
            injection = f"inject={call}:signal=SIGKILL:when={nth}"
            write(path, "new", before=[*under_strace(call, injection), "-P", str(path.parent)])
            assert persist.restore(path) in (["old"] * 400, ["new"] * 400), (call, nth)


def test_the_file_is_synced_before_the_rename_and_the_folder_behind_it(path, tmp_path):
    names = calls_on_files(path, tmp_path)
    renames = [n for n, name in enumerate(names) if name.startswith("rename")]
    syncs = [n for n, name in enumerate(names) if name in ("fsync", "fdatasync")]
    assert len(renames) == 1
    assert min(syncs) < renames[0] < max(syncs)


def test_each_folder_that_was_made_is_synced_into_the_one_that_holds_it(tmp_path):
    log = tmp_path.parent / f"{tmp_path.name}.log"
    target = tmp_path / "made/below/agent.json.gz"
    traced = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", str(log)]
    done = write(target, "new", before=traced)
    assert done.returncode == 0, done
    synced = re.findall(r"sync\(\d+<([^>]+)>", log.read_text())
    folders = {str(folder) for folder in (tmp_path, target.parent.parent, target.parent)}
    assert folders <= set(synced)


def test_too_many_open_files_is_an_error_and_the_old_file_stays(path):
    # The limit is met when the temporary file is opened, behind all that the interpreter opens.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))\n"
    held = "held = [open('/dev/null') for _ in range(2)]\n"
    done = run(
        f"import persist\npersist.loads(persist.dumps(1))\n{limit}{held}{WRITE}", path, "new"
    )
    assert done.stdout.split() == ["storage", "StorageError", "False"], done
    assert persist.restore(path) == ["old"] * 400
    assert only(path.parent, "agent.json.gz")
