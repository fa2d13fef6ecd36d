"""QR codes in pictures of all formats, as they are and as people disguise them."""

import io

import pytest
from PIL import Image, ImageOps

from milter.mail.finding import Source
from milter.read.carried.budget import Budget
from milter.read.carried.data_uris import images_in
from tests.support.carriers import code_image, data_uri, encoded, picture, read_file, said

LINK = "https://t.me/mira_kovac"


def code_in(octets: bytes) -> str:
    return said(read_file(octets), Source.QR)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("size", [0, 900])
def test_formats(kind: str, size: int) -> None:
    assert code_in(picture(LINK, kind, size=size)) == LINK


@pytest.mark.parametrize("angle", [12, 45, 90, 180, 200])
def test_turned(angle: int) -> None:
    assert code_in(picture(LINK, angle=angle)) == LINK


def saved(image: Image.Image, **options: object) -> bytes:
    octets = io.BytesIO()
    image.save(octets, "PNG", **options)
    return octets.getvalue()


def see_through(dark: int) -> Image.Image:
    code = code_image(LINK)
    ink = Image.new("L", code.size, dark)
    return Image.merge("LA", (ink, ImageOps.invert(code)))


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(ImageOps.invert(code_image(LINK)), id="light on dark"),
        pytest.param(see_through(0), id="dark on nothing"),
        pytest.param(see_through(255), id="light on nothing"),
        pytest.param(code_image(LINK).convert("1"), id="one bit"),
        pytest.param(code_image(LINK).convert("P"), id="palette"),
        pytest.param(code_image(LINK).convert("I;16"), id="sixteen bits"),
        pytest.param(ImageOps.colorize(code_image(LINK), "#204080", "#f0e8d0"), id="coloured"),
        pytest.param(code_image(LINK, scale=40), id="large"),
        pytest.param(code_image(LINK, scale=2), id="small"),
    ],
)
def test_disguises(image: Image.Image) -> None:
    assert code_in(saved(image)) == LINK


def test_two_codes_in_one_picture() -> None:
    both = Image.new("L", (500, 250), 255)
    both.paste(code_image(LINK), (20, 20))
    both.paste(code_image("https://wa.me/447700900123"), (280, 60))
    assert set(code_in(encoded(both)).split("\n")) == {LINK, "https://wa.me/447700900123"}


def test_a_later_frame() -> None:
    octets = io.BytesIO()
    blank = Image.new("L", code_image(LINK).size, 255)
    blank.save(octets, "GIF", save_all=True, append_images=[code_image(LINK)])
    assert code_in(octets.getvalue()) == LINK


def test_frames_beyond_the_first_are_a_miss() -> None:
    octets = io.BytesIO()
    frames = [Image.new("L", (80, 80), shade) for shade in range(0, 100, 10)]
    frames[0].save(octets, "GIF", save_all=True, append_images=frames[1:])
    assert not read_file(octets.getvalue()).complete


def test_a_payload_in_another_script() -> None:
    assert code_in(picture("微信 mira_desk7")) == "微信 mira_desk7"


def test_a_truncated_picture_is_read_as_far_as_it_goes() -> None:
    large = Image.new("L", (600, 900), 200)
    large.paste(code_image(LINK), (50, 50))
    octets = saved(large)
    read = read_file(octets[:-40])
    assert said(read, Source.QR) == LINK
    assert not read.complete


@pytest.mark.parametrize(
    "octets",
    [
        picture(LINK)[:60],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
        b"\xff\xd8\xff" + b"\xff" * 500,
        b"GIF89a" + b"\xff" * 500,
        b"BM\0\0\0\0\0\0\0\0" + b"\xff" * 500,
        b"RIFF\xff\xff\xff\xffWEBPVP8L" + b"\xff" * 500,
    ],
)
def test_broken_pictures_are_misses(octets: bytes) -> None:
    read = read_file(octets)
    assert not read.complete
    assert read.segments == ()


def test_tiny_pictures_are_not_searched() -> None:
    read = read_file(encoded(Image.new("L", (40, 2_000), 255)))
    assert read.complete


def test_too_many_pixels_are_a_miss() -> None:
    # Few octets that unpack to a hundred megabytes.
    huge = saved(Image.new("1", (12_000, 9_000), 1))
    assert len(huge) < 100_000
    assert not read_file(huge).complete


def test_the_budget_of_pictures_ends() -> None:
    budget = Budget.of_message()
    budget.images = 1
    assert read_file(picture(LINK), budget=budget).complete
    late = read_file(picture(LINK), budget=budget)
    assert not late.complete
    assert late.segments == ()


def test_the_budget_of_pixels_ends() -> None:
    budget = Budget.of_message()
    budget.pixels = 1_000_000
    assert not read_file(picture(LINK, size=1_200), budget=budget).complete


def test_pictures_within_html() -> None:
    octets = picture(LINK)
    assert images_in(f"<p>x</p>{data_uri(octets)}") == (octets,)
    assert images_in(data_uri(octets).replace("=", "%3D")) == (octets,)
    assert images_in("<img src='data:image/png;base64,@'> ;base64,") == ()
    assert len(images_in(data_uri(octets) * 30)) == 10
