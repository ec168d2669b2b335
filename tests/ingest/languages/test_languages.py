"""A language is one file: what it says is known everywhere, and what it cannot say is refused."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from pes_search.ingest.errors import LanguageFileError
from pes_search.ingest.languages import EU_LANGUAGES, FOLDER, Language, any_of, known_languages, read_languages

QUESTION_KINDS = {
    "who", "who_pays", "how_much", "how_many", "when", "how_long", "where", "how", "why", "which_countries", "which_practices",
    "evidence", "contact", "definition", "for_whom", "problems", "compare",
}  # fmt: skip
YEAR_RELATIONS = {"before", "after", "since", "until", "in", "started", "ended", "most", "least"}


def written(folder: Path, text: str, code: str = "xx") -> Path:
    (folder / f"{code}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_every_file_is_a_language_and_its_name_is_the_code() -> None:
    languages = known_languages()
    assert [f"{code}.yaml" for code in languages] == sorted(path.name for path in FOLDER.glob("*.yaml"))
    assert all(language.code == code and language.name for code, language in languages.items())
    assert languages["no"].name == "Norwegian"  # not read as false


@pytest.mark.parametrize("code", EU_LANGUAGES)
def test_every_language_of_the_eu_has_a_name_and_its_words_that_negate(code: str) -> None:
    language = known_languages()[code]
    assert language.name[0].isupper()
    assert len(language.negations) >= 5


def test_words_are_in_lower_case_and_have_no_outer_spaces() -> None:
    for language in known_languages().values():
        words = (
            *language.controls, *language.form_words, *language.source_headings,
            *(label for labels in language.field_labels.values() for label in labels),
            *language.country_names, *language.day_endings, *language.negations,
        )  # fmt: skip
        assert [word for word in words if word != word.lower().strip() or not word] == []


def as_typed(text: str) -> str:
    """The text as questions are compared: without accents and capitals."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()


def told_kind(question: str, code: str) -> str:
    """The kind of question whose expression matches first, the longest of those."""
    typed = as_typed(question).lstrip("¿ ")
    matches = [
        (match.start(), -len(match.group()), kind)
        for kind, expressions in known_languages()[code].question_kinds.items()
        for match in (re.search(expression, typed, re.IGNORECASE) for expression in expressions)
        if match
    ]
    return min(matches)[2] if matches else ""


def asking_expressions(language: Language) -> list[str]:
    by_name = [*language.question_kinds.values(), *language.year_relations.values()]
    return [*language.follow_ups, *language.unnamed, *(expression for some in by_name for expression in some)]


@pytest.mark.parametrize("code", EU_LANGUAGES)
def test_every_language_of_the_eu_has_the_words_of_questions(code: str) -> None:
    language = known_languages()[code]
    assert set(language.question_kinds) == QUESTION_KINDS
    assert set(language.year_relations) == YEAR_RELATIONS
    assert all([*language.question_kinds.values(), *language.year_relations.values()])
    assert all([language.question_words, language.follow_ups, language.unnamed])


@pytest.mark.parametrize("code", known_languages())
def test_expressions_of_questions_are_written_as_people_type(code: str) -> None:
    language = known_languages()[code]
    for expression in asking_expressions(language):
        assert not re.search(expression, "")  # compiles, and needs something to match
        plain = re.sub(r"\\.", "", expression)  # without "\W" and the like, whose capitals mean something
        assert plain == as_typed(plain)
    assert list(language.question_words) == [as_typed(word).strip() for word in language.question_words]
    assert len(set(language.question_words)) == len(language.question_words)
    assert all(expression.startswith("^") for expression in language.follow_ups)


# What people ask most, in each language: who pays, what it costs, how many took part, when it began, whom it is for.
ASKED = ("who_pays", "how_much", "how_many", "when", "for_whom")
QUESTIONS = {
    "bg": "Кой плаща? Колко струва? Колко души са участвали? Кога започна? За кого е?",
    "cs": "Kdo to platí? Kolik to stojí? Kolik lidí se zúčastnilo? Kdy to začalo? Pro koho to je?",
    "da": "Hvem betaler? Hvad koster det? Hvor mange deltog? Hvornår begyndte det? Hvem er det for?",
    "de": "Wer zahlt? Was kostet das? Wie viele haben teilgenommen? Wann hat es begonnen? Für wen ist das?",
    "el": "Ποιος πληρώνει; Πόσο κοστίζει; Πόσοι συμμετείχαν; Πότε άρχισε; Σε ποιους απευθύνεται;",
    "en": "Who pays? What does it cost? How many people took part? When did it start? Who is it for?",
    "es": "¿Quién paga? ¿Cuánto cuesta? ¿Cuántas personas participaron? ¿Cuándo empezó? ¿Para quién es?",
    "et": "Kes maksab? Kui palju see maksab? Mitu inimest osales? Millal see algas? Kellele see on mõeldud?",
    "fi": "Kuka maksaa? Paljonko se maksaa? Montako ihmistä osallistui? Milloin se alkoi? Kenelle se on tarkoitettu?",
    "fr": "Qui paie ? Combien ça coûte ? Combien de personnes ont participé ? Quand cela a-t-il commencé ? C'est pour qui ?",
    "ga": "Cé a íocann? Cé mhéad a chosnaíonn sé? Cé mhéad duine a ghlac páirt? Cathain a thosaigh sé? Cé dó é?",
    "hr": "Tko plaća? Koliko to košta? Koliko je ljudi sudjelovalo? Kada je počelo? Za koga je?",
    "hu": "Ki fizeti? Mennyibe kerül? Hányan vettek részt? Mikor kezdődött? Kiknek szól?",
    "it": "Chi paga? Quanto costa? Quante persone hanno partecipato? Quando è iniziato? A chi è rivolto?",
    "lt": "Kas moka? Kiek tai kainuoja? Kiek žmonių dalyvavo? Kada prasidėjo? Kam tai skirta?",
    "lv": "Kas maksā? Cik tas maksā? Cik cilvēku piedalījās? Kad tas sākās? Kam tas paredzēts?",
    "mt": "Min iħallas? Kemm jiswa? Kemm nies ħadu sehem? Meta beda? Għal min hu?",
    "nl": "Wie betaalt? Wat kost het? Hoeveel mensen deden mee? Wanneer is het begonnen? Voor wie is het?",
    "pl": "Kto płaci? Ile to kosztuje? Ile osób wzięło udział? Kiedy to się zaczęło? Dla kogo to jest?",
    "pt": "Quem paga? Quanto custa? Quantas pessoas participaram? Quando começou? Para quem é?",
    "ro": "Cine plătește? Cât costă? Câți oameni au participat? Când a început? Pentru cine este?",
    "sk": "Kto to platí? Koľko to stojí? Koľko ľudí sa zúčastnilo? Kedy sa to začalo? Pre koho to je?",
    "sl": "Kdo plača? Koliko stane? Koliko ljudi je sodelovalo? Kdaj se je začelo? Za koga je?",
    "sv": "Vem betalar? Vad kostar det? Hur många deltog? När började det? Vem är det för?",
}


