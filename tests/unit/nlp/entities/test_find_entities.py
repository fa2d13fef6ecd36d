"""All recognisers together: spans, order, overlaps, hidden text, fairness, hostile input, bounds."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.analysis import EntityResult, EntityType, ReadableText, TextSegment
from nlp.entities import find_entities
from tests.support.entities import entities, readable

PIECES = st.sampled_from(
    [
        "WhatsApp", "W h a t s A p p", "Tеlegram", "微信", "V信", "카톡", "واتساب", "Signal", "line", "my", "is", "on", ":", " ", "\n", ". ", ", ",
        "+44 7700 900123", "@maria_k", "lan_88", "t.me/maria_k", "https://wa.me/447700900123", "a.b@example.org", "name (at) host (dot) org",
        "1,500 USD", "500元", "per page", "每篇", "in cash", "Zhang Wei", "My name is", "Best regards,\n", "李静", "我叫", "our client", "委托方",
        "12 March 2026", "3月12日", "Northbridge Advisory Ltd", "based in", "Lisbon", "offer.pdf", "\u200b", "ﬁ", "½", "é", "e\u0301", "😀", "(", ")",
    ]
)  # fmt: skip
MAIL = st.lists(PIECES, max_size=14).map("".join)
CHANNEL = {EntityType.URL, EntityType.HANDLE, EntityType.PHONE, EntityType.PLATFORM}


@settings(max_examples=150, deadline=None)
@given(MAIL, MAIL, st.integers(0, 50))
def test_spans_are_slices_of_the_original_in_order_without_overlap(
    body: str, signature: str, base: int
) -> None:
    segments = (
        TextSegment(source="body", part="1", text=body),
        TextSegment(source="signature", part="1", text=signature, base=base),
    )
    found = find_entities(ReadableText(segments=segments))
    for segment in segments:
        own = [entity.span for entity in found if entity.span.source == segment.source]
        for span in own:
            start, end = span.start - segment.base, span.end - segment.base
            assert 0 <= start < end <= len(segment.text)
            assert segment.text[start:end] == span.text
            assert span.part == "1"
        for first, second in pairwise(own):
            assert (first.start, first.end) == (
                second.start,
                second.end,
            ) or first.end <= second.start


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read(text: str) -> None:
    for entity in entities(text):
        assert text[entity.span.start : entity.span.end] == entity.span.text
        assert entity.value


@settings(max_examples=100, deadline=None)
@given(MAIL)
def test_only_channels_share_a_place(body: str) -> None:
    places: dict[tuple[int, int], set[EntityType]] = {}
    for entity in entities(body):
        places.setdefault((entity.span.start, entity.span.end), set()).add(entity.type)
    assert all(len(kinds) == 1 or kinds <= CHANNEL for kinds in places.values())


def test_a_whole_letter() -> None:
    text = (
        "Dear Emily,\n\nMy name is Zhang Wei, I'm a consultant at Northbridge Advisory based in London. "
        "A partner of ours would like a short paper on semiconductor policy by 12 March 2026, honorarium "
        "1,500 USD per page. WhatsApp +44 7700 900123 or zw@gmail.com.\n\nBest regards,\nZhang Wei"
    )
    assert [(e.type.value, e.value) for e in entities(text)] == [
        ("person", "emily"),
        ("person", "zhang wei"),
        ("role", "consultant"),
        ("org", "northbridge advisory"),
        ("location", "london"),
        ("org", "a partner of ours"),
        ("sector", "semiconductors"),
        ("date", "2026-03-12"),
        ("money", "1500 USD per_page"),
        ("platform", "whatsapp"),
        ("handle", "whatsapp:+447700900123"),
        ("phone", "+447700900123"),
        ("emailaddr", "zw@gmail.com"),
        ("person", "zhang wei"),
    ]


def test_hidden_text_is_flagged() -> None:
    hidden = (TextSegment(source="body", part="2", text="Telegram: @maria_k"),)
    found = find_entities(ReadableText(segments=(), hidden=hidden))
    assert {e.type for e in found} == {EntityType.PLATFORM, EntityType.HANDLE}
    assert all("hidden" in e.flags for e in found)


def test_disguised_handles_are_flagged() -> None:
    found = [e for e in entities("t.me/ma\u200bria_k") if e.type == EntityType.HANDLE]
    assert [(e.value, e.flags) for e in found] == [("telegram:maria_k", ("link", "obfuscated"))]


def test_empty_mail() -> None:
    assert find_entities(ReadableText(segments=())) == ()
    assert find_entities(readable("", "")) == ()


def test_the_same_mail_gives_the_same_result() -> None:
    text = "WhatsApp/Telegram: +44 7700 900123, our client, 500元"
    assert entities(text) == entities(text)


# Fairness: what a mail says decides; who says it, where and with which brand does not.


def shape(found: tuple[EntityResult, ...]) -> list[tuple[EntityType, tuple[str, ...]]]:
    return [(entity.type, entity.flags) for entity in found]


LETTER = (
    "Dear {reader},\n\nmy name is {name}, I'm a consultant at {org}. We could meet in {city}. "
    "A partner of ours would like a short paper, honorarium 1,500 USD. "
    "Please add me on {app}: {phone}, or write to {mail}.\n\nBest regards,\n{name}\n{org}"
)
PLAIN = {
    "reader": "Emily",
    "name": "James Campbell",
    "org": "Northbridge Advisory",
    "city": "London",
    "app": "WhatsApp",
    "phone": "+44 7700 900123",
    "mail": "j.campbell@gmail.com",
}
SWAPS = {
    "reader": ["Wei", "Nguyễn", "Дарья", "Priya", "Chiamaka", "Lucía", "Noa"],
    "name": [
        "Zhang Wei", "Kevin Zhang", "Hsu Chia-Hao", "Kim Min-jun", "Haruka Sato", "Nguyễn Thu Hà", "Priya Sharma", "Layla al-Mansour",
        "Shirin Ahmadi", "Elif Yılmaz", "Olga Ivanova", "Дарья Смирнова", "Piotr Zieliński", "Lucía García", "João da Silva",
        "Eleni Papadopoulos", "Kwame Mensah", "Noa Ben-David", "Nanuq Kakkik", "Geneviève Tremblay",
    ],
    "org": ["Orenda Advisory", "Qiming Advisory", "Valmont Advisory", "Al Ofoq Advisory", "Severny Advisory"],
    "city": ["Singapore", "Shanghai", "Moscow", "Tehran", "Lagos", "Montréal", "São Paulo", "Seoul", "Dubai", "Warsaw"],
    "app": ["Telegram", "Viber", "Zalo", "KakaoTalk", "WeChat", "BOTIM", "iMessage"],
    "phone": ["+86 138 0013 8000", "+7 912 345 67 89", "+98 912 345 6789", "+234 803 123 4567", "+1 514 555 0123", "+999 12 345 6789"],
    "mail": ["a.b@qq.com", "a.b@163.com", "a.b@mail.ru", "a.b@naver.com", "a.b@proton.me", "a.b@gmx.de", "a.b@yahoo.co.jp"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("slot", "value"), [(slot, value) for slot, row in SWAPS.items() for value in row]
)
def test_swapping_identity_changes_no_type_and_no_flag(slot: str, value: str) -> None:
    plain = entities(LETTER.format(**PLAIN))
    swapped = entities(LETTER.format(**{**PLAIN, slot: value}))
    assert shape(swapped) == shape(plain)


HAN_LETTER = "{reader}您好，我叫{name}，来自{org}。委托方想请您写一篇分析，稿费2000元。加微信lan_88，电话{phone}。\n{name} 敬上"


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("reader", "晓丽"), ("reader", "家豪"), ("name", "张伟"), ("name", "陈静"), ("name", "许怡婷"), ("name", "欧阳宇轩"),
        ("org", "北桥研究社"), ("org", "云岭研究社"), ("phone", "+44 7700 900123"), ("phone", "+98 912 345 6789"),
    ],
)  # fmt: skip
def test_swapping_identity_in_chinese(slot: str, value: str) -> None:
    plain = {"reader": "王伟", "name": "李静", "org": "启明研究社", "phone": "+86 138 0013 8000"}
    assert shape(entities(HAN_LETTER.format(**{**plain, slot: value}))) == shape(
        entities(HAN_LETTER.format(**plain))
    )


@pytest.mark.parametrize(
    "addition",
    [
        "I am from Iran.",
        "I am a native speaker.",
        "Happy Lunar New Year!",
        "Eid Mubarak!",
        "Joyeuses fêtes !",
    ],
)
def test_origin_and_greetings_add_no_channel_money_or_flag(addition: str) -> None:
    text = "We would like to talk on WhatsApp."
    kinds = CHANNEL | {EntityType.MONEY, EntityType.CLEARANCE}
    plain = [e for e in entities(text) if e.type in kinds or e.flags]
    assert [e for e in entities(f"{text} {addition}") if e.type in kinds or e.flags] == plain


@pytest.mark.parametrize(
    "unit",
    [
        "1", "1 ", "1,", "a", "a.", "a-", "@", "a@", "+", "A ", "Aa ", "http://", "://", "\n", "微", "[.]", "one ", "$1 ", "WhatsApp ",
        "signal ", "WhatsApp: a1 ", "Dear ", "一", "(at)", "x at y dot ", "I am A", "our client ", "公司", "Best regards\n", "May 1 ", "이",
        "@aaa WhatsApp +447700900123 ", "t.me/abcde ", "\u200ba", "Tеlegram ", "w4 ", ".com", "name is A", "wa +1 ", "ü@", "((((", "a(at)b.c ",
    ],
)  # fmt: skip
def test_hostile_repetition_is_bounded(unit: str) -> None:
    began = time.perf_counter()
    found = entities(unit * (100_000 // len(unit)))
    assert time.perf_counter() - began < 8
    assert len(found) < 6000


def test_many_segments_and_links_are_bounded() -> None:
    segments = tuple(TextSegment(source="body", part=str(i), text="WhatsApp") for i in range(500))
    assert len(find_entities(ReadableText(segments=segments))) == 64
