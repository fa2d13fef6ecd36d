"""Names of any characters: comparing has no order, never fails, and decoration changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from milter.check.engagement.names import Likeness, likeness
from milter.check.engagement.organisations import bears_name, same_organisation

LETTERS = "aeiorstnéüøßłđıİ王伟小明김지우さとうعمرليالДарья'’-. "
SHOWN = st.one_of(st.text(max_size=60), st.text(alphabet=LETTERS, max_size=40))
# No letters that a title, a particle or a preposition is made of.
WORD = st.text(alphabet="kpwuéøж", min_size=2, max_size=8)


@settings(derandomize=True, deadline=None)
@given(SHOWN, SHOWN)
def test_comparing_has_no_order(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one)
    assert same_organisation(one, other) is same_organisation(other, one)
    assert bears_name(f"{one}.example", other) in (True, False)


@settings(derandomize=True, deadline=None)
@given(WORD, WORD)
def test_order_case_and_decoration_change_nothing(given_name: str, surname: str) -> None:
    plain = f"{given_name} {surname}"
    for shown in (
        f"{surname} {given_name}",
        f"{surname.upper()}, {given_name}",
        f"{plain} (she/her)",
        f"{plain} via LinkedIn",
        f"🌍 {plain} 🚀",
    ):
        assert likeness(plain, shown) is likeness(plain, plain)


@settings(derandomize=True, deadline=None)
@given(WORD, WORD, WORD)
def test_a_surname_alone_is_never_a_whole_name(given_name: str, surname: str, other: str) -> None:
    assert likeness(f"{given_name} {surname}", other) <= Likeness.GIVEN
