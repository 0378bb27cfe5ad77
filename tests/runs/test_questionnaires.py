"""A CSV of questionnaire totals is read with tolerance, checked line by line, and written once."""

from __future__ import annotations

from datetime import date

import pytest

from heliograph.runs.questionnaires import (
    MAX_BYTES,
    MAX_ROWS,
    FileProblem,
    LineState,
    check_questionnaires,
    import_checked,
    parse_questionnaires,
)
from heliograph.store import (
    ConstraintError,
    NewQuestionnaire,
    count_questionnaires,
    delete_questionnaires,
    import_questionnaires,
    load_questionnaires,
    save_participant,
)

TODAY = date(2026, 4, 1)
HEADER = "label,date,instrument,score\n"


def add_participant(store, label):
    return save_participant(
        store, label=label, date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )


def check(store, text):
    content = text.encode() if isinstance(text, str) else text
    return check_questionnaires(store, parse_questionnaires(content), today=TODAY)


def states(store, *rows):
    return [line.state for line in check(store, HEADER + "\n".join(rows)).lines]


@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_encodings_and_line_ends_are_understood(mark, encoding, end):
    text = end.join(
        [mark.join(["label", "date", "instrument", "score"]), mark.join(["Zoë", "2026-03-02", "PHQ-9", "7"])]
    )
    parsed = parse_questionnaires(text.encode(encoding))
    (line,) = parsed.lines
    assert (line.label, line.answered_local, line.instrument, line.value) == ("Zoë", "2026-03-02", "PHQ-9", 7)
    assert (line.state, parsed.delimiter) == (LineState.READY, mark)


def test_columns_are_found_by_their_names_in_any_order_beside_others():
    parsed = parse_questionnaires(
        b"Total Score;visit;Questionnaire;Answered_on;Participant\n12,5;1;PSS;2026-03-02;P-1\n"
    )
    (line,) = parsed.lines
    assert (line.label, line.instrument, line.value) == ("P-1", "PSS", 12.5)


def test_a_quoted_field_may_hold_delimiters_and_line_ends_and_a_spreadsheets_first_line_is_skipped():
    parsed = parse_questionnaires(b'sep=;\nlabel;date;instrument;score\n"P;1";2026-03-02;"PSS\n(short)";3\n')
    (line,) = parsed.lines
    assert (line.label, line.instrument) == ("P;1", "PSS\n(short)")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"\xef\xbb\xbf \n", FileProblem.EMPTY),
        (HEADER.encode(), FileProblem.EMPTY),
        (HEADER.encode() + b"\n,,,\n", FileProblem.EMPTY),
        (b"PK\x03\x04\x14\x00\x06\x00", FileProblem.NOT_TEXT),
        (b"who,when,what\n1,2,3\n", FileProblem.NO_COLUMNS),
        (HEADER.encode() + b'"' + b"x" * 200_000 + b'",2026-03-02,PSS,1', FileProblem.BROKEN),
        (b"x" * (MAX_BYTES + 1), FileProblem.TOO_LARGE),
        (HEADER.encode() + b"a,2026-03-02,PSS,1\n" * (MAX_ROWS + 1), FileProblem.TOO_MANY_ROWS),
    ],
    ids=["nothing", "blank", "header only", "empty rows", "spreadsheet", "columns", "huge field", "large", "rows"],
)
def test_a_file_that_cannot_be_read_says_why_and_has_no_lines(content, problem):
    parsed = parse_questionnaires(content)
    assert parsed.problem is problem
    assert not parsed.lines


def test_missing_columns_are_named_with_those_that_are_there():
    parsed = parse_questionnaires(b"label;day;result\nP-1;2026-03-02;3\n")
    assert parsed.missing == ("instrument", "score")
    assert parsed.header == ("label", "day", "result")


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02 08:15", "2026-03-02T08:15:00"),
        ("2026-03-02T08:15:30", "2026-03-02T08:15:30"),
    ],
)
def test_iso_days_and_moments_are_taken(store, text, answered):
    add_participant(store, "P-1")
    (line,) = check(store, f"{HEADER}P-1,{text},PSS,3").lines
    assert (line.state, line.answered_local) == (LineState.READY, answered)


@pytest.mark.parametrize(
    "text", ["03/04/2026", "2.3.2026", "2026-02-30", "2026-3-2", "20260302", "2026-03-02T08:15:00Z", "2026-W10-1"]
)
def test_other_dates_are_refused_since_they_can_be_read_in_two_ways(store, text):
    add_participant(store, "P-1")
    assert states(store, f"P-1,{text},PSS,3") == [LineState.BAD_DATE]


