"""Questionnaire totals from a CSV file: read with tolerance, checked line by line, written only when told to.

`parse_questionnaires` reads bytes, `check_questionnaires` compares the lines with the workspace, and
`import_checked` writes those that are ready in one transaction. A file that can't be read and a line that can't be
taken are data, not exceptions: each line has exactly one state, and the words for it are the page's.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from heliograph.store import (
    NewQuestionnaire,
    Store,
    find_participants_by_label,
    import_questionnaires,
    load_questionnaires,
    search_participants,
)

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "CheckedFile",
    "FileProblem",
    "Line",
    "LineState",
    "ParsedFile",
    "check_questionnaires",
    "import_checked",
    "parse_questionnaires",
]

MAX_BYTES, MAX_ROWS, MAX_INSTRUMENT = 5_000_000, 50_000, 60
FIELDS = ("label", "date", "instrument", "score")
DELIMITERS = (";", ",", "\t")
COLUMN_NAMES: Mapping[str, frozenset[str]] = {
    "label": frozenset({"label", "participant", "participantlabel", "subject", "code", "id", "userlabel"}),
    "date": frozenset({"date", "day", "answered", "answeredon", "answeredlocal", "datetime", "when"}),
    "instrument": frozenset({"instrument", "questionnaire", "scale", "test", "measure"}),
    "score": frozenset({"score", "total", "totalscore", "sum", "value", "points"}),
}
ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
# Looking for a label in another spelling costs a query each.
MAX_HINTS = 50


class FileProblem(StrEnum):
    """Why nothing of a file can be read."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    NOT_TEXT = "not_text"
    NO_COLUMNS = "no_columns"
    BROKEN = "broken"


class LineState(StrEnum):
    """What becomes of a line; only `READY` ones are written."""

    READY = "ready"
    ALREADY_THERE = "already_there"
    TWICE_IN_FILE = "twice_in_file"
    UNKNOWN_LABEL = "unknown_label"
    EMPTY_FIELD = "empty_field"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    BAD_SCORE = "bad_score"
    LONG_INSTRUMENT = "long_instrument"
    CONFLICT_IN_FILE = "conflict_in_file"
    CONFLICT_WITH_STORE = "conflict_with_store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the file as typed, and what was understood; `hint` is the evidence for its state: the empty
    field's name, a label in another spelling, the score that is there already."""

    number: int
    label: str
    date: str
    instrument: str
    score: str
    state: LineState = LineState.READY
    hint: str = ""
    answered_local: str = ""
    value: float = math.nan
    participant_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """The lines of a file; with a `problem` there are none. `missing` names the columns that were not found,
    `header` those that were there."""

    lines: tuple[Line, ...] = ()
    problem: FileProblem | None = None
    missing: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """Every line with its state at the moment of the check; `respelled` maps an instrument's spelling in the file
    to the one that is kept."""

    lines: tuple[Line, ...]
    respelled: Mapping[str, str]

    @property
    def ready(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.state is LineState.READY)

    def count(self, *states: LineState) -> int:
        return sum(line.state in states for line in self.lines)


def parse_questionnaires(content: bytes) -> ParsedFile:
    """Read a CSV with columns for label, date, instrument and score, in any order, beside others.

    Delimiters are `;`, `,` or a tab; a byte order mark, a `sep=` line, quotes, decimal commas, UTF-16 and
    Windows-1252 are understood. Dates are `2026-03-31`, with a time if wanted (`2026-03-31 08:15`).
    """
    if len(content) > MAX_BYTES:
        return ParsedFile(problem=FileProblem.TOO_LARGE)
    text, encoding = _decode(content)
    if text is None:
        return ParsedFile(problem=FileProblem.NOT_TEXT)
    if text[:4].casefold() == "sep=":
        text = text.partition("\n")[2]
    if not text.strip():
        return ParsedFile(problem=FileProblem.EMPTY, encoding=encoding)
    delimiter = max(DELIMITERS, key=lambda mark: len(_find_columns(_read_header(text, mark))))
    header = _read_header(text, delimiter)
    columns = _find_columns(header)
    found = ParsedFile(header=tuple(header), delimiter=delimiter, encoding=encoding)
    if missing := tuple(name for name in FIELDS if name not in columns):
        return replace(found, problem=FileProblem.NO_COLUMNS, missing=missing)
    try:
        lines = _read_lines(text, delimiter, columns)
    except csv.Error:
        return replace(found, problem=FileProblem.BROKEN)
    if len(lines) > MAX_ROWS:
        return replace(found, problem=FileProblem.TOO_MANY_ROWS)
    if not lines:
        return replace(found, problem=FileProblem.EMPTY)
    return replace(found, lines=tuple(lines))


