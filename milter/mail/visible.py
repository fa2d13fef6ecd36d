"""Text of strangers as people may see it on a terminal or in a notice: nothing acts, all shows.

Control, bidi, zero-width and unassigned characters become `<U+202E>`; so an analyst sees that they
are there, and a terminal does not obey them. Breaking up links is `act.shown.defanged`.

**Failure:** none.
"""


def visible(text: str, longest: int) -> str:
    """One line, at most `longest` characters of the text; white space of any kind is a space."""
    cut = text[:longest]
    if not cut.isprintable():
        cut = "".join(_shown(character) for character in cut)
    return cut if len(text) <= longest else f"{cut} …"


def visible_lines(text: str, *, lines: int, longest: int) -> list[str]:
    """The first lines, each as `visible` gives it."""
    found = text.replace("\r\n", "\n").split("\n", lines)
    shown = [visible(line, longest) for line in found[:lines]]
    return [*shown, "…"] if len(found) > lines and found[lines] else shown


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    # isspace also holds for the separators U+001C to U+001F, which terminals need not see.
    return " " if character in "\t\xa0\u3000" else f"<U+{ord(character):04X}>"