@pytest.mark.parametrize("text", ["", "n/a", "nan", "inf", "1e3", "1.234,5", "--3", "7 points", "0x10"])
def test_a_score_that_is_no_plain_number_is_refused(store, text):
    add_participant(store, "P-1")
    assert states(store, f'P-1,2026-03-02,PSS,"{text}"')[0] in (LineState.BAD_SCORE, LineState.EMPTY_FIELD)


def test_every_line_has_its_own_reason(store):
    add_participant(store, "P-1")
    assert states(
        store, "P-1,2026-03-02,PSS,3", "p-1,2026-03-03,PSS,3", "P-9,2026-03-03,PSS,3", "P-1,2026-04-02,PSS,3",
        "P-1,,PSS,3", "P-1,2026-03-04," + "x" * 61 + ",3", "P-1,2026-03-05",
    ) == [
        LineState.READY, LineState.UNKNOWN_LABEL, LineState.UNKNOWN_LABEL, LineState.FUTURE_DATE,
        LineState.EMPTY_FIELD, LineState.LONG_INSTRUMENT, LineState.EMPTY_FIELD,
    ]  # fmt: skip


def test_a_label_in_another_spelling_is_not_matched_but_the_right_one_is_named(store):
    add_participant(store, "Site-A 007")
    lines = check(store, HEADER + "site-a 007,2026-03-02,PSS,3\nnobody,2026-03-02,PSS,3").lines
    assert [line.hint for line in lines] == ["Site-A 007", ""]
    assert all(line.state is LineState.UNKNOWN_LABEL for line in lines)


def test_of_equal_lines_the_first_counts_and_of_unequal_ones_none(store):
    add_participant(store, "P-1")
    checked = check(
        store, HEADER + "P-1,2026-03-02,PSS,3\nP-1,2026-03-02,pss,3\nP-1,2026-03-03,PSS,4\nP-1,2026-03-03,PSS,5"
    )
    assert [line.state for line in checked.lines] == [
        LineState.READY, LineState.TWICE_IN_FILE, LineState.CONFLICT_IN_FILE, LineState.CONFLICT_IN_FILE,
    ]  # fmt: skip
    assert checked.lines[2].hint == "5 in line 5"
    assert import_checked(store, checked, source="one") == 1


def test_what_is_in_the_workspace_is_told_apart_from_what_contradicts_it(store):
    person = add_participant(store, "P-1")
    known = NewQuestionnaire(participant_id=person, answered_local="2026-03-02", instrument="PSS", score=3)
    import_questionnaires(store, [known], source="earlier")
    checked = check(store, HEADER + "P-1,2026-03-02,Pss,3\nP-1,2026-03-02,PSS,4\nP-1,2026-03-03,pSS,4")
    assert [line.state for line in checked.lines] == [
        LineState.ALREADY_THERE, LineState.CONFLICT_WITH_STORE, LineState.READY,
    ]  # fmt: skip
    assert checked.lines[1].hint == "3"
    assert checked.respelled == {"Pss": "PSS", "pSS": "PSS"}


def test_checking_writes_nothing_importing_writes_once_and_the_import_can_be_taken_back(store):
    add_participant(store, "P-1")
    add_participant(store, "P-2")
    text = HEADER + "P-1,2026-03-02,PSS,3\nP-2,2026-03-02 09:00,PSS,17\nP-3,2026-03-02,PSS,1"
    checked = check(store, text)
    assert count_questionnaires(store) == 0
    assert import_checked(store, checked, source="pss.csv") == 2
    assert import_checked(store, checked, source="pss.csv again") == 0
    assert list(load_questionnaires(store)["score"]) == [3, 17]
    assert check(store, text).count(LineState.ALREADY_THERE) == 2
    assert delete_questionnaires(store, source="pss.csv") == 2
    assert count_questionnaires(store) == 0


def test_a_conflict_that_came_up_after_the_check_stops_the_whole_import(store):
    person = add_participant(store, "P-1")
    checked = check(store, HEADER + "P-1,2026-03-01,PSS,3\nP-1,2026-03-02,PSS,3")
    other = NewQuestionnaire(participant_id=person, answered_local="2026-03-02", instrument="PSS", score=9)
    import_questionnaires(store, [other], source="meanwhile")
    with pytest.raises(ConstraintError):
        import_checked(store, checked, source="late")
    assert count_questionnaires(store) == 1
