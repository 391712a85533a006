"""An agent is saved when its process is told to stop."""

import signal
import subprocess
import sys
import threading

import persist
import pytest

WAITS = """
import signal, sys, time
import persist
state = {"turns": 0}
hook = persist.shutdown_hook(state, sys.argv[1], agent_id="bot")
state["turns"] = 1
print("ready", flush=True)
time.sleep(60)
"""


def test_sigterm_saves_and_the_process_still_dies_of_it(tmp_path):
    path = tmp_path / "agent.json.gz"
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert persist.restore(path) == {"turns": 1}


def test_an_exit_saves_too_and_a_cancelled_hook_does_not(tmp_path):
    script = (
        "import persist, sys\n"
        "persist.shutdown_hook(['kept'], sys.argv[1])\n"
        "persist.shutdown_hook(['cancelled'], sys.argv[2]).cancel()\n"
    )
    kept, cancelled = tmp_path / "kept.json.gz", tmp_path / "cancelled.json.gz"
    subprocess.run([sys.executable, "-c", script, str(kept), str(cancelled)], check=True)
    assert persist.restore(kept) == ["kept"]
    assert not cancelled.exists()


def test_the_earlier_handler_is_called_and_comes_back(tmp_path):
    called = []
    before = signal.signal(signal.SIGTERM, lambda *_: called.append("mine"))
    try:
        mine = signal.getsignal(signal.SIGTERM)
        hook = persist.shutdown_hook(["x"], tmp_path / "a.json.gz")
        signal.raise_signal(signal.SIGTERM)
        assert called == ["mine"]
        assert persist.restore(tmp_path / "a.json.gz") == ["x"]
        hook.cancel()
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"agentid": "bot"}, TypeError),
        ({"snapshot_index": -1}, persist.ConfigurationError),
        ({"storage_mode": "s3"}, persist.ConfigurationError),
    ],
)
def test_a_wrong_option_is_told_when_the_hook_is_installed(options, error, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(error, match=next(iter(options))):
        persist.shutdown_hook(["x"], tmp_path / "a.json.gz", **options)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_place_by_mode_is_taken():
    hook = persist.shutdown_hook(["x"], "a.json.gz", storage_mode="gcs", gcs_bucket="bucket")
    hook.cancel()


def test_another_thread_is_told(tmp_path):
    errors = []

    def install():
        try:
            persist.shutdown_hook([], tmp_path / "a.json.gz")
        except persist.ConfigurationError as error:
            errors.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    with pytest.raises(persist.ConfigurationError, match="main thread"):
        raise errors[0]