def check_questionnaires(store: Store, parsed: ParsedFile, *, today: date) -> CheckedFile:
    """Compare a file's lines with the workspace; nothing is written. `today` is the latest date that is taken."""
    lines, respelled = _unify_instruments(parsed.lines, _known_instruments(store))
    lines = [_refuse_future(line, today) for line in lines]
    lines = _match_labels(store, lines)
    return CheckedFile(lines=tuple(_mark_repeats(lines, _load_known(store, lines))), respelled=respelled)


def import_checked(store: Store, checked: CheckedFile, *, source: str) -> int:
    """Write the lines that are ready, in one transaction, under the name `source`; returns how many were new.

    Raises the store's error, and writes nothing, when another import made a conflict in the meantime.
    """
    rows = [
        NewQuestionnaire(
            participant_id=line.participant_id,
            answered_local=line.answered_local,
            instrument=line.instrument,
            score=line.value,
        )
        for line in checked.ready
        if line.participant_id is not None
    ]
    return import_questionnaires(store, rows, source=source)


def _decode(content: bytes) -> tuple[str | None, str]:
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Text has no control characters but tabs and ends of lines; a spreadsheet's own file has many.
        if not any(unicodedata.category(char) == "Cc" and char not in "\t\r\n" for char in text[:2000]):
            return text, encoding.removesuffix("-sig")
    return None, ""


def _read_header(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]
    except csv.Error:
        return []


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    """The position of each field; the first column with a fitting name wins."""
    plain = ["".join(char for char in name.casefold() if char.isalnum()) for name in header]
    return {
        field: position
        for field, names in COLUMN_NAMES.items()
        if (position := next((at for at, name in enumerate(plain) if name in names), None)) is not None
    }


def _read_lines(text: str, delimiter: str, columns: Mapping[str, int]) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(reader)
    lines = []
    for row in reader:
        cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
        if any(cells.values()):
            lines.append(
                _read_line(
                    Line(
                        number=reader.line_num,
                        label=cells["label"],
                        date=cells["date"],
                        instrument=cells["instrument"],
                        score=cells["score"],
                    )
                )
            )
    return lines


def _read_line(line: Line) -> Line:
    for name in FIELDS:
        if not getattr(line, name):
            return replace(line, state=LineState.EMPTY_FIELD, hint=name)
    if len(line.instrument) > MAX_INSTRUMENT:
        return replace(line, state=LineState.LONG_INSTRUMENT, hint=str(MAX_INSTRUMENT))
    answered = _read_date(line.date)
    if answered is None:
        return replace(line, state=LineState.BAD_DATE)
    if not NUMBER.fullmatch(line.score) or not math.isfinite(value := float(line.score.replace(",", "."))):
        return replace(line, state=LineState.BAD_SCORE)
    return replace(line, answered_local=answered, value=value)


def _read_date(text: str) -> str | None:
    """A day as `YYYY-MM-DD`, a moment as `YYYY-MM-DDTHH:MM:SS`; None for anything else."""
    if not ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return f"{moment:%Y-%m-%d}" if len(text) == len("2026-03-31") else moment.isoformat(timespec="seconds")


