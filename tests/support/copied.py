"""A story, a copy of it, its translation, and two others: what editors part and confirm."""

from pathlib import Path

STORY = """The mobile office of the employment service visits forty villages in a year and stops at the market place of each.
Two counsellors and a driver bring a printer, a phone and the vacancies of the whole district with them.
In 2019 they met 3,412 people, of whom 581 found work within six months; the year before it had been 2,960 and 470.
The council pays a third of the EUR 210,000 that the bus costs in a year, and the regional fund pays the rest."""
GERMAN = """Das mobile Büro der Arbeitsverwaltung besucht im Jahr vierzig Dörfer und hält auf dem Marktplatz eines jeden.
Zwei Beratende und ein Fahrer bringen Drucker, Telefon und die offenen Stellen des ganzen Bezirks mit. 2019 trafen sie 3.412
Menschen, von denen 581 binnen sechs Monaten Arbeit fanden; im Jahr davor waren es 2.960 und 470. Die Gemeinde zahlt ein Drittel
der 210.000 Euro, die der Bus im Jahr kostet, und der Fonds der Region zahlt den Rest."""
DOCUMENTS = {
    "story": ("countries: [BE]\nlanguage: en\n", "The bus", STORY),
    "copy": ("language: en\n", "The bus", f"Forwarded by the press office. {STORY}"),
    "german": ("language: de\n", "Der Bus", GERMAN),
    "club": (
        "language: en\n",
        "A job club",
        "A club meets on Mondays in the library, where members practise interviews in pairs.",
    ),
    "fair": ("language: en\n", "A job fair", "Firms and jobseekers meet at a fair in spring, with stands in the town hall."),
}


def write_copied(folder: Path, *, without: str = "") -> Path:
    """Write the documents into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    for name, (fields, title, text) in DOCUMENTS.items():
        path = folder / f"{name}.md"
        path.unlink(missing_ok=True)
        if name != without:
            path.write_text(f"---\nid: {name}\nkind: practice\n{fields}---\n# {title}\n\n{text}\n", encoding="utf-8")
    return folder
