"""The command that pip installs, as a process of its own."""

import json
import os
import pty
import subprocess
import sysconfig
from pathlib import Path

import persist
import pytest

COMMAND = Path(sysconfig.get_path("scripts")) / "persist"


def run(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


def in_terminal(*arguments, typed=b""):
    """What a person sees at a terminal, and the exit code."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments], stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    os.write(controller, typed)
    seen = b""
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(controller)
    return seen.decode(), process.wait()


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        persist.snapshot([name], tmp_path / f"{name}.json.gz", agent_id=name)
    return tmp_path


def test_it_says_its_version():
    assert run("--version").stdout == f"persist {persist.__version__}\n"


def test_json_alone_is_on_the_output(folder):
    done = run("list", folder, "--json")
    assert [row["agent_id"] for row in json.loads(done.stdout)] == ["a", "b"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["show", "missing"], 1), (["explode"], 2), (["verify", "damaged.json.gz"], 4)],
)
def test_the_exit_code_says_what_failed(folder, arguments, code, monkeypatch):
    monkeypatch.chdir(folder)
    Path("damaged.json.gz").write_bytes(b"not gzip")
    assert run(*arguments).returncode == code


def test_a_closed_pipe_is_no_panic(folder):
    done = subprocess.run(
        f"{COMMAND} list {folder} | true", shell=True, capture_output=True, text=True, check=True
    )
    assert "panic" not in done.stderr


def test_a_person_sees_a_progress_bar_and_a_pipe_does_not(folder):
    seen, code = in_terminal("verify", folder)
    assert ("2/2 snapshots" in seen or "0/2 snapshots" in seen, code) == (True, 0)
    assert run("verify", folder).stderr == ""


def test_a_person_is_asked_before_a_delete(folder):
    _, code = in_terminal("delete", folder / "a.json.gz", typed=b"n\n")
    assert code == 2
    assert (folder / "a.json.gz").exists()
    seen, code = in_terminal("delete", folder / "a.json.gz", typed=b"y\n")
    assert "[y/N]" in seen
    assert code == 0
    assert not (folder / "a.json.gz").exists()


def test_bash_takes_the_completions():
    script = run("completions", "bash").stdout
    words = "COMP_WORDS=(persist ver); COMP_CWORD=1; _persist persist ver persist"
    shown = subprocess.run(
        ["bash", "-c", f'{script}\n{words}; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["verify"]


def test_an_output_that_nobody_reads_on_is_no_error(tmp_path):
    for number in range(3):
        persist.snapshot([number], tmp_path / f"{number}.json.gz")
    verbs = [(verb, str(tmp_path)) for verb in ("list", "show", "verify", "health")]
    shipped = [("completions", "bash"), ("alerts", "export"), ("dashboards", "export")]
    exported = ("export", str(tmp_path / "0.json.gz"))
    for verb in [*verbs, *shipped, exported]:
        read, write = os.pipe()
        os.close(read)
        command = [COMMAND, *verb]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
        os.close(write)
        assert (done.returncode, done.stderr) == (0, b""), verb


def test_a_terminal_gets_colours_unless_no_color_says_no(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for arguments in (["--help"], ["show", "missing.json.gz"], ["health", "missing"]):
        assert "\x1b[" in in_terminal(*arguments)[0]
    assert "\x1b[" not in run("--help").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    for arguments in (["--help"], ["show", "missing.json.gz"], ["health", "missing"]):
        assert "\x1b[" not in in_terminal(*arguments)[0]
