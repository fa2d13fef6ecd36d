"""The visible text of HTML: lines, hidden text, links, quotations; guards and the fallback."""

import pytest

from milter.mail.marker import banner_token
from milter.mail.reading import Defect, Link
from milter.read.html import read_html
from milter.read.html_fallback import strip_tags
from milter.read.html_guard import is_analysable
from milter.read.visibility import Hiding, hiding, hiding_selectors

KEY = b"a key"
TOKEN = banner_token(KEY, "Our banner")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("  much \n\t space  ", "much space"),
        ("a&nbsp;b&amp;&lt;c&gt;", "a b&<c>"),
        # What cuts a word in two for a program must not do so for us.
        ("W<b>hats</b>A<i></i>pp", "WhatsApp"),
        ("Whats<!-- x -->App", "WhatsApp"),
        ("Whats<![if !x]>App<![endif]>", "WhatsApp"),
        ("Whats</3>App", "WhatsApp"),
        ("Whats<x-made-up>App</x-made-up>", "WhatsApp"),
        ("Whats<o:p>App</o:p>", "WhatsApp"),
        ("Whats<span style='display:none'>zzz</span>App", "WhatsApp"),
        ("Whats<wbr>App", "WhatsApp"),
        ("<script>x</script><style>y{}</style><title>t</title>z", "z"),
        ("<noscript>shown in mail</noscript>", "shown in mail"),
        ("<pre>line 1\nline 2</pre>", "line 1\nline 2"),
        ("<div style='white-space: pre-wrap'>line 1\nline 2</div>", "line 1\nline 2"),
        ("<p>line 1\nstill line 1</p>", "line 1 still line 1"),
        ("<img alt='our logo'>text", "our logo text"),
        ("<img alt=''>text", "text"),
        ("", ""),
        ("plain text", "plain text"),
        ("<body>a</body>b", "ab"),
        ("a\0b", "ab"),
        ("<p>\ufdd0a\ufdd3</p>", "\ufffda\ufffd"),
    ],
)
def test_visible_text(html: str, text: str) -> None:
    read = read_html(html)
    assert read.text == text
    assert read.defect is None


@pytest.mark.parametrize(
    "html",
    [
        "<p style='display:none'>gone</p>",
        "<p style='DISPLAY : NONE !important'>gone</p>",
        "<p style='dis/**/play:none'>gone</p>",
        "<p style='visibility:hidden'>gone</p>",
        "<p style='font-size:0'>gone</p>",
        "<p style='font-size: 1px; color: #333'>gone</p>",
        "<p style='font:0/0 a'>gone</p>",
        "<p style='opacity:0'>gone</p>",
        "<p style='opacity:0.01'>gone</p>",
        "<p style='color:transparent'>gone</p>",
        "<p style='color:#FFF'>gone</p>",
        "<p style='color:rgb(255, 255, 255)'>gone</p>",
        "<p><font color='#ffffff'>gone</font></p>",
        "<p style='color:#123456;background-color:#123456'>gone</p>",
        "<p style='max-height:0;overflow:hidden'>gone</p>",
        "<p style='position:absolute;left:-9999px'>gone</p>",
        "<p style='text-indent:-9999px'>gone</p>",
        "<p hidden>gone</p>",
        "<style>.x{display:none}</style><p class='x'>gone</p>",
        "<style>a{color:red} p.x , #y { display : none }</style><p class='x'>gone</p>",
        "<div style='display:none'><p>gone</p></div>",
    ],
)
def test_hidden_text_is_told_apart(html: str) -> None:
    read = read_html(f"<p>seen</p>{html}")
    assert read.text == "seen"
    assert read.hidden == ("gone",)