def _known_instruments(store: Store) -> list[str]:
    return sorted({str(name) for name in load_questionnaires(store)["instrument"]})


def _unify_instruments(lines: Sequence[Line], known: Iterable[str]) -> tuple[list[Line], dict[str, str]]:
    """One spelling for each instrument: the workspace's own, else the first one of the file."""
    spelling = {_fold(name): name for name in known}
    respelled: dict[str, str] = {}
    unified = []
    for line in lines:
        name = spelling.setdefault(_fold(line.instrument), line.instrument)
        if name != line.instrument and line.state is LineState.READY:
            respelled[line.instrument] = name
        unified.append(replace(line, instrument=name))
    return unified, respelled


def _refuse_future(line: Line, today: date) -> Line:
    late = line.state is LineState.READY and line.answered_local[:10] > today.isoformat()
    return replace(line, state=LineState.FUTURE_DATE) if late else line


def _match_labels(store: Store, lines: Sequence[Line]) -> list[Line]:
    labels = sorted({line.label for line in lines if line.state is LineState.READY})
    ids = find_participants_by_label(store, labels)
    unknown = [label for label in labels if label not in ids]
    hints = {label: _find_other_spelling(store, label) for label in unknown[:MAX_HINTS]}
    matched = []
    for line in lines:
        if line.state is LineState.READY:
            line = (
                replace(line, participant_id=ids[line.label])
                if line.label in ids
                else replace(line, state=LineState.UNKNOWN_LABEL, hint=hints.get(line.label, ""))
            )
        matched.append(line)
    return matched


def _find_other_spelling(store: Store, label: str) -> str:
    found = search_participants(store, label, limit=5)
    return next((person.label for person in found if _fold(person.label) == _fold(label)), "")


_Key = tuple[int, str, str]


def _load_known(store: Store, lines: Sequence[Line]) -> dict[_Key, float]:
    """The scores in the workspace for the participants of these lines."""
    if not any(line.state is LineState.READY for line in lines):
        return {}
    frame = load_questionnaires(store)
    return {
        (int(person), _to_key_time(answered), str(instrument)): float(score)
        for person, answered, instrument, score in zip(
            frame["participant_id"], frame["answered_local"], frame["instrument"], frame["score"], strict=True
        )
    }


def _mark_repeats(lines: Sequence[Line], known: Mapping[_Key, float]) -> list[Line]:
    """Lines about the same answer: the first of equal ones counts; of unequal ones none does."""
    seen: dict[_Key, list[Line]] = {}
    for line in lines:
        if line.state is LineState.READY and line.participant_id is not None:
            seen.setdefault(_key_of(line), []).append(line)
    states: dict[int, Line] = {}
    for key, group in seen.items():
        for place, line in enumerate(group):
            states[line.number] = _compare(line, place, group, known.get(key))
    return [states.get(line.number, line) for line in lines]


def _compare(line: Line, place: int, group: Sequence[Line], known: float | None) -> Line:
    if known == line.value:
        return replace(line, state=LineState.ALREADY_THERE)
    if known is not None:
        return replace(line, state=LineState.CONFLICT_WITH_STORE, hint=f"{known:g}")
    other = next((entry for entry in group if entry.value != line.value), None)
    if other is not None:
        return replace(line, state=LineState.CONFLICT_IN_FILE, hint=f"{other.value:g} in line {other.number}")
    return replace(line, state=LineState.TWICE_IN_FILE, hint=str(group[0].number)) if place else line


def _key_of(line: Line) -> _Key:
    return (line.participant_id or 0, _to_key_time(line.answered_local), line.instrument)


def _to_key_time(answered: object) -> str:
    """A day and its midnight are the same moment, whether the store answers with text or a datetime."""
    text = str(answered).replace(" ", "T")
    return text[:10] if text[10:] in ("", "T00:00:00") else text[:19]


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
