"""The words, labels and openings that shapes are made of."""

SCRIPTS = {
    "latin": "Guten Tag, ein Projekt für Sie: drei Stunden, gut bezahlt",
    "ascii": "Good day = you, an offer for your insight & time",
    "cyrillic": "Добрый день, у нас есть предложение для вас",
    "greek": "Καλημέρα, έχουμε μια πρόταση για εσάς",
    "chinese": "您好，我们有一个咨询项目想与您合作",
    "taiwan": "您好，我們有一個諮詢項目想與您合作",
    "japanese": "こんにちは、調査のお願いがあります",
    "korean": "안녕하세요, 자문 제안을 드립니다",
    "hebrew": "שלום, יש לנו הצעה עבורך",
    "arabic": "مرحبا لدينا عرض لك",
    "turkish": "Merhaba, sizin için bir teklifimiz var şğı",
    "baltic": "Laba diena, turime jums pasiūlymą ąčęėįšųū",
    "polish": "Dzień dobry, mamy dla pana propozycję ąęłńóśźż",
    "thai": "สวัสดี เรามีข้อเสนอสำหรับคุณ",
    "many": "Hello 您好 привет é 🙂",
}
# Label as written, codec, script. Labels in the cases and spellings that senders use.
CHARSETS = [
    ("us-ascii", "ascii", "ascii"), ("US-ASCII", "ascii", "ascii"), ("", "ascii", "ascii"),
    ("utf-8", "utf-8", "many"), ("UTF-8", "utf-8", "chinese"), ("utf8", "utf-8", "arabic"),
    ("utf-8", "utf-8", "ascii"), ("iso-8859-1", "iso-8859-1", "latin"),
    ("ISO-8859-1", "iso-8859-1", "ascii"), ("iso-8859-2", "iso-8859-2", "polish"),
    ("iso-8859-5", "iso-8859-5", "cyrillic"), ("iso-8859-6", "iso-8859-6", "arabic"),
    ("iso-8859-7", "iso-8859-7", "greek"), ("iso-8859-8", "iso-8859-8", "hebrew"),
    ("iso-8859-9", "iso-8859-9", "turkish"), ("iso-8859-13", "iso-8859-13", "baltic"),
    ("iso-8859-15", "iso-8859-15", "latin"), ("windows-1250", "cp1250", "polish"),
    ("windows-1251", "cp1251", "cyrillic"), ("Windows-1252", "cp1252", "latin"),
    ("windows-1253", "cp1253", "greek"), ("windows-1254", "cp1254", "turkish"),
    ("windows-1255", "cp1255", "hebrew"), ("windows-1256", "cp1256", "arabic"),
    ("windows-1257", "cp1257", "baltic"), ("windows-874", "cp874", "thai"),
    ("koi8-r", "koi8-r", "cyrillic"), ("KOI8-R", "koi8-r", "cyrillic"),
    ("gb2312", "gb2312", "chinese"), ("GBK", "gbk", "chinese"), ("gb18030", "gb18030", "chinese"),
    ("Big5", "big5", "taiwan"), ("Shift_JIS", "shift_jis", "japanese"),
    ("iso-2022-jp", "iso2022_jp", "japanese"), ("ISO-2022-JP", "iso2022_jp", "japanese"),
    ("euc-jp", "euc_jp", "japanese"), ("euc-kr", "euc_kr", "korean"),
    ("ks_c_5601-1987", "euc_kr", "korean"), ("utf-16", "utf-16", "many"),
    ("utf-16le", "utf-16-le", "chinese"), ("utf-16be", "utf-16-be", "latin"),
    ("utf-7", "utf-7", "latin"), ("x-unheard-of", "latin-1", "latin"),
]  # fmt: skip
WIDE = ("utf-16", "utf-16-le", "utf-16-be")

PIECES = [
    "From here on", ".", "..", "-- ", "=20", "=", "--b1 x", "--b1--x", "", "> quoted", ">> deeper  ",
    "a trailing space ", "\ttab\t", "x" * 90, "= " * 60, "https://example.net/?a=3D&b=1", "<body>",
]  # fmt: skip
TOPS = [
    "", "<body>", "<html>\r\n<head><title>=t</title></head>\r\n<body class='a'>", "<HTML><BODY BGCOLOR=#fff>\r\n",
    "<!DOCTYPE html>\r\n<html><head><style>p{color:red} /* <body> */</style></head><body>\r\n",
    "<!-- <body> --><html><body onload=\"a>b\">", "<table><tr><td><table><tr><td>", "<div><p>unclosed <b>",
    "<html><!--[if mso]><body><![endif]--><body>", "<html><head><meta name=x></head>",
    "<style>p{}</stylex></style><body\r\n\tid=x\r\n>",
]  # fmt: skip
