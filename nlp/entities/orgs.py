"""Organisations: legal forms and kinds of house in the name, "from/at NAME", vague principals.

By structure only; no list of firms. A principal that stays unnamed ("our client", "委托方") is an
ORG with flag `vague` and the phrase as its value.
"""

import re

from nlp.analysis import EntityResult, EntityType
from nlp.entities.names import HAN, UPPER
from nlp.entities.passage import Passage

_CAPITALISED = rf"[{UPPER}][\w&’'.-]{{0,28}}"
_KIND_BEHIND = (
    "Inc|LLC|LLP|Ltd|Limited|PLC|plc|Corp|Corporation|Company|Co|GmbH|AG|SE|KG|SA|S\\.A|SAS|SARL|Srl|SRL|SpA|BV|NV|Oy|AB|AS|ApS|"
    "Pty|Pte|SL|Lda|Ltda|Advisory|Advisors|Advisers|Consulting|Consultants|Consultancy|Partners|Group|Groupe|Gruppe|Grupo|Institute|"
    "University|College|Foundation|Capital|Associates|Search|Recruitment|Recruiting|Staffing|Strategies|Strategy|Research|Solutions|"
    "Technologies|Labs|Laboratories|Council|Centre|Center|Agency|Ventures|Holdings|Analytics|Insights|Intelligence|Networks|Systems|"
    "Universität|Stiftung|Institut|Beratung|Personalberatung|Industries|Aerospace|Dynamics|Talent|Careers|Forum|Society|Academy|Journal"
)
_BEHIND = re.compile(
    rf"(?<![^\W_])(?:{_CAPITALISED}[ -](?:(?:&|and|of|for|de|for the|of the|et) )?){{1,4}}(?:{_KIND_BEHIND})\b\.?(?:,? (?:Inc|LLC|Ltd|GmbH|SA|Pte|Pty|Co|Limited)\b\.?)*"
)
_BEFORE = re.compile(
    r"(?<![^\W_])(?:Institut|Institute|Université|Universidad|Universidade|University|Universität|Instituto|Fondation|Fundación|"
    r"Fundação|Foundation|Cabinet|Groupe|Grupo|Centre|Centro|Center|Zentrum|Stiftung|École|Escuela|Escola|Ministère|Ministerio|"
    r"Ministério|Ministry|Department|Bureau|Agence|Agencia|Agência|Société|Sociedad|Conseil|Council|Academy|Akademie|Институт|"
    r"Университет|Центр|Фонд|Группа|Агентство|Компания|Академия)"
    rf" (?:(?:of|for|de|du|des|d['’]|del|da|do|für|zur|of the|для|the) ?){{0,2}}(?:«|\")?{_CAPITALISED}(?:(?: (?:and|et|y|e|und|de|of|и))? {_CAPITALISED}){{0,4}}(?:»|\")?"
)
_QUOTED = re.compile(
    r"(?:ООО|АО|ПАО|ОАО|ЗАО|НИИ|ФГУП|АНО|НКО|компани\w*|центр\w*|фонд\w*|агентств\w*|институт\w*) ?[«\"“][^»\"”\n]{2,60}[»\"”]"
)
_AFFILIATED = re.compile(
    r"(?<![^\W_])(?i:i am|i['’]m|i work|i recruit|we are|writing|calling|je suis|je travaille|ich bin|ich arbeite|trabajo|soy|sou|trabalho)"
    rf"[^.!?\n]{{0,48}}? (?:at|with|from|for|on behalf of|of|chez|pour|bei|von|en|de|na|da) (?:the )?(?P<org>{_CAPITALISED}(?: (?:& )?{_CAPITALISED}){{0,3}})"
)
_ON_BEHALF = re.compile(
    r"(?<![^\W_])(?i:on behalf of|representing|pour le compte de|au nom de|im auftrag (?:von|der)|im namen (?:von|der)|en nombre de|em nome d[aeo])"
    rf" (?:the )?(?P<org>{_CAPITALISED}(?: (?:& )?{_CAPITALISED}){{0,3}})"
)
_HAN_ORG = re.compile(
    rf"(?:[{HAN}A-Za-z0-9()]{{2,16}}?)(?:有限公司|集团|集團|研究院|研究所|研究社|研究中心|咨询公司|咨询|諮詢|顾问公司|顧問公司|大学|大學|学院|學院|智库|智庫|基金会|基金會|事务所|银行|猎头|獵頭|公司)"
)
_HAN_LEAD = re.compile(
    r"^(?:.*?(?:我是|我在|来自|來自|任职于|就职于|代表|我们是|我們是|叫|的|在|和|与|與|是))"
)
_HAN_GENERIC = frozenset("一家某这那本贵该您我你几")
_HANGUL_ORG = re.compile(
    r"(?:㈜|\(주\) ?|주식회사 ?)[\uac00-\ud7a3A-Za-z0-9]{2,20}|[\uac00-\ud7a3A-Za-z0-9]{2,12}(?:주식회사|그룹|연구소|연구원|대학교|컨설팅|재단|자문|서치|파트너스)(?![\uac00-\ud7a3]{3})"
)
_ARABIC_ORG = re.compile(
    r"(?:شركة|مؤسسة|معهد|جامعة|مركز|مجموعة|وكالة|مكتب)(?: [\u0621-\u064a]{2,16}){1,3}"
)


def find_orgs(passage: Passage) -> list[EntityResult]:
    """ORG entities, named and vague."""
    text = passage.text
    results = [
        passage.entity(
            EntityType.ORG, hit.start, hit.end, text[hit.start : hit.end].lower(), flags=("vague",)
        )
        for hit in passage.hits("principal")
    ]
    spans = [
        match.span()
        for pattern in (_BEHIND, _BEFORE, _QUOTED, _HANGUL_ORG, _ARABIC_ORG)
        for match in pattern.finditer(text)
    ]
    spans += [
        match.span("org")
        for pattern in (_AFFILIATED, _ON_BEHALF)
        for match in pattern.finditer(text)
    ]
    spans += _han_orgs(text)
    for start, end in spans:
        end -= len(text[start:end]) - len(text[start:end].rstrip(" .-'’"))
        results.append(passage.entity(EntityType.ORG, start, end, text[start:end].lower()))
    return results


def _han_orgs(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _HAN_ORG.finditer(text):
        lead = _HAN_LEAD.match(match.group())
        start = match.start() + (lead.end() if lead else 0)
        if match.end() - start >= 4 and text[start] not in _HAN_GENERIC:
            spans.append((start, match.end()))
    return spans
