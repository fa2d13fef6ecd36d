"""Two shown names of one person, in any script and order, and of two people."""

import pytest

from milter.check.engagement.names import Likeness, is_whole_name, likeness
from milter.check.engagement.organisations import bears_name, same_organisation

FULL = [
    ("Chia-Hao Lin", "Lin Chia Hao"),
    ("Chiahao Lin", "LIN, Chia-Hao"),
    ("Ka Yan Chan", "Chan Ka-Yan"),
    ("Daria Kamau, CPA", "Kamau Daria"),
    ("Dr. Daria Kamau PhD", "Daria Kamau (she/her)"),
    ("Prof. Dr. Katrin Weber", "Katrin Weber, M.A."),
    ("Daria Kamau she/her", "Daria Kamau (elle)"),
    ("Daria Kamau via LinkedIn", "Daria KAMAU 🌟"),
    ("Daria Kamau über XING", "Daria Kamau"),
    ("Daria Kamau | Talent Partner", "Daria Kamau"),
    ("Daria Kamau - Northbridge Advisory", "Kamau Daria"),
    ("Daria Kamau @ Northbridge", "Daria Kamau (LinkedIn)"),
    ("Daria Kamau at Northbridge", "Daria Kamau"),
    ("'Daria Kamau'", "Daria\u00a0Kamau"),
    ("Ｄａｒｉａ Ｋａｍａｕ", "Daria Kamau"),
    ("Wei Wang (王伟)", "王 伟"),
    ("Wei Wang (王伟)", "Wang Wei"),
    ("Wei Wang | 王伟", "王伟"),
    ("Wei Wang (Kevin)", "Kevin Wang"),
    ("王伟", "伟 王"),
    ("王伟先生", "王伟"),
    ("김지우", "지우 김"),
    ("김지우 님", "김지우"),
    ("さとう はるか", "はるかさとう"),
    ("マルコ・ロッシ", "ﾏﾙｺ ﾛｯｼ"),
    ("陈 Kevin", "Kevin 陈"),
    ("Đặng Bảo Trân", "Bao Tran Dang"),
    ("Jürgen Grünewald", "Juergen Gruenewald"),
    ("Jürgen Grünewald", "Jurgen Grunewald"),
    ("Søren Sørensen", "Soren Sorensen"),
    ("Åsa Kjærgaard", "Asa Kjaergaard"),
    ("Małgorzata Wiśniewska", "Malgorzata Wisniewska"),
    ("İbrahim Yıldız", "Ibrahim Yildiz"),
    ("Ayşe Öztürk", "OZTURK Ayse"),
    ("Groß Walter", "Walter Gross"),
    ("Ludovica D'Angelo", "D’Angelo Ludovica"),
    ("Harriet O'Callaghan", "Harriet O Callaghan"),
    ("Ximena de la Cruz", "Ximena Cruz"),
    ("Jean-Baptiste de Villiers", "Villiers Jean Baptiste"),
    ("Rania al-Rashid", "Rania Alrashid"),
    ("Rania al-Rashid", "Rania Rashid"),
    ("Tariq bin Hamad", "Hamad Tariq"),
    ("خالد الراشد", "راشد خالد"),
    ("أَحْمَد ناصـــر", "احمد ناصر"),
    ("عبد الله ناصر", "عبدالله ناصر"),
    ("Татьяна Волкова", "ВОЛКОВА Татьяна"),
    ("Фёдор Морозов", "Федор Морозов"),
    ("שירה בן-חיים", "בן חיים שירה"),
    ("प्रिया शर्मा", "शर्मा प्रिया"),
    ("สมชาย ใจดี", "ใจดี สมชาย"),
    ("Elizabeth (Liz) Carter", "Liz Carter"),
    ('James "Jim" Wright', "Jim Wright"),
    ("James R. Wright", "Wright James R."),
    # What is a title or a particle elsewhere is a name here.
    ("Wei Xing", "Xing Wei"),
    ("Ngozi Mba", "Mba Ngozi"),
    ("Ngozi Adeyemi MBA", "Ngozi Adeyemi"),
    ("Xiao Ming MA", "Ma Xiaoming"),
    ("Bin Wang", "Wang Bin"),
    ("Lê Thị Vân", "Van Le Thi"),
    ("Pan Wei Ling", "Weiling Pan"),
]
PART = [
    ("James R. Wright", "James Wright"),
    ("James R. Wright", "James Robert Wright"),
    ("James Robert Wright", "James Wright"),
    ("Дарья Ивановна Петрова", "Петрова Дарья"),
]
GIVEN = [
    ("Daria", "Daria Kamau"),
    ("Kamau", "Daria Kamau"),
    ("Daria K.", "Daria Kamau"),
    ("D. Kamau", "Daria Kamau"),
    ("Daria K.", "Daria K."),
    ("Lucía Fernández", "Lucía Fernández Rojas"),
    ("Minh Anh", "Nguyễn Minh Anh"),
    ("Chiahao", "Chia-Hao Lin"),
    ("Kayan", "Ka Yan Chan"),
    ("小明", "王小明"),
    ("지우", "김지우"),
    ("Frau Weber", "Katrin Weber"),
]
NONE = [
    ("Daria Kamau", "Daria Volkova"),
    ("Daria K.", "Daria Lysenko"),
    ("Daria K.", "Daria L."),
    ("James R. Wright", "James T. Wright"),
    ("Hao Li", "Haoran Li"),
    ("王伟", "王伟明"),
    ("王小明", "王明小"),
    ("林家豪", "林 佳豪"),
    ("陳怡婷", "陈怡婷"),
    ("प्रिया शर्मा", "प्रीया शर्मा"),
    ("Daria Kamau - Northbridge", "Eric Tan - Northbridge"),
    ("Daria Kamau (启明社)", "Eric Tan (启明社)"),
    ("Daria Lee (Northbridge)", "Daria Kamau (Northbridge)"),
    ("Лысенко Дарья", "Lysenko Daria"),
    ("", "Daria Kamau"),
    ("🌟🌟", "🌟🌟"),
    ("a@mail.example", "a@mail.example"),
]
TABLE = [
    (wanted, *pair)
    for wanted, pairs in (
        (Likeness.FULL, FULL),
        (Likeness.PART, PART),
        (Likeness.GIVEN, GIVEN),
        (Likeness.NONE, NONE),
    )
    for pair in pairs
]


