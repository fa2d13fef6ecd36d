"""Real mail for the benchmark, from the corpora beside the project; nothing of it is kept."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Final

from bench.mix import Sample

ROOT: Final = Path(
    os.environ.get("LUREWALL_CORPORA", Path(__file__).parents[1] / ".." / "shared" / "corpora")
).resolve()
SETS: Final = ("spamassassin", "list_mail", "phishing_pot")


def real_mail(count: int, *, seed: int = 1) -> list[Sample]:
    """`count` mails drawn from the sets in equal parts, with CRLF; none where there are none."""
    chance = random.Random(seed)
    samples: list[Sample] = []
    for name in SETS:
        path = ROOT / name / f"{name}.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                drawn = chance.sample([*lines], count // len(SETS))
            raws = (json.loads(line)["raw"].encode("latin-1") for line in drawn)
            samples += [Sample(name, with_crlf(raw)) for raw in raws]
    chance.shuffle(samples)
    return samples


def with_crlf(raw: bytes) -> bytes:
    """Octets of a stored mail as SMTP would carry them."""
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    return lines.replace(b"\n", b"\r\n") + b"\r\n"
