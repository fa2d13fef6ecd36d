"""The banner says the right things, in both renderings, and carries nothing that acts."""

import colorsys
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.act.banner import BannerLevel, Reason, banner_level, banner_reasons, make_banner
from milter.act.banner_html import NOTICE, NOTICE_DARK, STRONG, STRONG_DARK, Palette
from milter.act.banner_plain import RULE, WIDTH, columns
from milter.act.banner_texts import LANGUAGES
from milter.act.shown import shown
from milter.mail.analysis import Analysis, Entity
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.verdict import Action, Label, Verdict, WeighedFinding
from tests.unit.act.by_hand import TEXTS, TOKEN, banner

NASTY = '<a href="https://chat.example.net">\'"></div><script>alert(1)</script>&nbsp;'


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.depth = 0
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.text += data


def weighed(
    code: str, weight: float, text: str = "", source: Source = Source.BODY
) -> WeighedFinding:
    evidence = Evidence(source=source, part="1", start=0, end=len(text), text=text)
    finding = Finding(code=code, check="language", evidence=(evidence,) if text else ())
    return WeighedFinding(finding=finding, family="f", weight_db=weight, summary="")


def verdict(
    *findings: WeighedFinding, may_hold: bool = False, label: Label = Label.LURE
) -> Verdict:
    return Verdict(label=label, score_db=30, probability=0.3, findings=findings, may_hold=may_hold)


@pytest.mark.parametrize(
    ("may_hold", "action", "label", "level"),
    [
        (False, Action.ANNOTATE, Label.LURE, BannerLevel.NOTICE),
        (False, Action.ANNOTATE, Label.INFO, BannerLevel.NOTICE),
        (True, Action.ANNOTATE, Label.LURE, BannerLevel.STRONG),
        (False, Action.QUARANTINE, Label.LURE, BannerLevel.STRONG),
        (False, Action.ANNOTATE, Label.LURE_MALWARE, BannerLevel.STRONG),
    ],
)
def test_level(may_hold: bool, action: Action, label: Label, level: BannerLevel) -> None:
    assert banner_level(verdict(may_hold=may_hold, label=label), action) is level


def test_the_heaviest_topics_are_named_once_each_with_what_the_mail_says() -> None:
    reasons = banner_reasons(
        verdict(
            weighed("NO_CLIENT", 3),
            weighed("OFFPLATFORM", 6, "add me on WhatsApp"),
            weighed("OFFPLATFORM_NO_HANDLE", 5, "another app"),
            weighed("R9", 10),
            weighed("SENSITIVE", 10, "figures that are not in the press"),
            weighed("FULL_TERMS", -3, "full terms"),
            weighed("APPROACH", 0, "an opportunity"),
            weighed("TRIAL", 2, "first a small piece"),
        ),
        None,
        TEXTS,
    )
    assert reasons == (
        Reason(topic="sensitive", seen="figures that are not in the press"),
        Reason(topic="channel", seen="add me on WhatsApp"),
        Reason(topic="client"),
    )


def test_a_long_clause_gives_way_to_the_handle_in_it() -> None:
    clause = "so that we can talk in peace please write to me over there: lin_den77"
    entity = Entity(
        type="handle",
        text="lin_den77",
        value="wechat:lin_den77",
        platform="wechat",
        source=Source.BODY,
        part="1",
        start=clause.index("lin_"),
        end=len(clause),
    )
    elsewhere = replace(entity, part="2", text="other")
    reasons = banner_reasons(
        verdict(weighed("OFFPLATFORM", 6, clause)),
        Analysis(language="en", entities=(elsewhere, entity)),
        TEXTS,
    )
    assert reasons == (Reason(topic="channel", seen="wechat lin_den77"),)


def pieces(*texts: str) -> Finding:
    """A finding whose evidence stands in this order, not side by side."""
    spans = tuple(
        Evidence(source=Source.BODY, part="1", start=at * 100, end=at * 100 + len(text), text=text)
        for at, text in enumerate(texts)
    )
    return Finding(code="SENSITIVE", check="language", evidence=spans)