@pytest.mark.parametrize("code", EU_LANGUAGES)
def test_the_kind_of_a_question_is_told_with_and_without_accents_and_question_mark(code: str) -> None:
    questions = re.findall(r"[^?;]+[?;]", QUESTIONS[code])
    assert [told_kind(question, code) for question in questions] == list(ASKED)
    assert [told_kind(as_typed(question).strip(" ?;").upper(), code) for question in questions] == list(ASKED)


def test_encodings_and_dictionaries_exist() -> None:
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES
    from Stemmer import algorithms

    for language in known_languages().values():
        assert b"a".decode(language.encoding or "utf-8") == "a"
        assert language.stemmer is None or language.stemmer in algorithms()
        assert language.dictionary is None or language.dictionary in SUPPORTED_LANGUAGES


def test_a_file_with_a_name_alone_is_enough(tmp_path: Path) -> None:
    [language] = read_languages(written(tmp_path, "name: Ladino\n")).values()
    assert (language.code, language.name, language.script, language.stemmer) == ("xx", "Ladino", "Latin", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: Ladino\nstemer: spanish\n", r"xx\.yaml: `stemer`: .*the keys are code, name, script"),
        ("stemmer: spanish\n", "`name`: Field required"),
        ("name: Ladino\nnegations: [no, nunca]\n", "`negations"),  # YAML reads an unquoted no as false
        ("name: Ladino\nnegations: no nunca\n", "`negations"),
        ("- name: Ladino\n", "no YAML of `key: value` lines"),
        ("", "no YAML of `key: value` lines"),
        ("name: [\n", "no YAML"),
    ],
)
def test_a_faulty_file_is_named_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LanguageFileError, match=said):
        read_languages(written(tmp_path, text))


def test_no_expression_matches_nothing() -> None:
    assert re.search(any_of([]), "anything") is None
    assert any_of(["a", "b", "a"]) == "a|b"


# A made-up language, in a folder of the other files: nothing but this text is written for it.
LADINO = r"""
name: Ladino
script: Cyrillic
encoding: koi8-r
page: oja
page_of: de las
controls: [parti esta oja]
form_words: [tu nombre, tu letra, tu telefon]
cookie_banners: ['esta oja uza bizkochos']
feedback_requests: ['eskriva mos']
source_headings: [manadero]
field_labels: {country: [paez]}
country_names: {estrya: AT}
conjunction: kon
day_endings: [avo]
date_particle: dia
"""
READ_WITH_IT = """
import sys
from pathlib import Path
from pes_search.ingest import languages

languages.FOLDER = Path(sys.argv[1])
from pes_search.ingest.cleaning.blocks import interface_texts
from pes_search.ingest.countries import country_code
from pes_search.ingest.dates import find_date
from pes_search.ingest.labelled_fields import labelled_fields
from pes_search.ingest.passages import is_source_heading
from pes_search.ingest.readers.decode import _encodings
from pes_search.ingest.readers.pdf_edges import _page_number
from pes_search.ingest.types import Block

print(interface_texts(["Parti esta oja!", "Tu nombre", "Tu letra", "Tu telefon", "Esta oja uza bizkochos.", "Eskriva mos"]))
print(is_source_heading("2. Manadero"), country_code("Estrya"))
print(labelled_fields([Block("paragraph", "Paez: Estrya kon Germany")], None).fields.get("countries"))
print(find_date("1avo dia May dia 2020"), bool(_page_number().fullmatch("Oja 3 de las 4")))
print("koi8-r" in _encodings(is_latin=False))
"""
KNOWN = ["[True, True, True, True, True, True]", "True AT", "('AT', 'DE')", "2020-05-01 True", "True"]
UNKNOWN = ["[False, False, False, False, False, False]", "False None", "None", "None False", "False"]


@pytest.mark.parametrize(("has_file", "expected"), [(True, KNOWN), (False, UNKNOWN)])
def test_one_more_file_is_one_more_language(tmp_path: Path, has_file: bool, expected: list[str]) -> None:
    """In a process of its own: what files say is kept for as long as a process runs."""
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if has_file:
        written(tmp_path, LADINO)
    run = subprocess.run([sys.executable, "-c", READ_WITH_IT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == expected
