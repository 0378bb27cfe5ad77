"""Questionnaire totals from a CSV file: a preview says line by line what would be written, then one press writes
it; every import can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.runs.questionnaires import (
    MAX_BYTES,
    MAX_ROWS,
    CheckedFile,
    FileProblem,
    Line,
    LineState,
    ParsedFile,
    check_questionnaires,
    import_checked,
    parse_questionnaires,
)
from heliograph.store import (
    StoreError,
    count_questionnaires,
    delete_questionnaires,
    load_questionnaire_sources,
)
from heliograph.ui.buttons import sure_button
from heliograph.ui.formats import plain_line
from heliograph.ui.markup import escape
from heliograph.ui.problems import show_problem
from heliograph.ui.session_form import local_now
from heliograph.ui.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_line", "show_questionnaires"]

PREFIX = "selfreport_import"
FORM_PX = 640
SHOWN_LINES, SHOWN_SPELLINGS = 500, 5
MAX_NAME = 80
DELIMITER_NAMES = {";": "semicolons", ",": "commas", "\t": "tabs"}
EXAMPLE = "label;date;instrument;score\nP-001;2026-03-02;PSS-10;17\nP-002;2026-03-02;PSS-10;9\n"
FILE_PROBLEMS = {
    FileProblem.EMPTY: "The file holds no lines below its header.",
    FileProblem.TOO_LARGE: f"The file is larger than {MAX_BYTES // 1_000_000} MB. Split it.",
    FileProblem.TOO_MANY_ROWS: f"The file has more than {MAX_ROWS:,} lines. Split it.",
    FileProblem.NOT_TEXT: "This is no text file. In the spreadsheet choose Save as and CSV.",
    FileProblem.BROKEN: "A field of the file has no end: a quotation mark is missing or is one too many.",
}
STATES = {
    LineState.READY: "New",
    LineState.ALREADY_THERE: "Already there",
    LineState.TWICE_IN_FILE: "Twice in the file",
    LineState.UNKNOWN_LABEL: "No such participant",
    LineState.EMPTY_FIELD: "Empty field",
    LineState.BAD_DATE: "Date not readable",
    LineState.FUTURE_DATE: "Date in the future",
    LineState.BAD_SCORE: "Score is no number",
    LineState.LONG_INSTRUMENT: "Instrument's name too long",
    LineState.CONFLICT_IN_FILE: "Contradicts the file",
    LineState.CONFLICT_WITH_STORE: "Contradicts the workspace",
}
HARMLESS = (LineState.READY, LineState.ALREADY_THERE, LineState.TWICE_IN_FILE)


def show_questionnaires(workspace: Workspace) -> None:
    """Draw the upload with its preview, and the imports so far."""
    st.subheader("Import totals", anchor=False)
    _show_upload(workspace)
    st.subheader("Imports so far", anchor=False)
    with st.container(width=FORM_PX):
        _show_sources(workspace)


def describe_line(line: Line) -> str:
    """What is to be done about a line, or what was done, in one sentence; empty for one that is new."""
    hint = plain_line(line.hint)
    match line.state:
        case LineState.UNKNOWN_LABEL:
            return f"Is {hint} meant?" if hint else "Add the participant on Record first, or correct the label."
        case LineState.EMPTY_FIELD:
            return f"The {hint} is missing."
        case LineState.BAD_DATE:
            return "Write it as 2026-03-31; other forms can be read in two ways."
        case LineState.FUTURE_DATE:
            return "Correct the date."
        case LineState.BAD_SCORE:
            return "Write one number, such as 17 or 17.5."
        case LineState.LONG_INSTRUMENT:
            return f"At most {hint} characters."
        case LineState.CONFLICT_IN_FILE:
            return f"The score is {hint}; neither is imported. Correct the file."
        case LineState.CONFLICT_WITH_STORE:
            return f"The workspace has {hint}. Delete that import first if this one is right."
        case LineState.TWICE_IN_FILE:
            return f"Same as line {hint}; imported once."
        case _:
            return ""


def _show_upload(workspace: Workspace) -> None:
    if message := st.session_state.pop(f"{PREFIX}_done", None):
        st.success(message, icon=":material/check:")
    serial = st.session_state.setdefault(f"{PREFIX}_serial", 0)
    file = st.file_uploader(
        "CSV with the columns label, date, instrument and score", type=["csv", "txt", "tsv"],
        key=f"{PREFIX}_file_{serial}", width=FORM_PX, max_upload_size=max(1, MAX_BYTES // 1_000_000),
    )  # fmt: skip
    if file is None:
        st.caption(
            "One line for each answered questionnaire, separated by commas, semicolons or tabs; dates as"
            " 2026-03-31. Nothing is written before you have seen the preview."
        )
        st.code(EXAMPLE, language=None)
        return
    parsed = parse_questionnaires(file.getvalue())
    if parsed.problem is not None:
        st.error(_describe_problem(parsed))
        return
    checked = check_questionnaires(workspace.store, parsed, today=local_now().date())
    _show_preview(checked, parsed)
    ready = len(checked.ready)
    if not ready:
        st.info("There is nothing new to import in this file.")
        return
    label = f"Import {ready:,} total{'s' if ready > 1 else ''}"
    if sure_button(label, key=f"{PREFIX}_go", kind="primary", icon=":material/playlist_add:"):
        _import(workspace, checked, file.name)


def _describe_problem(parsed: ParsedFile) -> str:
    if parsed.problem is not FileProblem.NO_COLUMNS:
        return FILE_PROBLEMS.get(parsed.problem or FileProblem.EMPTY, "The file can't be read.")
    missing = ", ".join(parsed.missing)
    there = ", ".join(escape(name[:40]) for name in parsed.header[:12] if name) or "none"
    return f"No column for: {missing}. The file has: {there}. Name them label, date, instrument and score."


def _show_preview(checked: CheckedFile, parsed: ParsedFile) -> None:
    left_out = len(checked.lines) - checked.count(*HARMLESS)
    known = checked.count(LineState.ALREADY_THERE, LineState.TWICE_IN_FILE)
    st.markdown(f"**{len(checked.ready):,} new** · {known:,} known already · **{left_out:,} left out**")
    told = f"Separated by {DELIMITER_NAMES[parsed.delimiter]}"
    told += ", read as Windows-1252: check letters with accents." if parsed.encoding == "cp1252" else "."
    spelt = [f"{escape(written)} is read as {escape(kept)}." for written, kept in checked.respelled.items()]
    st.caption(" ".join([told, *spelt[:SHOWN_SPELLINGS]]))
    st.dataframe(
        _make_preview(checked), hide_index=True, key=f"{PREFIX}_preview",
        column_config={
            "Line": st.column_config.NumberColumn(format="%d", width=55),
            "Participant": st.column_config.TextColumn(width=105),
            "Date": st.column_config.TextColumn(width=105),
            "Instrument": st.column_config.TextColumn(width=105),
            "Score": st.column_config.TextColumn(width=65),
            "What happens": st.column_config.TextColumn(width=165),
            "Why, and what to do": st.column_config.TextColumn(width=440),
        },
        alt="Lines of the file and what happens to each; those that are left out come first",
    )  # fmt: skip
    if len(checked.lines) > SHOWN_LINES:
        st.caption(f"The first {SHOWN_LINES} of {len(checked.lines):,} lines; those that are left out come first.")


def _make_preview(checked: CheckedFile) -> pd.DataFrame:
    import pandas as pd

    lines = sorted(checked.lines, key=lambda line: (line.state in HARMLESS, line.number))[:SHOWN_LINES]
    return pd.DataFrame(
        {
            "Line": [line.number for line in lines],
            "What happens": [STATES[line.state] for line in lines],
            "Participant": [plain_line(line.label) for line in lines],
            "Date": [plain_line(line.date) for line in lines],
            "Instrument": [plain_line(line.instrument) for line in lines],
            "Score": [plain_line(line.score) for line in lines],
            "Why, and what to do": [describe_line(line) for line in lines],
        }
    )


def _import(workspace: Workspace, checked: CheckedFile, file_name: str) -> None:
    source = f"{plain_line(file_name)[:MAX_NAME]} · {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    try:
        written = import_checked(workspace.store, checked, source=source)
    except (StoreError, ValueError) as error:
        show_problem(error)
        return
    st.session_state[f"{PREFIX}_done"] = f"Imported {written:,} of {len(checked.lines):,} lines."
    st.session_state[f"{PREFIX}_serial"] += 1
    st.rerun()


def _show_sources(workspace: Workspace) -> None:
    sources = load_questionnaire_sources(workspace.store)
    if not sources:
        st.caption("None.")
        return
    st.caption(f"{count_questionnaires(workspace.store):,} totals in all.")
    for number, (source, n) in enumerate(sources.items()):
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"{escape(source)}  \n{n:,} total{'s' if n != 1 else ''}", width="stretch")
            with st.popover("Delete", icon=":material/delete:", key=f"{PREFIX}_ask_{number}"):
                st.markdown(f"Delete the {n:,} totals of this import? Runs and ratings stay.")
                if sure_button("Delete these totals", key=f"{PREFIX}_delete_{number}", kind="primary"):
                    _delete(workspace, source)


def _delete(workspace: Workspace, source: str) -> None:
    try:
        gone = delete_questionnaires(workspace.store, source=source)
    except StoreError as error:
        show_problem(error)
        return
    st.session_state[f"{PREFIX}_done"] = f"Deleted {gone:,} totals."
    st.rerun()
