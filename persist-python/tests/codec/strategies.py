"""Values of every kind that the codec knows: those of `persist.testing`, and classes of users."""

import string

from hypothesis import strategies as st
from persist import testing

from .support import (
    Colour,
    Deeper,
    Frozen,
    Inner,
    Level,
    Note,
    Point,
    Rights,
    Settings,
    Slotted,
    Turn,
    Word,
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # with NUL and lone surrogates
ENUMS = st.sampled_from([*Colour, *Level, *Word, *Rights, Rights(0), ~Rights.READ])
BOTH_RIGHTS = st.builds(lambda a, b: a | b, *[st.sampled_from([*Rights])] * 2)
HELD = testing.scalars() | ENUMS | BOTH_RIGHTS
KEYS = testing.keys(
    ENUMS | BOTH_RIGHTS | st.builds(Point, HELD, HELD) | st.builds(Frozen, HELD, HELD)
)
BARE_NAMES = st.text(string.ascii_letters, min_size=1, max_size=5).map("x_{}".format)


def classes(inner):
    return st.one_of(
        ENUMS,
        BOTH_RIGHTS,
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(KEYS, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Turn, inner, inner),
        st.builds(Note, inner),
        st.builds(Frozen, inner, inner),
        st.builds(Slotted, inner, st.lists(inner, max_size=2)),
        st.builds(Deeper, n=st.integers(), more=inner),
        models(inner),
    )


@st.composite
def models(draw, inner):
    """Alias, a subclass in a typed field, extra fields, a private attribute."""
    model = draw(
        st.builds(
            lambda extra, **fields: Settings(**fields, **extra),
            extra=st.dictionaries(BARE_NAMES, inner, max_size=2),
            modelName=st.text(max_size=3),
            inner=st.builds(Deeper, n=st.integers(), more=inner) | st.builds(Inner),
        )
    )
    model.anything = draw(inner)
    model._turns.append(draw(inner))
    return model


VALUES = testing.values(classes)
arrays = testing.arrays