@pytest.mark.parametrize(
    ("texts", "seen"),
    [
        (("client", "interested in", "discussion runs inside", "draft"),
         "client ... interested in ... discussion runs inside"),
        (("a short paper", "sample first", "if it fits"),
         "a short paper ... sample first ... if it fits"),
        (("per paper", "2,000 USD", "per paper"), "per paper ... 2,000 USD"),
        (("what is not in the press", "in the press"), "what is not in the press"),
        (("x" * 61, "budget drafts"), "budget drafts"),
        (("client",), ""),
        (("邮件里",), ""),
        (("不公开的内容",), "不公开的内容"),
        (("9,000",), "9,000"),
        ((), ""),
    ],
)  # fmt: skip
def test_the_mails_words_are_quoted_where_they_say_something(
    texts: tuple[str, ...], seen: str
) -> None:
    finding = WeighedFinding(finding=pieces(*texts), family="f", weight_db=5, summary="")
    assert banner_reasons(verdict(finding), None, TEXTS) == (Reason(topic="sensitive", seen=seen),)


def test_a_contact_is_quoted_before_everything_else() -> None:
    finding = replace(
        pieces("rather than to your office address, if you please, Sir", "me on Signal", "rosa"),
        code="OFFPLATFORM",
    )
    entity = Entity(
        type="handle", text="rosa", value="signal:rosa", platform="signal", source=Source.BODY,
        part="1", start=200, end=204,
    )  # fmt: skip
    reasons = banner_reasons(
        verdict(WeighedFinding(finding=finding, family="f", weight_db=5, summary="")),
        Analysis(language="en", entities=(entity,)),
        TEXTS,
    )
    assert reasons == (Reason(topic="channel", seen="me on Signal ... rosa"),)


def test_of_the_header_only_the_address_in_question_is_repeated() -> None:
    findings = (
        weighed("REPLY_TO_ELSEWHERE", 5, "a@example.net", Source.HEADER),
        weighed("PLATFORM_CLAIM", 4, "LinkedIn contact", Source.HEADER),
    )
    assert banner_reasons(verdict(*findings), None, TEXTS) == (
        Reason(topic="reply_to", seen="a[at]example[.]net"),
        Reason(topic="platform"),
    )


