"""Names of files that a text speaks of, and names of attachments."""

import re

from nlp.analysis import EntityResult, EntityType, Span
from nlp.entities.passage import Passage

_ENDINGS = (
    "docx?|docm|dotm|pdf|rtf|odt|xlsx?|xlsm|xlsb|csv|pptx?|pptm|ppsx?|zip|rar|7z|tar|tgz|gz|iso|img|vhdx?|dmg|lnk|exe|msi|msix|"
    "scr|bat|cmd|ps1|vbs|jse?|hta|jar|apk|html?|mht|xht|svg|one|chm|ics|vcf|eml|msg|png|jpe?g|gif|txt"
)
ENDING = re.compile(rf"\.(?:{_ENDINGS})(?:\.(?:{_ENDINGS}))*(?![\w@/-]|\.\w)")
_STEM_BACK = re.compile(r"[\w()\[\]+-][\w.()\[\]+-]{0,79}$")


def find_files(passage: Passage) -> list[EntityResult]:
    """FILE entities for file names in text (one word; spaces end a name)."""
    folded = passage.folded
    results = []
    taken = 0
    for ending in ENDING.finditer(folded):
        stem = _STEM_BACK.search(folded, max(taken, ending.start() - 80), ending.start())
        if stem is None or (stem.start() and folded[stem.start() - 1] in "@/\\"):
            continue
        results.append(
            passage.entity(
                EntityType.FILE, stem.start(), ending.end(), folded[stem.start() : ending.end()]
            )
        )
        taken = ending.end()
    return results


def attached_file(name: str) -> EntityResult:
    """The FILE entity of an attachment; its span counts in the name itself."""
    return EntityResult(
        type=EntityType.FILE,
        span=Span(source="attachment", part="", start=0, end=len(name), text=name),
        value=name.lower(),
    )
