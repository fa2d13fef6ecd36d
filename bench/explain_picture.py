"""The picture of an explanation for the documents: a demo sample as its page, by Chromium.

`python -m bench.explain_picture` needs the Debian package chromium; writes docs/explain.png.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

from milter.demo.samples import SAMPLES

ROOT: Final = Path(__file__).parents[1]
_SAMPLE: Final = "lure: off-platform follow-up"
_SIZE: Final = "1000,960"


def main() -> int:
    """Explain the sample, photograph the page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("the Debian package chromium is not installed", file=sys.stderr)
        return 1
    raw = next(sample.raw for sample in SAMPLES if sample.name == _SAMPLE)
    with tempfile.TemporaryDirectory(prefix="lurewall-picture-") as name:
        folder = Path(name)
        (folder / "follow-up.eml").write_bytes(raw)
        subprocess.run(
            [sys.executable, "-m", "milter", "explain", "follow-up.eml",
             "--format", "html", "--output", "page.html"],
            cwd=folder, check=True,
        )  # fmt: skip
        # The page has neither script nor network; a container has no user namespaces for a sandbox.
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", "--blink-settings=preferredColorScheme=1",
             f"--window-size={_SIZE}", f"--screenshot={folder}/page.png",
             f"file://{folder}/page.html"],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        # A palette makes it a third of the size; the page has few colours.
        with Image.open(folder / "page.png") as picture:
            picture.convert("RGB").quantize(64).save(ROOT / "docs" / "explain.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
