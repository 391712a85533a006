"""What a developer types: each option of build-and-test.sh, each target of make, each workflow."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ALL = ["bootstrap", "servers", "lint", "check_manual_commands", "build", "test"]


@pytest.fixture
def steps(tmp_path):
    """Runs build-and-test.sh beside scripts that only say their names; what they said."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "build-and-test.sh", tmp_path)
    shutil.copy(ROOT / "scripts/lib.sh", tmp_path / "scripts")
    for name in ALL:
        script = tmp_path / f"scripts/{name}.sh"
        script.write_text(f'#!/bin/sh\necho "step: {name} $*$PYTEST_ADDOPTS"\n')
        script.chmod(0o755)

    def run(*options):
        done = subprocess.run(
            [tmp_path / "build-and-test.sh", *options], capture_output=True, text=True, check=False
        )
        said = re.findall(r"^step: (.*?) ?$", done.stdout, re.MULTILINE)
        return done.returncode, said, done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ALL),
        (["--skip-build"], ["bootstrap", "servers", "lint", "test"]),
        (["--quick"], ["bootstrap", "lint", "build", "test --quick"]),
        (["--quick", "--skip-build"], ["bootstrap", "lint", "test --quick"]),
        (["--verbose"], [f"{name} -v" for name in ALL]),
    ],
)
def test_an_option_does_what_the_help_says(options, expected, steps):
    code, said, _ = steps(*options)
    assert (code, said) == (0, expected)


def test_the_help_names_every_option_and_nothing_runs(steps):
    code, said, shown = steps("--help")
    assert (code, said) == (0, [])
    for option in ("--quick", "--skip-build", "--verbose", "--help"):
        assert option in shown


def test_an_unknown_option_is_refused_before_anything_runs(steps):
    code, said, shown = steps("--no-such-option")
    assert (code, said) == (2, [])
    assert "--no-such-option" in shown


def test_make_without_a_target_lists_every_target():
    for command in (["make"], ["make", "help"]):
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert {line.split()[0] for line in shown.stdout.splitlines()} == set(TARGETS)


def test_no_target_is_a_file():
    phony = re.search(r"\.PHONY: ((?:.+\\\n)*.+)", MAKEFILE)[1].replace("\\", "").split()
    assert sorted(phony) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_scripts_that_are_there(target):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for script in re.findall(r"(?:\./|scripts/|benches/|tests/)[\w/.-]+\.(?:sh|py)", done.stdout):
        assert (ROOT / script).is_file(), script


def test_clean_takes_what_was_built_and_nothing_else(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("target", ".venv", "site", "demo-data", "persist-core"):
        (tmp_path / name).mkdir()
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "persist-core"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_targets_of_make_alone(path):
    commands = re.findall(r"- run: (.+)", path.read_text())
    assert commands
    for command in commands:
        words = command.split()
        assert words[words.index("make") + 1 :], command
        assert set(words[words.index("make") + 1 :]) <= set(TARGETS), command


def test_ci_runs_the_readmes_test_command():
    command = "./build-and-test.sh"
    assert f"\n{command} " in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci/run").read_text().rstrip().endswith(f"exec {command}")
