"""The encodings of text files."""

import time

import pytest

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers.decode import decode

# By language: a text, and the single-byte encodings that its files are in beside that of Windows.
TEXTS = {
    "bg": ("Бюрото по труда посещава селата. Съветници помагат на хора над 50 години.", "cp1251 iso8859-5 koi8-r mac_cyrillic"),
    "cs": ("Žadatelé z vesnic mají poradce blízko. Šestý rok jezdí autobus úřadu práce.", "cp1250 iso8859-2 mac_latin2"),
    "de": ("Der Bus fährt über die Dörfer. Größere Betriebe zahlen „gern“ mit.", "cp1252 mac_roman"),
    "el": ("Άνεργες γυναίκες σε χωριά βρίσκουν σύμβουλο. Έξι στις δέκα έπιασαν δουλειά.", "cp1253 iso8859-7 mac_greek"),
    "et": ("Buss sõidab külades. Töötud saavad nõu ja üle poole leiab töö.", "cp1257 iso8859-15"),
    "fr": ("Le bus de l'œuvre coûte 2 400 € par an. Où va-t-il ? À Étampes, dès l'été.", "cp1252 iso8859-15 mac_roman"),
    "hr": ("Autobus službe obilazi sela. Češće dolaze žene, koje traže posao u kući.", "cp1250 iso8859-2 mac_croatian"),
    "hu": ("A busz a falvakat járja. Idősebb nők és férfiak is kérhetnek tőlük segítséget.", "cp1250 iso8859-2 iso8859-16"),
    "is": ("Rútan fer um þorpin. Það er ráðgjafi í henni og fólk fær aðstoð.", "cp1252 mac_iceland"),
    "it": ("L'autobus va nei paesi. Perciò più persone avranno un'opportunità in città.", "cp1252 mac_roman"),
    "lt": ("Autobusas lanko kaimus. Žmonės gauna patarimų, ką daryti ieškant darbo.", "cp1257 iso8859-13 iso8859-4"),
    "lv": ("Autobuss brauc pa ciemiem. Padomdevēji palīdz cilvēkiem rakstīt vēstules.", "cp1257 iso8859-13 iso8859-4"),
    "mt": ("Ix-xarabank iżur l-irħula. Il-ħaddiema jsibu għajnuna biex jerġgħu jaħdmu.", "iso8859-3"),
    "pl": ("Autobus jeździ po wsiach. Doradcy pomagają osobom, które dłużej są bez pracy.", "cp1250 iso8859-2 mac_latin2"),
    "ro": ("Autobuzul merge în sate. Mulţi şomeri găsesc astfel un loc de muncă.", "cp1250 iso8859-2"),
    "ro, with its own letters": ("„Autobuzul merge în sate”: mulți șomeri găsesc un loc de muncă.", "iso8859-16"),
    "sk": ("Autobus jazdí po dedinách. Ľudia z okolia ďalej žiadajú o prácu, šesť z nich uspelo.", "cp1250 iso8859-2"),
    "sl": ("Avtobus vozi po vaseh. Svetovalci pomagajo ženskam, ki iščejo službo.", "cp1250 iso8859-2"),
    "sv": ("Bussen åker till byarna. Två rådgivare hjälper människor att få ett jobb.", "cp1252 mac_roman"),
    "tr": ("Otobüs köyleri dolaşıyor. İki danışman iş arayan gençlere yardım ediyor.", "cp1254 iso8859-9 mac_turkish"),
}


@pytest.mark.parametrize(
    ("language", "encoding"), [(language, encoding) for language in TEXTS for encoding in TEXTS[language][1].split()]
)
def test_a_text_is_decoded_in_every_encoding_of_its_language(language: str, encoding: str) -> None:
    text = TEXTS[language][0]
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("language", ["bg", "de", "el", "lt"])
def test_unicode_is_decoded_with_and_without_a_mark(language: str, encoding: str) -> None:
    text = TEXTS[language][0]
    assert decode(text.encode(encoding)) == text


def test_text_without_other_letters_is_plain() -> None:
    assert decode(b"The bus drives to villages.") == "The bus drives to villages."


@pytest.mark.parametrize("stated", ["windows-1252", "no such encoding", ""])
def test_a_stated_encoding_that_the_text_contradicts_is_not_believed(stated: str) -> None:
    text = TEXTS["cs"][0]
    assert decode(text.encode("cp1250"), stated) == text


def test_a_stated_encoding_decides_what_the_text_leaves_open() -> None:
    data = "Mulți șomeri din sate găsesc un loc de muncă.".encode("iso8859-16")
    assert decode(data) == "Mulţi şomeri din sate găsesc un loc de muncă."  # the same bytes in the older encoding
    assert decode(data, "ISO-8859-16") == "Mulți șomeri din sate găsesc un loc de muncă."


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03" * 40, b"bus\x00bus\x01", b"\xff\xfe\x01\x00\x02\x00\x03\x00"])
def test_bytes_of_other_files_are_no_text(data: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="not text"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [("Žadatelé mají poradce. " * 20_000).encode("cp1250"), b"a" * 400_000 + b"\xe9", b"\xe9" * 400_000, b"\x80 " * 200_000],
)
def test_a_large_file_takes_little_longer(data: bytes) -> None:
    begin = time.process_time()
    assert len(decode(data)) == len(data)
    assert time.process_time() - begin < 3
