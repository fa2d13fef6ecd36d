"""Flowed text as RFC 3676 reads it: an oracle of its own."""


def paragraphs(text: str, *, delsp: bool) -> list[tuple[int, str]]:
    """Quote depth and words of each paragraph."""
    found: list[tuple[int, str]] = []
    goes_on = False
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        is_flowed = content.endswith(" ") and content != "-- "
        if goes_on and found[-1][0] == depth and content != "-- ":
            found[-1] = (depth, found[-1][1] + content)
        else:
            found.append((depth, content))
        if is_flowed and delsp:
            found[-1] = (depth, found[-1][1][:-1])
        goes_on = is_flowed
    return found