@pytest.mark.parametrize(("wanted", "one", "other"), TABLE)
def test_names(wanted: Likeness, one: str, other: str) -> None:
    assert likeness(one, other) is wanted
    assert likeness(other, one) is wanted


def test_a_long_or_hostile_name_costs_little() -> None:
    assert likeness("a b " * 4_000, "b a " * 4_000) in set(Likeness)
    assert likeness("(" * 500, ")" * 500) is Likeness.NONE
    assert likeness("王" * 500, "王" * 500) is Likeness.FULL


@pytest.mark.parametrize(
    ("shown", "whole"),
    [("Daria", False), ("Daria K.", False), ("Daria Kamau", True), ("王伟", True), ("伟", False)],
)
def test_a_name_of_one_word_names_nobody_in_particular(shown: str, whole: bool) -> None:
    assert is_whole_name(shown) is whole


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Northbridge Advisory Ltd.", "NORTHBRIDGE ADVISORY", True),
        ("Northbridge", "Northbridge Advisory GmbH", True),
        ("Institut Valmont S.A.R.L.", "Institut Valmont", True),
        ("启明研究社有限公司", "启明研究社", True),
        ("ООО «Вектор»", "Вектор", True),
        ("주식회사 한빛", "한빛", True),
        ("شركة النخبة", "النخبة", True),
        ("Northbridge Advisory", "Northbridge Research", False),
        ("Advisory Group", "Consulting Group", False),
        ("Asia Strategy Partners", "Asia Policy Partners", False),
        ("", "Northbridge", False),
    ],
)
def test_one_organisation(one: str, other: str, same: bool) -> None:
    assert same_organisation(one, other) is same
    assert same_organisation(other, one) is same


@pytest.mark.parametrize(
    ("domain", "organisation", "bears"),
    [
        ("northbridge-advisory.example", "Northbridge Advisory", True),
        ("northbridgeadvisory.example", "Northbridge Advisory Ltd", True),
        ("mail.northbridge.co.uk", "Northbridge Advisory", True),
        ("institut-valmont.example", "L'Institut Valmont", False),
        ("valmont.example", "Institut Valmont", True),
        ("ceps.example", "Centre for European Policy Studies", True),
        ("xn--mnchner-werk-dlb.example", "Münchner Werk GmbH", True),
        ("advisory.example", "Northbridge Advisory", False),
        ("consulting-group.example", "Northbridge Consulting Group", False),
        ("research.example", "Research Ltd", False),
        ("northbridge-careers.example", "Northbridge Advisory", False),
        ("northbridge.attacker.example", "Northbridge Advisory", False),
        ("na.example", "Northbridge Advisory", False),
        ("europe.example", "Europe Policy Centre", False),
        ("northbridge.example", "", False),
    ],
)
def test_a_domain_bears_a_name(domain: str, organisation: str, bears: bool) -> None:
    assert bears_name(domain, organisation) is bears
