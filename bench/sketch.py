"""How well sketches tell one text from another: `python -m bench.sketch`; docs/campaigns.md shows it.

Unrelated mails are those of two cases of the train corpus (twins share a case). Rewordings are
written pairs, and mails of the corpus of which a share of the words is replaced in runs of three.
"""

import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

from nlp import pipeline
from nlp.analysis import ReadableText, TextSegment
from nlp.entities import find_entities
from nlp.sketch import BANDS, bands_of, rare_words
from nlp.training.corpus import TrainingMail, read_corpus

SHARED: Final = 2
_SHARES: Final = (0.1, 0.2, 0.3, 0.4, 0.5)
_SAMPLE: Final = 2_000
_RUN: Final = 3
WRITTEN: Final = {
    "en": (
        "I came across your profile and was impressed by your years in ship propulsion. I work for a consulting firm that"
        " supports decision makers. Our client prefers to stay in the background for now and needs short written reports"
        " on where the industry is going. You are free to choose the topics, and each report is well paid.",
        "I have just read your profile and was struck by your long record in ship propulsion. I represent an advisory firm"
        " that supports decision makers. Our client would rather stay in the background for now and wants brief written"
        " papers on where the industry is heading. You may choose the topics freely, and every paper is well paid.",
    ),
    "fr": (
        "J'ai lu votre parcours avec beaucoup d'intérêt, surtout vos travaux sur les moteurs marins. Notre cabinet cherche"
        " un spécialiste capable de rédiger de courtes notes pour un client qui souhaite rester discret. Le sujet est libre,"
        " le délai est de deux semaines et chaque note est bien payée. Répondez-moi plutôt sur mon adresse personnelle.",
        "J'ai découvert votre parcours avec grand intérêt, en particulier vos travaux sur les moteurs marins. Notre cabinet"
        " recherche un expert capable d'écrire de brèves notes pour un client qui préfère rester discret. Le sujet est libre,"
        " le délai est de quinze jours et chaque note est très bien payée. Écrivez-moi plutôt à mon adresse personnelle.",
    ),
    "de": (
        "ich habe Ihren Lebenslauf mit großem Interesse gelesen, vor allem Ihre Arbeit an Antrieben. Wir suchen jemanden, der"
        " für unseren Kunden kurze Berichte schreibt. Der Kunde möchte vorerst nicht genannt werden. Die Themen wählen Sie"
        " selbst, bezahlt wird nach jedem Bericht, und niemand muss davon erfahren. Antworten Sie bitte privat.",
        "ich habe Ihren Lebenslauf sehr aufmerksam gelesen, besonders Ihre Arbeit an Antrieben. Wir brauchen jemanden, der"
        " für einen Kunden knappe Berichte schreibt. Der Kunde will vorerst nicht genannt werden. Die Themen bestimmen Sie"
        " selbst, bezahlt wird sofort nach jedem Bericht, und niemand sollte davon erfahren. Bitte antworten Sie privat.",
    ),
    "ru": (
        "я внимательно изучил ваш профиль и был впечатлён вашим опытом работы с двигателями. Наша компания ищет специалиста,"
        " который сможет писать короткие отчёты для заказчика. Заказчик пока не хочет называть себя. Темы вы выбираете сами,"
        " каждый отчёт оплачивается отдельно. Давайте продолжим разговор в мессенджере, почту я читаю редко.",
        "я с интересом прочитал ваш профиль и был впечатлён вашим опытом работы с двигателями. Наше агентство ищет эксперта,"
        " который мог бы писать небольшие отчёты для заказчика. Заказчик пока не готов называть себя. Темы вы определяете"
        " сами, каждый отчёт оплачивается сразу. Предлагаю продолжить разговор в мессенджере, почту я читаю редко.",
    ),
    "zh": (
        "我看到了您的履历，您在推进系统方面的多年经验令人印象深刻。我们的客户目前不便透露身份，需要一些关于行业趋势的简短书面报告。"
        "题目可以由您自己选择，每份报告完成后立即付款。我很少看这个邮箱，请加我的微信继续沟通。",
        "我读了您的履历，您在推进系统方面的丰富经验令人印象深刻。我们的客户暂时不便透露身份，想要几份关于行业趋势的简短书面报告。"
        "题目完全由您自己决定，每份报告完成后马上付款。我不常看这个邮箱，请加我的微信继续交流。",
    ),
    "ko": (
        "박사님의 경력을 관심 있게 읽었고 추진 분야의 오랜 경험에 깊은 인상을 받았습니다. 저희 고객은 아직 이름을 밝히기 어렵지만 산업 동향에"
        " 대한 짧은 보고서가 필요합니다. 주제는 직접 고르시면 되고 보고서마다 바로 보수를 드립니다. 이 메일은 자주 보지 않으니 메신저로 답을 주세요.",
        "박사님의 이력을 관심 있게 보았고 추진 분야의 풍부한 경험에 깊은 인상을 받았습니다. 저희 고객은 지금 이름을 밝히기 어렵지만 산업 동향을"
        " 다룬 간단한 보고서가 필요합니다. 주제는 자유롭게 고르시면 되고 보고서마다 즉시 보수를 드립니다. 이 메일은 거의 보지 않으니 메신저로 답을 주세요.",
    ),
    "ar": (
        "اطلعت على سيرتكم المهنية وأعجبتني خبرتكم الطويلة في المحركات البحرية. تبحث شركتنا عن خبير يكتب تقارير قصيرة لعميل يفضل"
        " عدم ذكر اسمه الآن. يمكنكم اختيار الموضوع بحرية، وندفع مقابل كل تقرير فور وصوله. أرجو أن نكمل الحديث عبر تطبيق آخر لأنني"
        " نادرا ما أقرأ هذا البريد.",
        "قرأت سيرتكم المهنية وأعجبتني خبرتكم الكبيرة في المحركات البحرية. تحتاج شركتنا إلى خبير يكتب تقارير موجزة لعميل يفضل عدم"
        " ذكر اسمه حاليا. يمكنكم تحديد الموضوع بحرية، وندفع مقابل كل تقرير عند وصوله. أرجو أن نكمل الحديث عبر تطبيق آخر لأنني قليلا"
        " ما أقرأ هذا البريد.",
    ),
}  # fmt: skip


