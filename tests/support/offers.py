"""Sentences that offer a name or number on a service, for every service alike.

`{app}` is the service, `{name}` a user name, `{number}` a telephone number. All are written for
these tests; names and numbers are invented or reserved for fiction.
"""

from typing import Final

# Names that are nothing else, and names that are words too: those need a context.
SURE: Final = (
    "WhatsApp", "WeChat", "Telegram", "KakaoTalk", "Viber", "Zalo", "Threema", "Skype", "Snapchat",
    "BOTIM", "DingTalk", "BatChat", "Eitaa", "Feishu",
)  # fmt: skip
WORDS: Final = (
    "Signal", "LINE", "QQ", "Discord", "Wire", "SimpleX", "Matrix", "imo", "Potato", "MAX", "Bale",
    "Session",
)  # fmt: skip
USER_NAMES: Final = ("quietharbour", "lan_river88", "mira.41", "hugo73")
NUMBERS: Final = ("+44 7700 900123", "07700 900123", "514-555-0123")

NAMED: Final = (
    "Let us continue on {app}, my handle there is {name}.",
    "Please move to {app}; find me as {name}.",
    "I prefer {app}, search for {name}.",
    "Add {name} on {app} tonight.",
    "On {app} add {name}, then we talk.",
    "My {app} is {name}.",
    "My {app} name is {name}",
    "You can reach me on {app} as {name}.",
    "You will find me at {name} on {app}.",
    "I am {name} on {app}.",
    "I'm on {app} under {name}.",
    "My username on {app} is {name}",
    "Message {name} on {app} when ready",
    "Text user {name} on {app}.",
    "Write me on {app}:\n{name}",
    "I use {app}.\nID: {name}",
    "I use {app}. Username: {name}",
    "ping me on {app}, {name}, any time",
    "Retrouvez-moi sur {app}, mon identifiant est {name}.",
    "Sur {app}, cherchez {name}.",
    "Mon {app} : {name}",
    "Je suis {name} sur {app}.",
    "Ajoutez {name} sur {app}.",
    "Mon pseudo {app} : {name}",
    "Auf {app} finden Sie mich als {name}.",
    "Mein {app}-Name ist {name}.",
    "Schreiben Sie mir auf {app}: {name}",
    "Suchen Sie auf {app} nach {name}.",
    "En {app} soy {name}.",
    "Mi usuario de {app} es {name}.",
    "Búsqueme en {app} como {name}.",
    "No {app} sou {name}.",
    "Meu usuário no {app} é {name}.",
    "Me procura no {app} por {name}",
    "Мой ник в {app}: {name}",
    "Пишите в {app}, я там {name}.",
    "В {app} найдите {name}",
    "В {app} меня зовут {name}.",
    "{app} 아이디는 {name}입니다.",
    "{app}으로 연락 주세요, 아이디 {name}",
    "{app}에서 {name} 검색해 주세요",
    "حسابي على {app} هو {name}.",
    "تجدني على {app} باسم {name}.",
    "معرفي في {app}: {name}",
    "ابحث عن {name} في {app}.",
    "加我{app}：{name}",
    "我的{app}号是{name}",
    "{app}上搜{name}就能找到我",
    "请加{app} {name} 详聊",
    "我在{app}上叫{name}",
    "我的{app}帳號是{name}",
    "請加我{app}，ID：{name}",
)

NUMBERED: Final = (
    "Call me on {app} {number}.",
    "My {app} number is {number}.",
    "{number}, also on {app}.",
    "Phone {number}, same on {app}",
    "Sur {app} au {number}.",
    "Joignez-moi sur {app} : {number}",
    "Écrivez-moi au {number} ({app}).",
    "Mon numéro {app} : {number}",
    "Même numéro sur {app} : {number}",
    "Auf {app} unter {number} erreichbar.",
    "Mein {app}: {number}",
    "Mi {app} es {number}.",
    "Escríbame al {number} por {app}.",
    "Meu {app}: {number}",
    "Мой {app}: {number}",
    "Пишите в {app} на {number}.",
    "رقمي على {app}: {number}",
    "{app}號碼：{number}",
)

# Lines of a signature: only what can be nothing else counts without a sentence around it.
LINES: Final = (
    "{app}: {name}",
    "{app} - {name}",
    "{app} = {name}",
    "{app} / {name}",
    'Contact: {app} "{name}"',
    "{app} ID: {name}",
    "{app} @{name}",
)

# The same words without an offer: none of them holds a handle.
NO_OFFERS: Final = (
    "{app} is available for everyone.",
    "I am available on {app} tomorrow.",
    "My {app} is broken again.",
    "Add colleagues on {app}, please.",
    "We talked on {app}, however, nothing came of it.",
    "search for updates on {app}",
    "My {app} account is blocked.",
    "Please write to me on {app}.",
    "Ask Maria about {app} on Monday.",
    "Je suis disponible sur {app} demain.",
    "Cherchez des nouvelles sur {app}.",
    "Mon compte {app} est bloqué.",
    "Ich bin auf {app} erreichbar.",
    "Suchen Sie auf {app} nach Gruppen.",
    "Mi {app} no funciona.",
    "Estoy disponible en {app}.",
    "Meu {app} parou de funcionar.",
    "Мой {app} не работает.",
    "제 {app} 계정은 없습니다.",
    "我的{app}坏了。",
)
