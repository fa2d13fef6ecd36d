"""A sender's style sheet cannot hide the banner: proved by pixels in a real browser.

Every attack is a frame of its own on one page; its banner has to look exactly as in the frame
without an attack. What remains possible stands in the same list, so that docs/banner.md stays true:
the day a browser or our banner answers one of those, a test says so.
"""

import tomllib
from html import escape
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from milter.act.banner import BannerLevel
from milter.act.banner_html import NOTICE, STRONG_DARK
from tests.pictures.gallery import annotated
from tests.support.chromium import CHROMIUM, photograph
from tests.unit.act.by_hand import banner

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]

ATTACKS = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text(encoding="utf-8"))
WIDTH, HEIGHT, COLUMNS = 460, 420, 4
# The sender's own text, in a colour that nothing else has.
SENDER = (0, 0, 255)
MAIL = (
    '<div class="mail"><table width="100%"><tr><td style="color:#00f !important;font-size:40px">'
    "&#9608;&#9608;&#9608;</td></tr></table></div>"
)


def document(css: str, made: str) -> str:
    return f"<!doctype html><html><head><style>{css}</style></head><body>{made}{MAIL}</body></html>"


def frames(documents: list[str], *, dark: bool = False) -> list[Image.Image]:
    """A picture of each document, without scripts, all from one run of the browser."""
    cells = "".join(
        f'<iframe scrolling=no sandbox=allow-same-origin srcdoc="{escape(one)}"></iframe>'
        for one in documents
    )
    rows = -(-len(documents) // COLUMNS)
    page = (
        "<!doctype html><meta charset=utf-8><style>body{margin:0;display:grid;"
        f"grid-template-columns:repeat({COLUMNS},{WIDTH}px)}}"
        f"iframe{{border:0;width:{WIDTH}px;height:{HEIGHT}px}}</style>{cells}"
    )
    picture = photograph(page, WIDTH * COLUMNS, HEIGHT * rows, dark=dark)
    corners = [(n % COLUMNS * WIDTH, n // COLUMNS * HEIGHT) for n in range(len(documents))]
    return [picture.crop((x, y, x + WIDTH, y + HEIGHT)) for x, y in corners]


def rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def painted(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """The box around all pixels of exactly this colour."""
    difference = ImageChops.difference(picture, Image.new("RGB", picture.size, colour))
    red, green, blue = difference.split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return largest.point(lambda value: 255 if value == 0 else 0).getbbox()


def shown(picture: Image.Image, background: str) -> Image.Image | None:
    """The banner as the reader sees it, None if nothing of it is painted."""
    box = painted(picture, rgb(background))
    return picture.crop(box) if box else None


@pytest.fixture(
    scope="module",
    params=[
        ("en", BannerLevel.NOTICE, NOTICE, False),
        ("ar", BannerLevel.STRONG, STRONG_DARK, True),
    ],
    ids=["light", "dark-from-the-right"],
)
def gallery(request: pytest.FixtureRequest) -> tuple[str, dict[str, Image.Image]]:
    language, level, palette, dark = request.param
    made = banner(
        language, level=level, seen="wechat lin_den77", report_url="https://example.org/r"
    ).html
    every = [*ATTACKS["beaten"], *ATTACKS["remains"]]
    documents = [document(css, made) for css in ("", *(one["css"] for one in every))]
    pictures = frames(documents, dark=dark)
    names = ["none", *(attack["name"] for attack in every)]
    return palette.background, dict(zip(names, pictures, strict=True))


@pytest.mark.parametrize("name", [attack["name"] for attack in ATTACKS["beaten"]])
def test_the_banner_looks_as_without_the_attack(
    gallery: tuple[str, dict[str, Image.Image]], name: str
) -> None:
    background, pictures = gallery
    expected = shown(pictures["none"], background)
    seen = shown(pictures[name], background)
    assert expected is not None
    assert seen is not None, "nothing of it is painted"
    assert seen.size == expected.size
    assert ImageChops.difference(seen, expected).convert("L").getextrema()[1] < 48


@pytest.mark.parametrize("attack", ATTACKS["remains"], ids=lambda attack: attack["name"])
def test_what_remains_is_as_documented(
    gallery: tuple[str, dict[str, Image.Image]], attack: dict[str, object]
) -> None:
    background, pictures = gallery
    picture = pictures[str(attack["name"])]
    seen = shown(picture, background)
    assert seen is None or seen.height < 10
    assert (painted(picture, SENDER) is None) is attack["hides_sender"]


@pytest.fixture(scope="module")
def misread() -> dict[str, Image.Image | None]:
    """Pictures of the documents that got a banner, None for those that did not."""
    made = banner(seen="wechat lin_den77")
    texts = {
        one["name"]: annotated(one["html"].replace("MAIL", MAIL), "html", made)
        for one in ATTACKS["markup"]
    }
    edited = {name: text for name, text in texts.items() if text is not None}
    pictures = dict(zip(edited, frames(list(edited.values())), strict=True))
    return {name: pictures.get(name) for name in texts}


@pytest.mark.parametrize("attack", ATTACKS["markup"], ids=lambda attack: attack["name"])
def test_markup_does_not_lead_the_banner_into_something_hidden(
    misread: dict[str, Image.Image | None], attack: dict[str, object]
) -> None:
    picture = misread[str(attack["name"])]
    assert (picture is None) is bool(attack.get("left_alone"))
    if picture is not None and painted(picture, SENDER) is not None:
        seen = shown(picture, NOTICE.background)
        assert seen is not None, "the sender's text is painted, the banner is not"
        assert seen.height > 200


def test_there_are_enough_attacks() -> None:
    assert len({attack["css"] for attack in ATTACKS["beaten"]}) >= 30
