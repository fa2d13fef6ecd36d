"""The real mail beside the project: found, read, never copied in."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(
    os.environ.get("LUREWALL_CORPORA", Path(__file__).parents[2] / ".." / "shared" / "corpora")
).resolve()


def why_not() -> str:
    """Why the corpora cannot be read, or ''."""
    return "" if (ROOT / "README.md").is_file() else "the real mail beside the project is absent"


def messages(name: str, limit: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Ids and octets of a set."""
    with gzip.open(ROOT / name / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit is not None and number >= limit:
                return
            record = json.loads(line)
            if "raw" in record:
                yield record["id"], record["raw"].encode("latin-1")


def torture() -> Iterator[tuple[str, bytes]]:
    """Names and octets of all torture files that begin like a message."""
    for line in (ROOT / "torture" / "INDEX.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["starts_like_message"]:
            yield record["file"], (ROOT / "torture" / record["file"]).read_bytes()
