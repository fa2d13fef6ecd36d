"""Digests, footers and headlines in the languages of the recipients' accounts."""

import pytest

from milter.examine import examine
from milter.mail.reading import Facts
from tests.support.notices import HINTS, RECIPIENT_HEADLINE, Notice, signed
from tests.unit.read.notices.test_linkedin import words

# Language, name, subject, action, why it was sent, how to stop it.
DIGESTS = [
    ("en", "Mara", "Mara just messaged you", "Reply", "This email was intended for {name} ({headline})", "Unsubscribe"),
    ("fr", "Maëlle", "Maëlle vient de vous envoyer un message", "Répondre", "Cet e-mail était destiné à {name} ({headline})", "Se désabonner"),
    ("de", "Jörn", "Jörn hat Ihnen gerade eine Nachricht gesendet", "Antworten", "Diese E-Mail war für {name} ({headline}) bestimmt", "Abbestellen"),
    ("es", "Íñigo", "Íñigo te acaba de enviar un mensaje", "Responder", "Este correo electrónico estaba dirigido a {name} ({headline})", "Cancelar suscripción"),
    ("pt", "Conceição", "Conceição acabou de enviar uma mensagem a você", "Responder", "Este e-mail foi enviado para {name} ({headline})", "Cancelar inscrição"),
    ("it", "Noè", "Noè ti ha appena inviato un messaggio", "Rispondi", "Questa email è destinata a {name} ({headline})", "Annulla l’iscrizione"),
    ("nl", "Sjoerd", "Sjoerd heeft u zojuist een bericht gestuurd", "Beantwoorden", "Dit bericht was bedoeld voor {name} ({headline})", "Afmelden"),
    ("zh-hans", "若溪", "若溪刚刚给您发送了一条消息", "回复", "此邮件的收件人是 {name}（{headline}）", "退订"),
    ("zh-hant", "芷晴", "芷晴剛剛傳送了一則訊息給您", "回覆", "此郵件收件人為 {name}（{headline}）", "取消訂閱"),
    ("ru", "Святослав", "Святослав только что отправил(а) вам сообщение", "Ответить", "Это письмо предназначено для: {name} ({headline})", "Отписаться"),
    ("ko", "다온", "다온님이 회원님에게 메시지를 보냈습니다", "답장", "이 이메일은 {name}({headline})님께 발송되었습니다", "수신 거부"),
    ("ja", "みずき", "みずきさんからメッセージが届きました", "返信", "このメールは{name}({headline})様宛てに送信されました", "配信停止"),
    ("ar", "ليان", "أرسلت ليان رسالة جديدة", "رد", "هذه الرسالة موجهة إلى {name} ({headline})", "إلغاء الاشتراك"),
    ("tr", "Gökçe", "Gökçe size bir mesaj gönderdi", "Yanıtla", "Bu e-posta {name} ({headline}) için gönderildi", "Abonelikten çık"),
    ("pl", "Światosława", "Światosława wysłała do Ciebie wiadomość", "Odpowiedz", "Ta wiadomość była przeznaczona dla: {name} ({headline})", "Anuluj subskrypcję"),
    ("sv", "Åsa", "Åsa har precis skickat ett meddelande till dig", "Svara", "Det här mejlet är avsett för {name} ({headline})", "Avsluta prenumerationen"),
    ("cs", "Štěpánka", "Štěpánka vám právě poslala zprávu", "Odpovědět", "Tento e-mail je určen pro: {name} ({headline})", "Odhlásit"),
    ("uk", "Всеволод", "Всеволод щойно надіслав вам повідомлення", "Відповісти", "Цей лист призначено для: {name} ({headline})", "Відписатися"),
    ("id", "Wulan", "Wulan baru saja mengirim pesan kepada Anda", "Balas", "Email ini ditujukan untuk {name} ({headline})", "Berhenti berlangganan"),
    ("hi", "ईशा", "ईशा ने अभी आपको एक संदेश भेजा है", "जवाब दें", "यह ईमेल {name} ({headline}) के लिए है", "सदस्यता समाप्त करें"),
]  # fmt: skip


@pytest.mark.parametrize("parts", [("plain",), ("html",)])
@pytest.mark.parametrize(
    ("name", "subject", "action", "footer", "stop"), [one[1:] for one in DIGESTS],
    ids=[one[0] for one in DIGESTS],
)  # fmt: skip
def test_a_digest_in_this_language(name, subject, action, footer, stop, parts):
    notice = Notice(
        sender="LinkedIn", shown=name, address="messaging-digest-noreply@linkedin.com", reply_to="",
        subject=subject, template="email_member_message_v2", klass="", action=action, footer=footer,
        receiving="", unsubscribe=stop, parts=parts,
    )  # fmt: skip
    reading = examine(signed(notice.raw()), Facts(wants_text=True))
    assert reading.notice.kind == "message"
    assert (reading.notice.persona, reading.notice.first_name_only) == (name, True)
    said = words(reading)
    assert HINTS in said.replace("\n\n", "\n") or HINTS in said
    assert said.startswith("Hello Robin,")
    assert RECIPIENT_HEADLINE not in said
    assert "LinkedIn" not in said


