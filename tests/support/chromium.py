"""Pages in a real browser: the Debian package chromium without a window, script or network.

`photograph` gives the picture of a page, `after_scripts` its document once its scripts ran. A
sandbox needs user namespaces, which containers do not have; the pages are the tests' own.
"""

import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

CHROMIUM = shutil.which("chromium")
# What a window without a window takes for its frame: the page gets that much less height.
_FRAME = 150
_PATIENCE_SECONDS = 60


def photograph(
    html: str, width: int, height: int, *, dark: bool = False, forced_colours: bool = False
) -> Image.Image:
    """The top left of the page, in the reader's mode."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as name:
        picture = Path(name) / "page.png"
        options = [f"--window-size={width},{height + _FRAME}", f"--screenshot={picture}"]
        options.append(f"--blink-settings=preferredColorScheme={0 if dark else 1}")
        if forced_colours:
            options.append("--force-high-contrast")
        _run(Path(name), html, options)
        with Image.open(io.BytesIO(picture.read_bytes())) as image:
            return image.convert("RGB").crop((0, 0, width, height))


def after_scripts(html: str, width: int = 1000, height: int = 800) -> str:
    """The document as text, once its scripts are done."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as name:
        return _run(Path(name), html, [f"--window-size={width},{height}", "--dump-dom"])


# The fonts that tests/servers/install.sh brings, and no others that a machine may have.
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts/truetype/dejavu</dir><dir>/usr/share/fonts/truetype/wqy</dir>
<cachedir>{cache}</cachedir>
<alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


def _run(folder: Path, html: str, options: list[str]) -> str:
    assert CHROMIUM is not None
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(cache=folder / "cache"), encoding="utf-8")
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-lcd-text", "--enable-blink-features=ComputedAccessibilityInfo", "--font-render-hinting=none", "--force-device-scale-factor=1",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
        *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE_SECONDS,
    )
    assert done.returncode == 0
    return done.stdout.decode("utf-8")
