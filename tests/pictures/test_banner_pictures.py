"""The banner as its reader sees it, beside pictures that people have looked at.

Compared at a quarter of the size, so that the smoothing of letters does not matter, but a line that
wraps elsewhere, a colour or a gap does. `python -m tests.pictures.gallery` takes new ones.
"""

import json
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image, ImageChops, ImageStat

from milter.act.banner_texts import LANGUAGES
from tests.pictures.gallery import (
    GOLDEN,
    LONG,
    OTHER_LANGUAGES,
    SHOTS,
    Shot,
    document,
    side_by_side,
    take,
)
from tests.support.chromium import CHROMIUM, after_scripts

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]

_MOST_PICTURES, _MOST_BYTES = 24, 40_000
_MEAN, _SHARE_THAT_DIFFERS = 2.0, 0.01


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    return take(SHOTS)


def assert_alike(picture: Image.Image, golden: Path) -> None:
    with Image.open(golden) as image:
        expected = image.convert("RGB")
    assert picture.size == expected.size
    difference = ImageChops.difference(picture.reduce(4), expected.reduce(4)).convert("L")
    unlike = sum(difference.histogram()[40:]) / (difference.width * difference.height)
    assert ImageStat.Stat(difference).mean[0] < _MEAN
    assert unlike < _SHARE_THAT_DIFFERS


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_looks_as_it_did(pictures: dict[str, Image.Image], shot: Shot) -> None:
    assert_alike(pictures[shot.name], GOLDEN / f"{shot.name}.png")


@pytest.mark.parametrize("group", OTHER_LANGUAGES, ids="-".join)
def test_every_other_language_looks_as_it_did(group: tuple[str, ...]) -> None:
    assert_alike(side_by_side(group), GOLDEN / f"{'-'.join(group)}-343.png")


def test_a_picture_of_something_else_is_not_alike(pictures: dict[str, Image.Image]) -> None:
    with pytest.raises(AssertionError):
        assert_alike(pictures["newsletter-375-dark"], GOLDEN / "newsletter-375-light.png")


def test_the_pictures_are_few_and_small() -> None:
    files = sorted(GOLDEN.iterdir())
    others = {f"{'-'.join(group)}-343" for group in OTHER_LANGUAGES}
    assert {file.stem for file in files} == {shot.name for shot in SHOTS} | others
    assert len(files) <= _MOST_PICTURES
    assert max(file.stat().st_size for file in files) < _MOST_BYTES


_MEASURE = """
<script>
onload = () => {
  const seen = [...document.querySelectorAll('iframe')].map(frame => {
    const page = frame.contentDocument, box = page.querySelector('[role=note]');
    const text = page.createRange();
    text.selectNodeContents(box);
    const inside = box.getBoundingClientRect();
    return {
      scrolls: page.documentElement.scrollWidth > frame.clientWidth,
      spills: [...text.getClientRects()].some(r => r.left < inside.left || r.right > inside.right),
      role: box.computedRole, name: box.computedName, language: box.lang,
      roles: [...box.querySelectorAll('*')].map(e => e.computedRole).filter(r => /list|link/.test(r)),
    };
  });
  document.body.innerHTML = '<output>' + encodeURI(JSON.stringify(seen)) + '</output>';
}
</script>
"""


def test_fits_320_pixels_and_tells_assistive_technology_what_it_is() -> None:
    shots = [
        Shot(name=code, mail="letter.html", language=code, seen=seen, link=True)
        for code in LANGUAGES
        for seen in ("Telegram: @conseil_nord", LONG, "长" * 90)
    ]
    frames = "".join(
        f'<iframe style="width:320px;height:400px;border:0" srcdoc="{escape(document(shot))}"></iframe>'
        for shot in shots
    )
    output = after_scripts(f"<!doctype html>{_MEASURE}<body>{frames}")
    match = re.search(r"<output>(%[^<]+)</output>", output)
    assert match is not None
    seen = json.loads(unquote(match[1]))
    assert len(seen) == len(shots)
    for shot, found in zip(shots, seen, strict=True):
        assert not found["scrolls"], shot.name
        assert not found["spills"], shot.name
        assert found["role"] == "note"
        assert found["name"]
        assert found["language"].lower() == shot.language
        assert found["roles"] == ["list", "listitem", "listitem", "listitem", "link"]