@pytest.mark.parametrize(
    ("subject", "name"), [(one[2], one[1]) for one in DIGESTS], ids=[one[0] for one in DIGESTS]
)
def test_the_subject_alone_tells_a_message_where_no_template_does(subject, name):
    notice = Notice(sender="LinkedIn", subject=subject, template="", klass="").raw()
    read = examine(signed(notice), Facts()).notice
    assert (read.kind, read.persona) == ("message", name)


@pytest.mark.parametrize(
    "subject",
    [
        "[EXTERNAL] Mara just messaged you", "EXT: Mara just messaged you!",
        "\u2068Mara\u2069 just messaged you", "Mara  just messaged you.",
    ],
)  # fmt: skip
def test_what_surrounds_a_subject_does_not_matter(subject):
    notice = Notice(
        sender="LinkedIn", subject=subject, template="email_member_message_v2", klass=""
    )
    assert examine(signed(notice.raw()), Facts()).notice.persona == "Mara"


@pytest.mark.parametrize(
    ("subject", "kind", "name"),
    [
        ("Robin, start a conversation with your new connection, Mara Quell", "invitation", "Mara Quell"),
        ("Mara Quell accepted your invitation", "invitation", "Mara Quell"),
        ("Robin, please add me to your LinkedIn network", "invitation", ""),
        ("Robin, add Mara Quell - Consultant", "other", ""),
        ("Mara Quell, add Robin", "other", ""),
        ("3 new messages", "other", ""),
    ],
)  # fmt: skip
def test_invitations_and_suggestions(subject, kind, name):
    notice = Notice(sender="LinkedIn", subject=subject, template="", klass="").raw()
    read = examine(signed(notice), Facts()).notice
    assert (read.kind, read.persona) == (kind, name)


@pytest.mark.parametrize(
    ("line", "organisation", "role"),
    [
        ("Senior Consultant at Northbridge Advisory", "Northbridge Advisory", "Senior Consultant"),
        ("Partner @ Quellwerk | Speaker", "Quellwerk", "Partner"),
        ("Consultante senior chez Ponteval Conseil", "Ponteval Conseil", "Consultante senior"),
        ("Leitende Beraterin bei Quellwerk GmbH", "Quellwerk GmbH", "Leitende Beraterin"),
        ("Consultora sénior en Puentelar", "Puentelar", "Consultora sénior"),
        ("Consultora sênior na Pontelar", "Pontelar", "Consultora sênior"),
        ("Consulente presso Ponteverde", "Ponteverde", "Consulente"),
        ("Senior adviseur bij Noordbrug", "Noordbrug", "Senior adviseur"),
        ("Старший консультант в компании Северный Мост", "Северный Мост", "Старший консультант"),
        ("Starszy konsultant w Mostowa Rada", "Mostowa Rada", "Starszy konsultant"),
        ("Kuzey Köprü şirketinde Kıdemli Danışman", "Kuzey Köprü", "Kıdemli Danışman"),
        ("مستشارة أولى في شركة الجسر الشمالي", "الجسر الشمالي", "مستشارة أولى"),
        ("北桥咨询公司 高级顾问", "北桥咨询", "高级顾问"),
        ("北橋諮詢 資深顧問", "北橋諮詢", "資深顧問"),
        ("ノースブリッジ シニアコンサルタント", "ノースブリッジ", "シニアコンサルタント"),
        ("노스브리지 수석 컨설턴트", "노스브리지", "수석 컨설턴트"),
        ("Expert in paying attention", "", ""),
        ("Looking at things, and how they work.", "", ""),
    ],
)
@pytest.mark.parametrize("parts", [("plain",), ("html",)])
def test_a_headline_claims_organisation_and_role(line, organisation, role, parts):
    notice = Notice(headline=line, parts=parts)
    read = examine(signed(notice.raw()), Facts()).notice
    assert (read.organisation, read.role) == (organisation, role)


def test_the_recipients_headline_is_nobodys_claim():
    read = examine(signed(Notice(to_name="Mara Quell").raw()), Facts()).notice
    assert read.organisation == ""


def test_a_signature_in_the_members_own_words_claims_too():
    message = "Hello,\n\ncall me.\n\nMara Quell | Partner at Northbridge Advisory"
    read = examine(signed(Notice(message=message).raw()), Facts()).notice
    assert read.organisation == "Northbridge Advisory"


def test_a_foot_of_the_members_own_hides_nothing():
    rule = "-" * 40
    message = f"Hello.\n\n{rule}\n\nThis email was intended for Robin Keller (x)\n\n{HINTS}"
    for parts in (("plain",), ("html",)):
        reading = examine(
            signed(Notice(message=message, parts=parts).raw()), Facts(wants_text=True)
        )
        assert HINTS in words(reading)