@pytest.mark.parametrize(
    "html",
    [
        "<p style='display:block'>seen</p>",
        "<p style='text-decoration:none;border:none'>seen</p>",
        "<p style='color:#333'>seen</p>",
        "<td style='font-size:0px;padding:10px'><div style='font-size:13px'>seen</div></td>",
        "<p style='font-size:10px'>seen</p>",
        "<p style='font-size:0.9em'>seen</p>",
        "<p style='opacity:0.9'>seen</p>",
        "<p style='line-height:0;max-height:0'>seen</p>",
        "<div style='background:#000'><p style='color:#fff'>seen</p></div>",
        "<table><tr><td bgcolor='#003366'><font color='white'>seen</font></td></tr></table>",
        "<a style='color:#fff;background-color:#06c'>seen</a>",
        "<style>.dark{background:#000}</style><div class='dark'><p style='color:#fff'>seen</p></div>",
        "<style>@media (max-width:600px){.x{display:none}}</style><p class='x'>seen</p>",
        "<style>.y{display:none}</style><p class='x'>seen</p>",
        "<p style='position:relative;left:-4px'>seen</p>",
        "<p style='mso-hide:all'>seen</p>",
    ],
)
def test_what_layout_tools_write_is_visible(html: str) -> None:
    read = read_html(html)
    assert read.text == "seen"
    assert read.hidden == ()


def test_hidden_within_hidden_is_read_once() -> None:
    read = read_html("<div hidden>a<p style='display:none'>b<i hidden>c</i></p></div>d")
    assert read.text == "d"
    assert sorted("".join(read.hidden)) == ["a", "b", "c"]


def test_links() -> None:
    read = read_html(
        "<a href='https://example.org/a?b=1&amp;c=2'>shown <b>text</b></a>"
        "<a href='https://example.net/'><img alt='logo'></a><a name='x'>no link</a>"
        "<a href='#top'>up</a><area href='mailto:a@example.org'>"
        "<form action='https://example.com/post'></form>"
        "<p hidden><a href='https://hidden.test/'>h</a></p>"
        "<svg><a xlink:href='https://svg.test/'>s</a></svg>",
        part="2",
    )
    assert set(read.links) == {
        Link(target="https://example.org/a?b=1&c=2", shown="shown text", part="2"),
        Link(target="https://example.net/", shown="", part="2"),
        Link(target="mailto:a@example.org", shown="", part="2"),
        Link(target="https://example.com/post", shown="", part="2"),
        Link(target="https://hidden.test/", shown="h", part="2", visible=False),
        Link(target="https://svg.test/", shown="s", part="2"),
    }


@pytest.mark.parametrize(
    ("html", "quoted", "indented", "signed"),
    [
        ("mine<blockquote type='cite'>old</blockquote>", ["old"], [], []),
        ("mine<blockquote class='gmail_quote'>old</blockquote>", ["old"], [], []),
        ("mine<blockquote class='protonmail_quote'>old</blockquote>", ["old"], [], []),
        ("mine<blockquote id='isReplyContent'>old</blockquote>", ["old"], [], []),
        ("mine<blockquote>old</blockquote>more", [], ["old"], []),
        ("a<blockquote type='cite'>b<blockquote type='cite'>c</blockquote></blockquote>d", ["b\nc"], [], []),
        ("mine<div class='gmail_signature'>Jane<br>Roe</div>", [], [], ["Jane\nRoe"]),
        ("mine<div class='moz-signature'>Jane</div>", [], [], ["Jane"]),
        ("mine<div id='Signature'>Jane</div>", [], [], ["Jane"]),
        ("<div class='gmail_quote'>not by class alone</div>", [], [], []),
    ],
)  # fmt: skip
def test_quotations_and_signatures(
    html: str, quoted: list[str], indented: list[str], signed: list[str]
) -> None:
    read = read_html(html)
    for spans, expected in (
        (read.quoted, quoted),
        (read.indented, indented),
        (read.signed, signed),
    ):
        assert [read.text[start:end].strip() for start, end in spans] == expected


def banner(words: str, *, prefix: str = "", signed: str = "") -> str:
    token = banner_token(KEY, signed or words)
    return f"<div class='{prefix}lw-{token}'><p>{words}</p></div>"


