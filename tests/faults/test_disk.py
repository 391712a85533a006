"""Full disks, folders that may not be written, and many writers at once."""

import contextlib
import multiprocessing
import os
import subprocess
import tempfile

import persist
import pytest
from support import READ, leftovers, only, run, write


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=777", "tmpfs", folder], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_and_the_old_file_is_intact(tmp_path):
    with small_disk(tmp_path, 64) as disk:
        path = disk / "agent.json.gz"
        persist.snapshot("old", path)
        big = [os.urandom(1000).hex() for _ in range(200)]
        with pytest.raises(persist.NoSpaceError) as caught:
            persist.snapshot(big, path)
        assert caught.value.retryable
        assert "intact" in caught.value.hint
        assert persist.restore(path) == "old"
        assert only(disk, "agent.json.gz")


@pytest.fixture
def open_folder():
    """A folder that every user can reach; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # noqa: PTH101 - another user has to get in
        yield folder


def test_a_folder_that_may_not_be_written(open_folder):
    os.chmod(open_folder, 0o755)  # noqa: PTH101 - another user may look only
    done = write(f"{open_folder}/agent.json.gz", "new", as_nobody=True)
    assert done.stdout.split() == ["access_denied", "AccessDeniedError", "False"], done
    assert only(open_folder)


def test_a_file_that_may_not_be_read(open_folder):
    path = f"{open_folder}/agent.json.gz"
    persist.snapshot("secret", path)
    done = run(READ, path, as_nobody=True)
    assert done.stdout == "access_denied\n", done


def test_a_folder_on_a_read_only_disk(tmp_path):
    with small_disk(tmp_path, 64) as disk:
        persist.snapshot("old", disk / "agent.json.gz")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(PermissionError, match="read-only"):
            persist.snapshot("new", disk / "agent.json.gz")
        assert persist.restore(disk / "agent.json.gz") == "old"


def _write_many(path, name):
    for _ in range(20):
        persist.snapshot([name] * 2000, path, durable=False)


def _read_many(path, stop):
    while not stop.is_set():
        value = persist.restore(path)
        assert len(set(value)) == 1
        assert len(value) == 2000


def test_sixteen_writers_and_readers_never_see_a_mix(tmp_path):
    context = multiprocessing.get_context("fork")
    path, stop = tmp_path / "agent.json.gz", context.Event()
    persist.snapshot(["first"] * 2000, path)
    readers = [context.Process(target=_read_many, args=(path, stop)) for _ in range(2)]
    writers = [context.Process(target=_write_many, args=(path, str(n))) for n in range(16)]
    for process in [*readers, *writers]:
        process.start()
    for process in writers:
        process.join()
    stop.set()
    for process in readers:
        process.join()
    assert [process.exitcode for process in [*readers, *writers]] == [0] * 18
    assert not leftovers(tmp_path)


def _create(path, name):
    with contextlib.suppress(persist.ConflictError):
        persist.snapshot(name, path, overwrite=False)
        os._exit(7)


def test_of_many_creators_exactly_one_wins(tmp_path):
    context = multiprocessing.get_context("fork")
    path = tmp_path / "agent.json.gz"
    racers = [context.Process(target=_create, args=(path, str(n))) for n in range(16)]
    for process in racers:
        process.start()
    for process in racers:
        process.join()
    assert sorted(process.exitcode for process in racers) == [0] * 15 + [7]
    assert only(tmp_path, "agent.json.gz")
