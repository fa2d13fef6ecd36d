"""The member's name as a notice shows it, without what is no name.

Cuts off "via LinkedIn", pronouns, emoji and degrees behind a comma; keeps order, script, titles and
everything else. Refuses to guess which word is the family name: `check.engagement.names` compares.

**Failure:** never raises.
"""

import re
import unicodedata

from milter.read.notices.platforms import Platform, table

MAX_NAME_CHARS = 120
_PRONOUNS = re.compile(r"\s*[(\[（][^)\]）]{0,40}/[^)\]）]{0,40}[)\]）]")
_NO_NAME = frozenset({"So", "Sk", "Co", "Cn", "Cs"})
# Emoji joiners, variation selectors, and what sets a name apart from the direction of the text
# around it; the non-joiner belongs to names of some scripts.
_INVISIBLE = dict.fromkeys(
    [
        *(0x200D, 0xFE0E, 0xFE0F, 0x20E3, 0x061C, 0x200E, 0x200F),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
)


def member_name(shown: str, platform: Platform) -> str:
    """The name of a display name or a subject, '' where it is the network's own."""
    name = without_ornament(platform.via.sub("", shown[: 2 * MAX_NAME_CHARS]))
    if is_platform_name(name, platform):
        return ""
    return _without_post_nominals(name)[:MAX_NAME_CHARS]


def is_platform_name(name: str, platform: Platform) -> bool:
    """Does the network speak in its own name ("LinkedIn", "LinkedIn Messages")?"""
    folded = name.casefold().strip()
    return not folded or any(folded.startswith(one.casefold()) for one in platform.names)


def without_marks(text: str) -> str:
    """Without invisible marks, spaces made single."""
    return " ".join(text.translate(_INVISIBLE).split())


def without_ornament(text: str) -> str:
    """Without emoji and pronouns, spaces made single."""
    plain = _PRONOUNS.sub("", text).translate(_INVISIBLE)
    kept = "".join(" " if unicodedata.category(c) in _NO_NAME else c for c in plain)
    return " ".join(kept.split()).strip(" ,;|-–·")


def _without_post_nominals(name: str) -> str:
    """`A B, CPA, M.Sc.` is `A B`; `Family, Given` stays."""
    known = table().post_nominals
    head, *rest = name.split(",")
    while rest and all(_folded(word) in known for word in rest[-1].split()):
        rest.pop()
    words = ",".join((head, *rest)).split()
    while len(words) > 2 and _folded(words[-1]) in known and words[-1] != words[-1].lower():
        words.pop()
    return " ".join(words).strip(" ,")


def _folded(word: str) -> str:
    return word.replace(".", "").strip("®™ ").casefold()