@pytest.mark.parametrize("prefix", ["", "x_"])
def test_our_own_banner_is_left_out(prefix: str) -> None:
    html = f"{banner('Careful with this mail.', prefix=prefix)}<p>text</p>"
    read = read_html(html, banner_key=KEY)
    assert read.text == "text"
    assert read.hidden == ()


@pytest.mark.parametrize(
    "html",
    [
        "<div class='lw-ffffffffffff'>Careful with this mail.</div>",
        banner("My WhatsApp is below.", signed="Careful with this mail."),
        banner("Careful with this mail. " * 500),
    ],
)
def test_a_foreign_banner_is_text_like_any_other(html: str) -> None:
    assert read_html(html, banner_key=KEY).text
    assert read_html(banner("ours")).text == "ours"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 5_000 + "text",
        "<div></x>" * 5_000 + "text",
        "<x " + " ".join(f"a{number}" for number in range(30_000)) + ">text",
        "<p>" + "".join(f"<b id={n}>" for n in range(900)) + "</p>" + "<p>text</p>" * 900,
        "text" + " " * 2_000_000,
    ],
)
def test_what_would_be_slow_is_stripped_of_tags(html: str) -> None:
    assert not is_analysable(html)
    read = read_html(html)
    assert read.defect is Defect.HTML_NOT_ANALYSED
    assert "text" in read.text


@pytest.mark.parametrize(
    "html",
    [
        "<table>" + "<tr><td><b>x</b><img src='y' width=1 height=2></td></tr>" * 3_000 + "</table>",
        "<img src='data:image/png;base64," + "A" * 100_000 + "'>",
        "<p>a = b</p>" * 10_000,
    ],
)
def test_large_but_ordinary_html_is_analysed(html: str) -> None:
    assert is_analysable(html)


@pytest.mark.parametrize(
    ("html", "text", "targets"),
    [
        ("<p>a</p><p>b</p>", "a\nb", ()),
        ("W<b>hats</b>App", "WhatsApp", ()),
        ("a<!-- gone -->b<script>gone</script>c", "abc", ()),
        ("a<!-- never ends", "a never ends", ()),
        ("&lt;p&gt; &amp;", "<p> &", ()),
        (
            "<a href='https://example.org/?a=1&amp;b=2'>x</a>",
            "x",
            ("https://example.org/?a=1&b=2",),
        ),
        ('<A HREF="https://example.org/">x</A>', "x", ("https://example.org/",)),
        ("1 < 2", "1 < 2", ()),
        ("<p", "", ()),
    ],
)
def test_the_fallback(html: str, text: str, targets: tuple[str, ...]) -> None:
    assert strip_tags(html) == (text, targets)
    read = read_html(html, text_only=True)
    assert (read.text, read.defect) == (text, Defect.HTML_NOT_ANALYSED)


def test_style_sheets() -> None:
    sheet = (
        "/* .a{display:none} */ @import 'x'; .b{display:none} .c .d{display:none} e{display:none}"
    )
    assert hiding_selectors(sheet) == (".b",)
    assert hiding_selectors("@media print{.a{display:none}} .b{visibility:hidden}") == (".b",)
    assert hiding_selectors(".a{font-size:0}") == ()
    assert hiding_selectors("".join(f".a{n}{{display:none}}" for n in range(99)))[-1] == ".a19"


def test_kinds_of_hiding() -> None:
    assert hiding("color:#fff") is Hiding.ON_WHITE
    assert hiding("color:#fff;background:#000") is Hiding.NONE
    assert hiding("font-size:0px") is Hiding.OWN_TEXT
    assert hiding("") is Hiding.NONE


def test_a_style_is_judged_by_its_beginning() -> None:
    filling = "x:y;" * 5_000
    assert read_html(f"<p style='{filling};display:none'>seen</p>").text == "seen"
    assert read_html(f"<p style='display:none;{filling}'>gone</p>").text == ""