def test_without_a_known_reason_it_still_says_something() -> None:
    made = make_banner(
        level=BannerLevel.NOTICE,
        language="en",
        reasons=(),
        texts=TEXTS,
        contact="",
        report_url="",
        sign=lambda _words: TOKEN,
    )
    assert "rarely combine" in made.texts[0]
    assert "list" not in made.html
    assert "{contact}" not in made.texts[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", BannerLevel)
def test_both_renderings_say_the_same(language: str, level: BannerLevel) -> None:
    made = banner(language, level=level, seen="WhatsApp")
    words = TEXTS.languages[language]
    shown = " ".join(Elements(made.html).text.split())
    plain = "".join(made.texts[0].split())
    expected = [words.sentences[f"{level}_title"], words.sentences[f"{level}_advice"]]
    expected += [words.reasons["channel"], words.reasons["client"], "WhatsApp", "help@example.org"]
    for sentence in expected:
        assert " ".join(sentence.split()) in shown
        assert "".join(sentence.split()) in plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_is_ascii_with_role_language_and_marker(language: str) -> None:
    made = banner(language, seen="微信")
    elements = Elements(made.html)
    name, attributes = elements.tags[0]
    words = TEXTS.languages[language]
    assert made.html.isascii()
    assert elements.depth == 0
    assert name == "div"
    assert attributes["class"] == f"lw-{TOKEN}"
    assert attributes["role"] == "note"
    assert attributes["aria-label"] == words.sentences["label"]
    assert (attributes["lang"], attributes["dir"]) == (words.tag, words.direction)
    assert max(map(len, made.html.split("\n"))) <= 998


def test_html_holds_no_link_image_or_remote_content_unless_configured() -> None:
    made = banner(seen=shown("https://chat.example.net"))
    assert {name for name, _ in Elements(made.html).tags} <= {"div"}
    assert not re.search(r"(?i)https?:|url\(|src=|href=|@import|<style", made.html)


def test_the_configured_link_is_the_only_one() -> None:
    made = banner(seen=NASTY, report_url='https://intranet.example.org/report?a=1&b="2"')
    links = [attributes for name, attributes in Elements(made.html).tags if name == "a"]
    assert [link["href"] for link in links] == ['https://intranet.example.org/report?a=1&b="2"']
    assert "expected: https://intranet.example.org/report" in " ".join(made.texts[0].split())


def test_what_the_sender_wrote_stays_text() -> None:
    made = banner(seen=NASTY)
    elements = Elements(made.html)
    assert {name for name, _ in elements.tags} <= {"div"}
    assert elements.depth == 0
    assert "</div><script>" in elements.text


def test_every_element_defends_itself_against_style_sheets() -> None:
    for _, attributes in Elements(banner(report_url="https://example.org/r").html).tags:
        style = {
            name.strip(): value
            for name, value in (each.split(":", 1) for each in attributes["style"].split(";"))
            if value.endswith("!important")
        }
        assert {"all", "display", "visibility", "direction"} <= set(style)


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def inverted(colour: str) -> str:
    return "#" + bytes(255 - octet for octet in bytes.fromhex(colour[1:])).hex()


def lightness_inverted(colour: str) -> str:
    red, green, blue = (octet / 255 for octet in bytes.fromhex(colour[1:]))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    turned = colorsys.hls_to_rgb(hue, 1 - lightness, saturation)
    return "#" + bytes(round(channel * 255) for channel in turned).hex()


@pytest.mark.parametrize("palette", [NOTICE, NOTICE_DARK, STRONG, STRONG_DARK])
def test_contrast_is_enough_in_light_and_dark(palette: Palette) -> None:
    """WCAG 2.2: 1.4.6 for text (AAA), 1.4.11 for the border against the banner's own background."""
    assert contrast(palette.text, palette.background) >= 12
    assert contrast(palette.link, palette.background) >= 7
    assert contrast(palette.border, palette.background) >= 3


@pytest.mark.parametrize("palette", [NOTICE, STRONG])
@pytest.mark.parametrize("darkened", [inverted, lightness_inverted])
def test_a_mail_program_that_darkens_by_itself_keeps_it_legible(
    palette: Palette, darkened: Callable[[str], str]
) -> None:
    """Programs that do not know light-dark turn the colours of a light banner round themselves."""
    background = darkened(palette.background)
    assert contrast(darkened(palette.text), background) >= 7
    assert contrast(darkened(palette.link), background) >= 4.5


@pytest.mark.parametrize("level", BannerLevel)
def test_colours_of_both_modes_are_all_there_is(level: BannerLevel) -> None:
    light, dark = {
        BannerLevel.NOTICE: (NOTICE, NOTICE_DARK),
        BannerLevel.STRONG: (STRONG, STRONG_DARK),
    }[level]
    html = banner(level=level, report_url="https://example.org/r").html
    known = {getattr(one, name) for one in (light, dark) for name in Palette.__slots__}
    assert set(re.findall(r"(?<!&)#[0-9a-f]{6}", html)) == known
    for part in ("background", "text", "border", "link"):
        assert f"light-dark({getattr(light, part)},{getattr(dark, part)})!important" in html


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "pt"])
def test_the_usual_banner_is_small(language: str) -> None:
    assert len(banner(language, seen="WhatsApp +44 7700 900[-]1234").html) <= 3_100


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_text_is_boxed_wrapped_and_marked(language: str) -> None:
    lines = banner(language, seen="WeChat 联系 analyst and more of the same").texts[0].split("\n")
    assert lines[0] == RULE
    assert lines[-3:] == [RULE, f"[lw:{TOKEN}]", ""]
    assert all(columns(line) <= WIDTH for line in lines)
    assert not any(line.endswith(" ") or line.startswith((">", "From ")) for line in lines)


def test_wide_characters_count_twice() -> None:
    assert columns("邮件ab") == 6
    assert columns("e\u0301") == 1


def test_no_line_begins_with_closing_punctuation() -> None:
    for seen in ("甲" * length for length in range(1, 40)):
        for line in banner("zh-hans", seen=seen).texts[0].split("\n"):
            assert not line.lstrip().startswith(("，", "。", "、", "”"))


def test_korean_words_are_not_broken() -> None:
    words = set(" ".join(TEXTS.languages["ko"].sentences.values()).split())
    advice = TEXTS.languages["ko"].sentences["notice_advice"].split()
    text = banner("ko").texts[0]
    assert set(advice) <= set(text.split())
    assert words


def test_versions_of_the_text_end_with_what_fits_anywhere() -> None:
    made = banner("ru", seen="微信 abc")
    assert len(made.texts) == 4
    assert "微信" in made.texts[0]
    assert "微信" not in made.texts[1]
    assert made.texts[-1].isascii()


def test_english_has_no_doubled_version() -> None:
    assert len(banner("en").texts) == 1


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_any_quotation_keeps_the_form(seen: str, language: str) -> None:
    made = banner(language, seen=seen, contact=seen)
    assert made.html.isascii()
    assert Elements(made.html).depth == 0
    assert made.texts[-1].endswith(f"{RULE}\n[lw:{TOKEN}]\n")
