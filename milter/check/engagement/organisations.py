"""Is it the same organisation, and does a domain bear its name?

Folds case, accents and legal forms (Ltd, GmbH, SARL, 有限公司, ООО …). A word that says only what
kind of house it is ("advisory", "research", "group", a region, a trade) names none: a domain made
of such a word is nobody's, and two names that share no more than that are two houses. Refuses to
ask a register, the DNS or a list of firms: whoever registers a name bears it, and the weight table
asks for authentication beside it.

Standards: RFC 5890 (A-labels are read as the letters they stand for).
Failure: none.
"""

import re
import unicodedata
from functools import lru_cache

from milter.check.engagement.shown_names import fold_word, word_set

_ACRONYM = 3
_LEGAL = word_set(
    """
    ltd limited inc incorporated llc llp lp plc corp corporation co company gmbh mbh ag kg
    kgaa ug ohg ev se sa sas sasu sarl srl spa snc bv nv vof oy oyj ab asa aps sp z o o zoo
    kft zrt rt sro as ou sia uab doo ood eood ad pte pty sdn bhd kk pvt ltda eireli sl slu
    sicav scs kabushiki kaisha ооо ао пао зао оао тоо ип тов ано нко شركه
    """
)
_LEGAL_UNSPACED = re.compile(
    "股份有限公司|有限责任公司|有限責任公司|有限公司|公司|株式会社|有限会社|合同会社|一般社団法人"
    "|주식회사|유한회사|㈜|\\(주\\)|\\(株\\)"
)
_SMALL = word_set(
    """
    the of and for de del della di des du da do dos das la le les el und fur der die das van
    et y e i и in at
    """
)
# Kinds of house, trades and regions, folded.
_KINDS = word_set(
    """
    advisory advisors advisers adviser advisor consulting consultants consultancy consultant
    group groupe gruppe grupo gruppo research researchers partner partners associates capital
    global international worldwide strategy strategies strategic strategie strategia
    estrategia solutions solution services service institute institut instituto istituto
    university universite universitat universidad universidade universita college school
    center centre zentrum centro central holding holdings ventures venture invest investment
    investments management intelligence insight insights analytics analysis policy policies
    studies search executive talent talents recruiting recruitment recruiters recruiter
    staffing hr human resources careers career jobs job hiring technology technologies
    technologie tecnologia tech digital data software systems system labs lab laboratory
    network networks foundation stiftung fondation fundacion fundacao fondazione agency agence
    agentur agencia agenzia bureau office buro kanzlei house council association society think
    tank forum project projects industries industry industrial engineering energy energie
    defence defense security securite sicherheit seguridad seguranca sicurezza aerospace
    aviation maritime health healthcare medical pharma biotech finance financial financier
    bank banking trade trading media press news journal review academy akademie academie
    academia beratung unternehmensberatung personalberatung conseil conseils cabinet
    consultores consultoria consulenza asesores asesoria asia pacific europe european eurasia
    africa american america americas china korea japan india russia france germany canada
    britain national federal world консалтинг консалтинговая группа институт центр компания
    агентство фонд исследования международный مجموعه مركز معهد شركه استشارات ابحاث دراسات
    مؤسسه 컨설팅 그룹 연구소 연구원
    """
)
_KIND_UNSPACED = re.compile(
    "(?:集团|集團|咨询|諮詢|顾问|顧問|研究院|研究所|研究社|研究中心|研究会|研究機構|中心|学院|智库"
    "|컨설팅|연구소|그룹|コンサルティング)$"
)
_SECOND_LEVELS = word_set(
    """
    co com org net ac gov edu or ne go gob gouv gv nom ltd plc asso in web
    """
)


@lru_cache(maxsize=2048)
def organisation_words(name: str) -> tuple[str, ...]:
    """The folded words of an organisation's name in order, without legal forms and small words."""
    plain = _LEGAL_UNSPACED.sub(" ", unicodedata.normalize("NFKC", name[:160]))
    plain = re.sub(r"(?<=\b\w)\.(?=\w\b)|['’]", "", plain)
    words = [fold_word(word) for word in re.findall(r"[^\W_]+", plain)]
    first, last = 0, len(words)
    while last - first > 1 and words[last - 1] in _LEGAL:
        last -= 1
    while last - first > 1 and words[first] in _LEGAL:
        first += 1
    kept = words[first:last]
    return tuple(word for word in kept if word not in _SMALL) or tuple(kept)


def same_organisation(one: str, other: str) -> bool:
    """The same name, or the same name of its own with less said of what kind of house it is."""
    a, b = organisation_words(one), organisation_words(other)
    if not a or not b:
        return False
    if a == b:
        return True
    own = _own_words(a)
    if not own or own != _own_words(b):
        return False
    kinds_a, kinds_b = set(a) - set(own), set(b) - set(own)
    return kinds_a <= kinds_b or kinds_b <= kinds_a


@lru_cache(maxsize=4096)
def bears_name(domain: str, organisation: str) -> bool:
    """True if the registered label of `domain` is the organisation's name, as people write it.

    All its words, or those of its own, or its initials (three or more). More words than the name
    has ("-careers", "-hr") are another name, and a label of one's own below somebody else's domain
    bears nothing.
    """
    label = registered_label(domain).replace("-", "")
    words = organisation_words(organisation)
    if not label or not words:
        return False
    named = {"".join(words), "".join(_own_words(words))}
    if len(words) >= _ACRONYM:
        named.add("".join(word[0] for word in words))
    if len(words) == 1 and words[0] in _KINDS:
        return False
    return label in named


def registered_label(domain: str) -> str:
    """The label before the top level, or before a two-part one such as `co.uk`; folded."""
    labels = domain.casefold().rstrip(".").split(".")
    at = len(labels) - 2
    if at > 0 and labels[at] in _SECOND_LEVELS and len(labels[-1]) == 2:
        at -= 1
    label = labels[max(at, 0)]
    if label.startswith("xn--"):
        try:
            label = label.encode("ascii").decode("idna")
        except UnicodeError:
            return label
    return fold_word(label)


def _own_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that say more than what kind of house it is."""
    bare = (_KIND_UNSPACED.sub("", word) or word for word in words)
    return tuple(word for word in bare if word not in _KINDS)
