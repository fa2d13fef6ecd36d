"""Links and second mail addresses: plain, bare, defanged, wrapped, disguised."""

import base64

import pytest

from nlp.analysis import EntityType, LinkText
from nlp.entities import find_entities
from nlp.entities.emails import is_free_mail
from nlp.entities.unwrap import unwrapped
from tests.support.entities import entities, readable, texts_of, values


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://example.org/a?b=c#d.", "https://example.org/a?b=c#d"),
        ("see HTTP://Example.ORG/Path", "http://example.org/Path"),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("<https://example.org>", "https://example.org"),
        ('"https://example.org/x",', "https://example.org/x"),
        ("www.example.org/x)", "https://www.example.org/x"),
        ("visit example.com today", "https://example.com"),
        ("visit example.co.uk:8443/x", "https://example.co.uk:8443/x"),
        ("网址example.com，谢谢", "https://example.com"),
        ("https://example.org/a，谢谢", "https://example.org/a"),
        ("hxxps://bad[.]example[.]org/a", "https://bad.example.org/a"),
        ("bad[.]example[.]com", "https://bad.example.com"),
        ("bad(dot)example(dot)com/x", "https://bad.example.com/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"),
        ("https://user@example.org/", "https://example.org"),
        ("https://example.org:443/x", "https://example.org:443/x"),
        ("http://203.0.113.7/x", "http://203.0.113.7/x"),
        ("weblinkhttp://example.org/x", "http://example.org/x"),
    ],
)
def test_links(text: str, url: str) -> None:
    assert values(EntityType.URL, text)[0].removesuffix(":443") in (url, url.replace(":443", ""))


@pytest.mark.parametrize(
    "text",
    [
        "node.js and file.py",
        "README.md",
        "e.g. this.And",
        "reply.on this",
        "v1.2.3",
        "a.b.c",
        "10.am",
        "cb.cb",
        "...",
        "Mr.Smith",
    ],
)
def test_dots_that_make_no_link(text: str) -> None:
    assert values(EntityType.URL, text) == []


def test_defanged_links_are_flagged() -> None:
    found = [e for e in entities("hxxp://bad[.]example[.]org") if e.type == EntityType.URL]
    assert found[0].flags == ("obfuscated",)
    assert found[0].span.text == "hxxp://bad[.]example[.]org"


def defense_v3(url: str, run: str) -> str:
    saved = base64.urlsafe_b64encode(run.encode()).decode().rstrip("=")
    return f"https://urldefense.com/v3/__{url}__;{saved}!!abc$"


@pytest.mark.parametrize(
    ("wrapper", "target"),
    [
        (
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.org%2Fa%3Fb%3Dc&data=05%7C",
            "https://example.org/a?b=c",
        ),
        (
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__example.org_a-3Fb&d=DwM",
            "https://example.org/a?b",
        ),
        (
            "https://urldefense.proofpoint.com/v1/url?u=http://example.org/a&k=x",
            "http://example.org/a",
        ),
        (defense_v3("https:/example.org/a*b", "#"), "https://example.org/a#b"),
        (defense_v3("https://example.org/**A*c", "é#!"), "https://example.org/é#!c"),
        ("https://protect-eu.mimecast.com/s/AbCdEf?domain=example.org", "https://example.org"),
        ("https://www.google.com/url?sa=t&q=https://example.org/a", "https://example.org/a"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2F&h=x", "https://example.org/"),
        ("https://www.linkedin.com/safety/go?url=https%3A%2F%2Fexample.org", "https://example.org"),
        (
            "https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttps%253A%252F%252Fexample.org",
            "https://example.org",
        ),
        ("https://urldefense.com/v3/broken", "https://urldefense.com/v3/broken"),
        ("https://www.google.com/url?q=javascript:x", "https://www.google.com/url?q=javascript:x"),
        (
            "https://google.com.example.org/url?q=https://a.test",
            "https://google.com.example.org/url?q=https://a.test",
        ),
        ("https://example.org/?url=https://a.test", "https://example.org/?url=https://a.test"),
    ],
)
def test_wrappers_come_off(wrapper: str, target: str) -> None:
    assert unwrapped(wrapper) == target


def test_a_link_that_shows_something_else() -> None:
    link = LinkText(target="https://bad.example.net/x", shown="www.example.org", part="1")
    found = find_entities(readable("Go to www.example.org now", links=(link,)))
    urls = [(e.value, e.span.text, e.flags) for e in found if e.type == EntityType.URL]
    assert urls == [
        ("https://www.example.org", "www.example.org", ()),
        ("https://bad.example.net/x", "www.example.org", ("link",)),
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("write to A.Berg@Example.org.", "a.berg@example.org"),
        ("<a.berg+x@mail.example.co.uk>", "a.berg+x@mail.example.co.uk"),
        ("邮箱abc@example.com联系", "abc@example.com"),
        ("имя@пример.рф", "имя@пример.рф"),
        ("a＠example．org", "a@example.org"),
        ("name (at) host (dot) org", "name@host.org"),
        ("name [at] host [dot] org", "name@host.org"),
        ("name(at)host.org", "name@host.org"),
        ("name AT host DOT org", "name@host.org"),
        ("first dot last at host dot org", "first.last@host.org"),
        ("name @ host . org", "name@host.org"),
        ("nom arobase hote point org", "nom@hote.org"),
        ("nombre (arroba) host (punto) org", "nombre@host.org"),
        ("name собака host точка org", "name@host.org"),
        ("name 골뱅이 host 점 org", "name@host.org"),
        ("na\u200bme@host.org", "name@host.org"),
    ],
)
def test_mail_addresses(text: str, address: str) -> None:
    assert values(EntityType.EMAILADDR, text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "look at example.org now",
        "meet at noon",
        "@maria on the list",
        "a @ b",
        "5 @ 3.50",
        "we are at work. org chart",
    ],
)
def test_text_that_is_no_address(text: str) -> None:
    assert values(EntityType.EMAILADDR, text) == []


def test_disguised_addresses_are_flagged() -> None:
    found = [e for e in entities("name (at) host (dot) org") if e.type == EntityType.EMAILADDR]
    assert found[0].flags == ("obfuscated",)
    assert found[0].span.text == "name (at) host (dot) org"


def test_an_address_is_neither_link_nor_handle() -> None:
    found = entities("Telegram or 123456789@qq.com")
    assert [e.type for e in found] == [EntityType.PLATFORM, EntityType.EMAILADDR]


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "qq.com",
        "163.com",
        "mail.ru",
        "naver.com",
        "proton.me",
        "gmx.de",
        "yahoo.co.jp",
        "hotmail.fr",
    ],
)
def test_free_mail_is_one_class(domain: str) -> None:
    found = [e for e in entities(f"write to a.berg@{domain}") if e.type == EntityType.EMAILADDR]
    assert found[0].flags == ("freemail",)


@pytest.mark.parametrize(
    "address",
    ["a@example.org", "a@gmail.com.example.org", "a@mygmail.com", "a@yahoo-inc.example.com"],
)
def test_other_domains_are_not_free_mail(address: str) -> None:
    assert not is_free_mail(address)


def test_texts_of_links_are_whole() -> None:
    assert texts_of(EntityType.URL, "a https://example.org/x, b www.example.com!") == [
        "https://example.org/x",
        "www.example.com",
    ]
