"""A table's rows are read alone."""

from pes_search.ingest.cleaning.tables import table_rows


def test_values_under_a_header_row_carry_the_names_of_their_columns() -> None:
    rows = [["Year", "Staff:", ""], ["2021", "3", "x"], ["2022", "", "y"]]
    assert table_rows(rows, header=True) == ["Year: 2021 | Staff: 3 | x", "Year: 2022 | y"]


def test_two_cells_without_a_header_are_label_and_value() -> None:
    assert table_rows([["Country:", "Austria"], ["Period", " 2021 "], ["alone", ""]]) == [
        "Country: Austria",
        "Period: 2021",
        "alone",
    ]


def test_more_cells_without_a_header_stand_between_bars() -> None:
    assert table_rows([["2021", "80", "12"]]) == ["2021 | 80 | 12"]


def test_a_row_of_another_length_than_the_header_is_not_named_wrongly() -> None:
    rows = [["Year", "Village", "People"], ["2021", "Linz", "40"], ["Graz", "50"]]
    assert table_rows(rows, header=True) == ["Year: 2021 | Village: Linz | People: 40", "Graz | 50"]


def test_the_names_of_columns_are_not_lost_where_they_fit_no_row() -> None:
    assert "People" in " ".join(table_rows([["Year", "Village", "People"], ["Graz", "50"]], header=True))


def test_a_wide_table_keeps_its_header_as_a_row() -> None:
    assert table_rows([list("ABCDEFG"), list("1234567")], header=True) == [
        "A | B | C | D | E | F | G",
        "1 | 2 | 3 | 4 | 5 | 6 | 7",
    ]


def test_a_table_of_a_header_alone_keeps_it() -> None:
    assert table_rows([["Year", "Staff"]], header=True) == ["Year | Staff"]
