"""Does the writer announce that somebody else will write? A rule list in the languages of the lists.

"My client will write to you", "ein Kollege meldet sich bei Ihnen": a third party of the writer's
own, a verb of getting in touch, and the reader. It weighs nothing by itself: honest people announce
colleagues every day. Memory asks it when somebody else then writes. What is denied ("our partners
will never contact you") is not announced. Refuses to read quoted text and attachments.

Failure: none; time is linear in the text (gaps are short and fixed).
"""

import re
from collections.abc import Iterable
from typing import Final

from nlp.analysis import TextSegment
from nlp.folding import fold

_MOST: Final = 20_000
_SECTIONS: Final = frozenset({"subject", "body"})
_DENIED: Final = (
    r"(?!(?:not|never|nicht|nie|niemals|keinesfalls|ne|no|nunca|jamais|nao|не|никогда)\b)"
)
_GAP: Final = rf",?(?: {_DENIED}(?:[^\s.!?;:]+|\w{{1,4}}\.(?= ))){{0,5}}?"
_NEAR: Final = r"[^.!?。！？؟\n]{0,24}?"

_PARTIES: Final = {
    "en": r"(?:client|customer|partner|colleague|associate|director|boss|principal|manager|friend"
    r"|superior|assistant|counterpart|contact|representative|sponsor|team lead)(?:'s)?",
    "fr": r"(?:clien(?:t|te)|partenaire|associee?|collegue|direct(?:eur|rice)|collaborat(?:eur|rice)"
    r"|responsable|commanditaire|donneur d'ordre|superieure?|patronn?e?|ami|amie|assistante?)",
    "de": r"(?:kunde|kundin|auftraggeber(?:in)?|partner(?:in)?|kollege|kollegin|chef(?:in)?"
    r"|vorgesetzter?|mandant(?:in)?|direktor(?:in)?|geschaftsfuhrer(?:in)?|leiter(?:in)?"
    r"|mitarbeiter(?:in)?|freund(?:in)?|assistent(?:in)?)",
    "es": r"(?:cliente|clienta|soci[oa]|colega|companer[oa]|jef[ea]|director[a]?|superior|amig[oa]"
    r"|gerente|asistente)",
    "pt": r"(?:cliente|soci[oa]|parceir[oa]|colega|chefe|diretora?|contratante|gerente|amig[oa]"
    r"|assistente)",
    "ru": r"(?:заказчик|клиент|партнер|коллега|руководитель|директор|начальник|шеф|представитель"
    r"|помощник|друг|помощница)",
    "zh": r"(?:客户|委托方|委托人|合作方|合作伙伴|伙伴|同事|老板|领导|上司|总监|经理|负责人|主管|朋友|助理)",
    "ko": r"(?:고객사?|의뢰인|의뢰처|파트너|동료|상사|대표|담당자|팀장|이사|책임자)",
    "ar": r"(?:عميلنا|عميلي|زبوننا|شريكنا|شريكي|زميلي|زميلتي|زميلنا|مديري|مديرنا|موكلي|موكلنا|صديقي"
    r"|مساعدي|ممثلنا)",
}
_SAYINGS: Final = {
    "en": (
        r"\b(?:my|our|the|a|one of (?:my|our)) {party}s?{gap} (?:will|is going to|would like to|wants to"
        r"|intends to|is about to|shall) (?:then |also |now |soon |shortly |directly |personally )?"
        r"(?:(?:write|contact|e-?mail|mail|message|call|approach|get back|drop|send)(?: to)? you\b"
        r"|reach out|get in touch|be in touch|write directly|contact you)",
        r"\byou will (?:then |soon |shortly )?(?:hear from|be contacted by"
        r"|(?:get|receive) an? (?:e-?mail|mail|message|note) from) (?:my|our|the) {party}",
        r"\bi (?:have asked|asked|will ask|will have|will let) (?:my|our|the) {party}{gap}"
        r" (?:write|contact|e-?mail|reach out|get in touch|call)",
    ),
    "fr": (
        r"\b(?:mon|ma|notre|le|la|un de nos|une|un) {party}s?{gap} (?:vous|te|t'|se|prendra|entrera|va|doit"
        r"|viendra) ?(?:vous |te )?(?:ecrira|contactera|recontactera|joindra|appellera|adressera"
        r"|enverra|ecrire|contacter|joindre|appeler|mettra en|contact avec vous|en contact avec vous)",
        r"\bvous (?:serez contactee?s? par|recevrez un (?:message|mail|courriel|e-?mail) de) (?:mon|ma"
        r"|notre) {party}",
    ),
    "de": (
        r"\b(?:mein|meine|unser|unsere|der|die|ein|eine) {party}{gap} (?:wird|mochte|will)"
        r"(?: (?:ihnen|sie|dir|dich|sich|mit|bei)){{1,3}}{gap}"
        r" (?:schreiben|melden|kontaktieren|anschreiben|setzen|aufnehmen|anrufen|wenden)",
        r"\b(?:mein|meine|unser|unsere|ein|eine) {party}{gap} (?:meldet sich|schreibt)(?: \S+){{0,2}}? (?:bei )?"
        r"(?:ihnen|dir)",
        r"\bmeldet sich (?:mein|meine|unser|unsere|ein|eine) {party}",
    ),
    "es": (
        r"\b(?:mi|nuestr[oa]|el|la|un|una) {party}{gap} (?:(?:le|te|os|les) (?:escribira|contactara|llamara"
        r"|enviara|mandara|va a (?:escribir|contactar|llamar))|se pondra en contacto"
        r"|va a (?:escribirle|contactarle|llamarle|escribirte|ponerse en contacto))",
        r"\brecibira un (?:correo|mensaje) de (?:mi|nuestr[oa]) {party}",
    ),
    "pt": (
        r"\b(?:meu|minha|nosso|nossa|o|a|um|uma) {party}{gap} (?:(?:vai|ira|deve) (?:lhe |te )?(?:escrever"
        r"|contac?tar|ligar|procurar|entrar em contac?to|enviar)|entrara em contac?to"
        r"|(?:lhe )?(?:escrevera|contac?tara|ligara)|escrever-lhe-a)",
        r"\b(?:recebera|vai receber) (?:um|uma) (?:e-?mail|mensagem) d[oae] (?:meu|minha|noss[oa]) {party}",
    ),
    "ru": (
        r"\b(?:мой|моя|наш|наша|сам) {party}{gap} (?:вам |тебе |с вами |с тобой |к вам |сам |лично )*"
        r"(?:напишет|свяжется|обратится|позвонит|выйдет на связь|пришлет)",
        r"\b(?:с вами|с тобой|вам|тебе|к вам){gap} (?:свяжется|напишет|обратится|позвонит)"
        r"(?: мой| моя| наш| наша)? {party}",
    ),
    "zh": (
        r"(?:我的|我们的|我们|我方|本|那边的)?{party}[^。！？\n不别勿没]{{0,14}}?(?:会|将|稍后|随后|过几天)"
        r"[^。！？\n不别勿没]{{0,8}}?联(?:系|繫|络)(?:您|你)",
        r"(?:我的|我们的|我们|我方|本|那边的)?{party}[^。！？\n不别勿没]{{0,14}}?(?:会|将|稍后|随后|过几天)"
        r"[^。！？\n不别勿没]{{0,8}}?(?:给(?:您|你)(?:写|发|来|打)|写信给(?:您|你)|与(?:您|你)联|跟(?:您|你)联|和(?:您|你)联)",
    ),
    "ko": (
        r"(?:저희|제|우리|당사) ?{party}{near}(?:연락|메일|이메일|메시지|전화)(?:을|를|이|으로|로)? ?"
        r"(?:직접 |곧 |따로 )?(?:연락|연락을)? ?(?:드릴|보낼|할|갈|드리겠|하실|주실|보내실)",
    ),
    "ar": (
        r"{party}{near} ?(?:سيكتب|سيتواصل|سيراسل|ستتواصل|ستكتب|سيتصل|ستراسل|ستتصل)",
        r"(?:سيكتب|سيتواصل|سيراسلك|ستتواصل|ستكتب|سيتصل) ?{near}{party}",
    ),
}
_ANNOUNCES: Final = {
    language: tuple(
        re.compile(saying.format(gap=_GAP, near=_NEAR, party=_PARTIES[language]))
        for saying in sayings
    )
    for language, sayings in _SAYINGS.items()
}


def announces_somebody(segments: Iterable[TextSegment], languages: Iterable[str]) -> bool:
    """True if the writer's own text, in these languages, says that somebody else will write."""
    sayings = [saying for language in languages for saying in _ANNOUNCES.get(language, ())]
    return any(
        saying.search(text)
        for segment in segments
        if segment.source in _SECTIONS
        for text in (" ".join(fold(segment.text[:_MOST].lower()).split()),)
        for saying in sayings
    )
