"""A small collection of which a part is closed, which has words, names and numbers that nothing else has."""

from pathlib import Path

# What the closed documents alone have, in small letters; every closed id has the first.
SECRETS = ("zxq", "zorbulat", "quillfeather", "japan", "jp", "1987", "98,765", "98765", "português", "plumbago", "qff")
PUBLIC_IDS = ("bakers", "bakers-again", "fair", "garden", "harvest", "letters", "vouchers")
INTERNAL_IDS = ("zxq-bakers", "zxq-brief", "zxq-letters", "zxq-vault")
BOARD_ID = "zxq-board"  # of another label
BAKING = """The employment service of the region trains jobseekers as bakers for twelve weeks in the bakeries of the town.
Trainees receive EUR 420 a month and a certificate at the end, and the bakers are paid for the hours of their instructors.
In 2020 it was 212 young people who took part, of whom 131 found a job in a bakery within half a year.
The regional fund pays two thirds of the costs and the chamber of crafts the rest."""
OPEN = {
    "garden": (
        "countries: [DE]\nyear: 2018\nstart: 2018\ntarget_groups: [young-people]\nrelated: [{related}]\n",
        "Garden work for young people",
        "Young people grow vegetables with a counsellor of the employment service. The garden has 40 places a year.\n\n"
        "The municipality pays for the tools and the land.",
    ),
    "vouchers": (
        "countries: [FR]\nstart: 2021\ntarget_groups: [jobseekers]\n",
        "Training vouchers",
        "Jobseekers choose a course and pay for it with a voucher of the employment service worth EUR 900. The idea is that of "
        "Garden work for young people.\n\nIn 2022 the service gave out 3,100 vouchers.",
    ),
    "bakers": ("countries: [FR]\nstart: 2019\n", "Training of bakers", BAKING),
    "bakers-again": ("language: en\n", "Training of bakers", f"Sent in by the press office. {BAKING}"),
    "harvest": (
        "countries: [FR]\nstart: 2020\n",
        "Harvest jobs",
        "The employment service finds workers for the harvest. It works as described in https://example.org/baking-guide by "
        "those who bake.\n\nFarmers pay the wage.",
    ),
    "letters": (
        "countries: [DE]\nstart: 2019\norganisation: Employment Service\n",
        "Mentoring letters, edition 2019",
        "Mentors of the employment service write letters to 150 people who have been out of work for long.",
    ),
    "fair": ("kind: news\ndate: 2020-03-01\ncountries: [DE]\n", "A job fair", "Firms and jobseekers met at a fair in spring."),
}
CLOSED = {
    "vault": (
        "countries: [JP]\nstart: 1987\nend: 1987\norganisation: Quillfeather Institute\nvisibility: internal\n"
        "target_groups: [young-people]\n",
        "The zorbulation vault",
        "The Quillfeather Institute zorbulates with 98,765 young people in a vault. A zorbulation takes place every evening. "
        "It follows Garden work for young people.\n\nThe plumbago fund pays for the zorbulation.",
    ),
    "bakers": (
        "countries: [FR]\nstart: 2019\norganisation: Quillfeather Institute\ntarget_groups: [jobseekers]\n"
        "url: https://example.org/baking-guide\n",
        "Training of bakers",
        f"{BAKING}",
    ),
    "letters": (
        "countries: [DE]\nstart: 2019\norganisation: Employment Service\n",
        "Mentoring letters, edition 2023",
        "This guide updates Mentoring letters, edition 2019. Zorbulating mentors of the employment service write letters.",
    ),
    "brief": (
        "language: pt\n",
        "Carta zorbulatória",
        "O serviço de emprego do Instituto Quillfeather escreve cartas a todas as pessoas desempregadas que procuram trabalho.",
    ),
    "board": (
        "visibility: board\ncountries: [DE]\nstart: 2018\n",
        "Zorbulation for the board",
        "The board speaks of the garden and of zorbulation with young people. It has 98,765 reasons.",
    ),
}
ORGANISATIONS = """
- {id: employment-service, country: DE, terms: {en: [Employment Service]}}
"""
CLOSED_ORGANISATIONS = """
- {id: quillfeather, country: DE, short: {en: [QFF]}, terms: {en: [Quillfeather Institute]}}
"""
LISTS = {
    "target-groups": "- {id: young-people, terms: {en: [young people], de: [junge Menschen]}}\n"
    "- {id: jobseekers, terms: {en: [jobseekers]}}\n",
    "countries": "- {id: DE, terms: {en: [Germany], de: [Deutschland]}}\n- {id: FR, terms: {en: [France]}}\n",
}


def write_collection(folder: Path, *, with_closed: bool = True) -> Path:
    """Write the collection into a folder, the closed documents in `closed/`, with or without them; return the folder."""
    lists = LISTS | {"organisations": ORGANISATIONS + (CLOSED_ORGANISATIONS if with_closed else "")}
    for name, text in lists.items():
        _write(folder / "taxonomy" / f"{name}.yaml", text)
    for name, (fields, title, text) in OPEN.items():
        named = fields.format(related="zxq-vault, vouchers" if with_closed else "vouchers")
        kind = "" if "kind:" in fields else "kind: practice\n"
        _write(folder / f"{name}.md", f"---\nid: {name}\n{kind}{named}---\n# {title}\n\n{text}\n")
    for name, (fields, title, text) in CLOSED.items() if with_closed else ():
        _write(folder / "closed" / f"{name}.md", f"---\nid: zxq-{name}\nkind: practice\n{fields}---\n# {title}\n\n{text}\n")
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
