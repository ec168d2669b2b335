"""The language of a text."""

import pytest

from pes_search.ingest.languages.identify import detect_language

SENTENCES = {
    "en": "The advisers visit people at home and help them to find a job in their own village.",
    "de": "Die Beraterinnen besuchen die Menschen zu Hause und helfen ihnen bei der Suche nach einer Stelle.",
    "fr": "Les conseillers rendent visite aux chômeurs chez eux et les aident à trouver un emploi.",
    "es": "Los asesores visitan a las personas en casa y les ayudan a encontrar un empleo en su pueblo.",
    "pt": "Os conselheiros visitam as pessoas em casa e ajudam-nas a encontrar trabalho na sua aldeia.",
    "pl": "Doradcy odwiedzają ludzi w domu i pomagają im znaleźć pracę w ich własnej wsi.",
    "el": "Οι σύμβουλοι επισκέπτονται τους ανθρώπους στο σπίτι και τους βοηθούν να βρουν δουλειά.",
    "bg": "Съветниците посещават хората у дома и им помагат да намерят работа в своето село.",
    "fi": "Neuvojat käyvät ihmisten luona kotona ja auttavat heitä löytämään työtä omasta kylästään.",
    "hu": "A tanácsadók otthon látogatják meg az embereket, és segítenek nekik munkát találni a falujukban.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detect_language(SENTENCES[language]) == language


def test_capitals_do_not_mislead() -> None:
    assert detect_language(SENTENCES["de"].upper()) == "de"


def test_line_breaks_do_not_matter() -> None:
    assert detect_language(SENTENCES["fr"].replace(" ", "\n")) == "fr"


@pytest.mark.parametrize("text", ["", "12,345 – 67 %", " \n "])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert detect_language(text) is None


def test_the_beginning_of_a_long_text_decides() -> None:
    assert detect_language(SENTENCES["en"] * 30 + SENTENCES["el"] * 300) == "en"
