"""Misspelled words are put right, and right ones are left alone, in a collection that is in English only."""

import pytest

from pes_search.index.open_index import OpenIndex
from pes_search.index.query.spelling import Speller
from pes_search.index.text.words import words_of
from pes_search.ingest.languages.identify import detect_language


@pytest.fixture(scope="module")
def speller(corpus_index: OpenIndex) -> Speller:
    return Speller(corpus_index.stored)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("traning vouchers", "training vouchers"),
        ("vauchers for traning croatia", "vouchers for training croatia"),
        ("womens returning to wrok", "womens returning to work"),
        ("long-term unemployd people", "long-term unemployed people"),
        ("job counseling for refugess", "job counseling for refugees"),
        ("digital skils of older workers", "digital skills of older workers"),
        ("wage subsidees for employers", "wage subsidies for employers"),
        ("recruitmnet in Crotia", "recruitment in Croatia"),
        ("yuoth guarantee", "youth guarantee"),  # its first two letters are swapped
        ("Hilfe für Langzeitarbeitlose", "Hilfe für Langzeitarbeitslose"),
        ("Berufsberatnug für Jugendliche", "Berufsberatung für Jugendliche"),
        ("Arbeitslosigkiet", "Arbeitslosigkeit"),
        ("chomeurs de longue durée", "chômeurs de longue durée"),
        ("accompagnemnt des jeunes", "accompagnement des jeunes"),
        ("orientation profesionnelle", "orientation professionnelle"),
        ("desempelados de larga duración", "desempleados de larga duración"),
        ("disocupati di lunga durta", "disoccupati di lunga durata"),
        ("formazzione professionale", "formazione professionale"),
        ("szkolenai zawodowe", "szkolenia zawodowe"),
        ("doradca zawodwy", "doradca zawodowy"),
    ],
)
def test_misspelled_words_are_put_right(speller: Speller, typed: str, meant: str) -> None:
    assert speller.suggestion(typed, detect_language(typed)) == meant


@pytest.mark.parametrize(
    "query",
    [
        "women returning to work",
        "Does Ohjaamo reach NEETs, and who pays for it?",
        "couldn't find a job after prison",
        "teleworking grandparents",  # neither word is in the collection
        "Anja Weber and Luka Kovačić at HZZ",
        "Leeuwarden and Szeged",
        "Welche Länder helfen Frauen nach der Familienpause?",
        "Umschulung zur Pflegefachkraft",
        "Lohnkostenzuschuss für Betriebe",
        "Aujourd'hui, que fait l'agence pour les chômeurs ?",
        "réinsertion des détenus",
        "Les premiers testeurs du site français étaient-ils satisfaits ?",
        "¿Qué países ayudan a los parados mayores de 50 años?",
        "orientadores y empleadores",
        "donne che tornano al lavoro dopo la maternità",
        "dell'occupazione nelle aree rurali",
        "Które kraje pomagają bezrobotnym po pięćdziesiątce?",
        "przeszkolenie z fotowoltaiki i programowania",
        "stratēģiskā darbaspēka plānošana, MI atbalstīta",
        "livelli ta' gwida tul il-ħajja għall-karriera",  # no dictionary of Maltese
        "",
    ],
)
def test_right_words_are_left_alone(speller: Speller, query: str) -> None:
    assert speller.suggestion(query, detect_language(query)) is None


@pytest.mark.parametrize("word", ["TRANING", "www.traning.eu", "traning@pes.eu", "traning/x", "traning2", "traning_x"])
def test_acronyms_addresses_and_codes_are_not_looked_at(speller: Speller, word: str) -> None:
    assert speller.suggestion(f"{word} for women", "en") is None


def test_all_but_the_misspelled_words_stays_as_it_was_typed(speller: Speller) -> None:
    assert speller.suggestion("  »Traning«,  (VOUCHERS) – 2nd!", "en") == "  »Training«,  (VOUCHERS) – 2nd!"


@pytest.mark.parametrize("misread", [None, "xx", "fr", "fi"])
def test_a_query_whose_language_was_misread_is_put_right_in_english(speller: Speller, misread: str | None) -> None:
    assert speller.suggestion("trainig vouchers", misread) == "training vouchers"


def test_words_are_letters_only_and_lower_case() -> None:
    # "Job" and "Koł" have 3 letters; the ó of "Półka" is written as o and an accent, and is one letter all the same.
    assert words_of("Maßnahmen ΕΡΓΑΣΙΑΣ e-Job 2nd power_m Koł Po\u0301\u0142ka") == {"maßnahmen", "εργασιας", "półka"}


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("bezrobotni mlodzi", "bezrobotni młodzi"),
        ("kozmunka kepzes", "közmunka képzés"),
        ("jeunes chomeurs", "jeunes chômeurs"),
        ("Osterreich Frauen", "Österreich Frauen"),
        ("tyottomat nuoret", "työttömät nuoret"),
        ("traning for NEET", "training for NEET"),  # and not the Swedish word
        ("resume writing", None),  # an English word
        ("cafe", None),
    ],
)
def test_accents_that_were_left_out_are_put_in(speller: Speller, query: str, meant: str | None) -> None:
    assert speller.suggestion(query, detect_language(query)) == meant
