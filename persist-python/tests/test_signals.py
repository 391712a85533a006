"""A signal that arrives while the core asks or tells Python something ends the call."""

import logging
import signal
import sys

import persist
import pytest

LOGGER = logging.getLogger("persist.snapshot")


class Late(dict):
    """What a logger remembers of its levels; when it is asked, a signal arrives."""

    def __missing__(self, level):
        signal.raise_signal(signal.SIGINT)
        return level > logging.INFO


class Told(logging.Handler):
    """Takes a record; meanwhile a signal arrives."""

    def emit(self, record):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(params=[KeyboardInterrupt, SystemExit])
def ends(request):
    """What the handler of the signal raises."""

    def handle(_number, _frame):
        raise request.param

    before = signal.signal(signal.SIGINT, handle)
    yield request.param
    signal.signal(signal.SIGINT, before)


def test_a_signal_that_arrives_while_a_logger_is_asked(ends, tmp_path, monkeypatch):
    persist.snapshot([1], tmp_path / "a.json.gz")
    for verb in (
        lambda: persist.snapshot([1], tmp_path / "b.json.gz"),
        lambda: persist.restore(tmp_path / "a.json.gz"),
        lambda: persist.dumps([1]),
        lambda: persist.loads((tmp_path / "a.json.gz").read_bytes()),
        lambda: list(persist.list_snapshots(tmp_path)),
    ):
        monkeypatch.setattr(LOGGER, "_cache", Late())
        with pytest.raises(ends):
            verb()
    assert not (tmp_path / "b.json.gz").exists()


def test_a_signal_that_arrives_while_a_record_is_told(ends, tmp_path):
    handler = Told(logging.WARNING)
    LOGGER.addHandler(handler)
    try:
        with pytest.raises(ends):
            persist.restore(tmp_path / "missing.json.gz")
    finally:
        LOGGER.removeHandler(handler)


def test_an_error_of_a_logger_is_no_error_of_the_call(tmp_path, monkeypatch):
    class Broken(dict):
        def __missing__(self, level):
            raise ValueError(level)

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    monkeypatch.setattr(LOGGER, "_cache", Broken())
    assert persist.snapshot([1], tmp_path / "a.json.gz")["snapshot_index"] == 0
    assert {type(one.exc_value) for one in told} == {ValueError}