class Known(NamedTuple):
    """What a mail is known again by."""

    case: str
    language: str
    bands: tuple[str, ...]
    shape: str
    rare: tuple[str, ...]
    words: list[str]


def main() -> None:
    """Print the tables."""
    with ProcessPoolExecutor(2) as pool:
        read = pool.map(known_by, read_corpus("train"), chunksize=100)
        mails = [mail for mail in read if mail is not None]
    print(f"mails past the screen {len(mails)}, with bands {sum(bool(one.bands) for one in mails)}")
    _unrelated(mails)
    _written()
    _reworded(mails)
    _shapes(mails)
    _cost()


def known_by(mail: TrainingMail) -> Known | None:
    """None where the screen let it go."""
    readable = _readable(mail.body.text, mail.name)
    result = pipeline.analyse(readable)
    if not result.screened:
        return None
    words = pipeline.masked_words(readable, result.entities)
    language = mail.language[:2]
    return Known(mail.case, language, result.sketch, result.shape, result.words, words)


def shared_by_pairs(keys: Iterable[tuple[str, Sequence[str]]]) -> Counter[int]:
    """How many pairs of different cases share how many keys; those that share none are not in it."""
    places: dict[str, list[int]] = defaultdict(list)
    cases = []
    for index, (case, own) in enumerate(keys):
        cases.append(case)
        for key in set(own):
            places[key].append(index)
    pairs: Counter[tuple[int, int]] = Counter()
    for found in places.values():
        pairs.update(
            (a, b) for at, b in enumerate(found) for a in found[:at] if cases[a] != cases[b]
        )
    return Counter(pairs.values())


def replaced(words: Sequence[str], others: Sequence[str], share: float) -> Iterator[str]:
    """A text of which about this share was written anew, in runs."""
    for start in range(0, len(words), _RUN):
        if random.random() < share:
            yield from random.choices(others, k=_RUN)
        else:
            yield from words[start : start + _RUN]


def _unrelated(mails: Sequence[Known]) -> None:
    sketched = [(one.case, one.bands) for one in mails if one.bands]
    pairs = len(sketched) * (len(sketched) - 1) // 2
    print(
        f"unrelated pairs {pairs}, sharing bands: {dict(sorted(shared_by_pairs(sketched).items()))}"
    )
    rare = shared_by_pairs((one.case, one.rare) for one in mails)
    print(f"unrelated pairs that share two rare words: {sum(rare[n] for n in rare if n > 1)}")


def _written() -> None:
    for language, (one, other) in WRITTEN.items():
        first, second = _words(one), _words(other)
        kept = sum((Counter(first) & Counter(second)).values()) / max(len(first), len(second))
        shared = len(set(bands_of(first)) & set(bands_of(second)))
        print(
            f"written {language}: {1 - kept:.0%} of the words changed, {shared} of {BANDS} bands shared"
        )


def _reworded(mails: Sequence[Known]) -> None:
    random.seed(6)
    by_language: dict[str, list[Known]] = defaultdict(list)
    for one in mails:
        if one.bands:
            by_language[one.language].append(one)
    for language, found in sorted(by_language.items()):
        others = [word for one in found for word in one.words]
        told = []
        for share in _SHARES:
            shared = [
                len(set(one.bands) & set(bands_of(list(replaced(one.words, others, share)))))
                for one in random.choices(found, k=_SAMPLE // 4)
            ]
            hit = sum(count >= SHARED for count in shared) / len(shared)
            told.append(f"{share:.0%}: median {statistics.median(shared):.0f}, found {hit:.0%}")
        print(f"replaced {language}: {'; '.join(told)}")


def _shapes(mails: Sequence[Known]) -> None:
    for least in (5, 6, 7, 8):
        shapes = [(one.case, (one.shape,)) for one in mails if len(one.shape.split()) >= least]
        pairs = len(shapes) * (len(shapes) - 1) // 2
        same = sum(shared_by_pairs(shapes).values())
        print(
            f"shapes of {least} moves: {len(shapes)} mails, {same / pairs:.1e} of unrelated pairs alike"
        )


def _cost() -> None:
    words = (_words(WRITTEN["en"][0]) * 4)[:200]
    for made in (bands_of, rare_words):
        started = time.perf_counter()
        for _ in range(1000):
            made(words)
        print(
            f"{made.__name__}: {(time.perf_counter() - started) * 1e3:.0f} µs for {len(words)} words"
        )


def _words(text: str) -> list[str]:
    readable = _readable(text)
    return pipeline.masked_words(readable, find_entities(readable))


def _readable(text: str, name: str = "") -> ReadableText:
    own = "\n".join(line for line in text.split("\n") if not line.startswith(">"))
    segment = TextSegment(source="body", part="", text=own)
    return ReadableText(segments=(segment,), names=(name,) if name else ())


if __name__ == "__main__":
    main()
