"""Persist gives back what it was given, or says what it cannot."""

from pathlib import Path

import pytest
from loading import load

matrix = load(Path(__file__).with_name("matrix.py"))
REFUSED = {"numpy object array", "object of a class", "function", "lock", "generator"}


@pytest.mark.parametrize("case", matrix.cases.CASES)
def test_a_value_is_exact_or_refused_by_name(case):
    verdict = matrix.judge(matrix.WAYS["Persist"], matrix.cases.CASES[case])
    assert verdict == ("error" if case in REFUSED else "exact")


@pytest.mark.parametrize("title", matrix.lives.LIVES)
def test_an_agent_goes_on_as_without_a_break(title):
    assert matrix.judge_life("Persist", matrix.lives.LIVES[title]) == "exact"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0.0, -0.0),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([[]] * 2, [[], []]),
    ],
)
def test_the_judge_sees_the_difference(one, other):
    assert not matrix.same(one, other)
