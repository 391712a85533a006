"""Frames and series come back with their dtypes, labels and missing values."""

import datetime as dt

import numpy as np
import pandas as pd
import persist
import pytest

WHEN = pd.to_datetime(["2026-01-01 01:02:03.000004", "2026-06-01 00:00:00.000000"])
FRAMES = {
    "numbers": pd.DataFrame({"a": [1, 2], "b": [0.1, float("nan")], "c": [True, False]}),
    "narrow numbers": pd.DataFrame({"a": np.array([1, 2], "i1"), "b": np.array([1, 2], "f4")}),
    "text": pd.DataFrame({"a": ["x", None], "é": ["", "\0"]}),
    "objects": pd.DataFrame({"a": pd.Series([(1, 2), {"b": b"x"}], dtype=object)}),
    "times": pd.DataFrame({"a": WHEN, "b": WHEN - WHEN[0]}),
    "times in a zone": pd.DataFrame({"a": WHEN.tz_localize("Europe/Zurich")}),
    "dates of Python": pd.DataFrame({"a": pd.Series([dt.date(2026, 1, 1)], dtype=object)}),
    "nullable": pd.DataFrame(
        {
            "a": pd.array([1, None], "Int64"),
            "b": pd.array([True, None], "boolean"),
            "c": pd.array([0.5, None], "Float32"),
        }
    ),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y", "x"], ["y", "x"], ordered=True)}),
    "labels of any type": pd.DataFrame([[1, 2]], columns=[0, "b"], index=[(1, 2)]),
    "several levels": pd.DataFrame(
        [[1], [2]], index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None])
    ),
    "an index with a name": pd.DataFrame({"a": [1]}, index=pd.Index([7], name="id")),
    "an index of times": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026", periods=2)),
    "a range": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 8, 2)),
    "the same label twice": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
    "nothing": pd.DataFrame(),
    "rows alone": pd.DataFrame(index=[1, 2]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back(name):
    frame = FRAMES[name]
    restored = persist.loads(persist.dumps({"frame": frame}))["frame"]
    pd.testing.assert_frame_equal(restored, frame, check_freq=True, check_exact=True)
    assert list(restored.dtypes) == list(frame.dtypes)
    assert type(restored.index) is type(frame.index)


@pytest.mark.parametrize("name", FRAMES)
def test_a_series_comes_back(name):
    frame = FRAMES[name]
    for series in (frame.iloc[:, n] for n in range(frame.shape[1])):
        series.attrs["unit"] = ("m", 1)
        restored = persist.loads(persist.dumps(series))
        pd.testing.assert_series_equal(restored, series, check_freq=True, check_exact=True)
        assert restored.attrs == {"unit": ("m", 1)}


@pytest.mark.parametrize(
    "column", [pd.period_range("2026", periods=2, freq="M"), pd.arrays.SparseArray([0, 1])]
)
def test_a_column_that_does_not_come_back_is_refused_by_its_dtype(column):
    with pytest.raises(persist.UnserializableStateError, match=r"\$\.frame") as caught:
        persist.dumps({"frame": pd.DataFrame({"a": column})})
    assert "column of" in str(caught.value)


def test_a_dtype_of_a_plug_in_is_not_looked_up():
    data = persist.dumps(FRAMES["nullable"], compression="none")
    assert b'"Int64"' in data
    with pytest.raises(persist.FormatError):
        persist.loads(data.replace(b'"Int64"', b'"Evil4"'))


def test_a_frame_is_shown_as_plain_data(tmp_path):
    persist.snapshot({"frame": FRAMES["nullable"]}, tmp_path / "a.json.gz")
    shown = persist.load_state(tmp_path / "a.json.gz")["frame"]
    assert shown["values"][0] == {"dtype": "Int64", "items": [1, None]}
