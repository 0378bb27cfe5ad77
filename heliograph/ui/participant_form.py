"""Choosing a participant, or entering a new one."""

from __future__ import annotations

import calendar
from datetime import date

import streamlit as st

from heliograph.store import (
    Participant,
    Store,
    UnknownRecordError,
    load_participant,
    load_participant_by_label,
    save_participant,
    search_participants,
)
from heliograph.ui.demographics import describe_accent, describe_language, describe_sex
from heliograph.ui.markup import escape
from heliograph.ui.waiting import describe_owner
from thymia_api import Accent, BirthSex, LanguageCode

__all__ = ["choose_participant"]

OFFERED = 500  # More than this and one has to type a part of the label first.
OLDEST_YEAR = 1900
UNKNOWN = "Unknown"
MAX_LABEL = 50
LOCKED = "The recording that is being made belongs to {whose}. Stop it to choose another participant."
NOT_THIS_ONE = (
    "The recording that is being made belongs to **{whose}**: it had begun before {chosen} was chosen."
    " To record {chosen}, stop it and start again."
)
FIELD_PX, FORM_PX = 280, 640
URL_NAME = "participant"


def choose_participant(
    store: Store, *, key: str, recording: bool = False, recorded: int | None = None
) -> Participant | None:
    """Draw the choice between an existing and a new participant; None until there is one.

    While something is being recorded nobody else can be chosen: what is heard belongs to the participant
    `recorded` (None: not known). Who was chosen before the page knew of the recording stays, and it is said whose
    the recording is.
    """
    saved = st.session_state.pop(f"{key}_saved", None)
    if saved:  # A widget's value can only be set before it is drawn.
        st.session_state[f"{key}_kind"], st.session_state[f"{key}_label"] = "Existing", saved
    else:
        _take_from_url(store, key)
    whose = "this participant" if recorded is None else describe_owner(store, recorded)
    locked = LOCKED.format(whose=whose) if recording else None
    offered = search_participants(store, limit=OFFERED + 1)
    st.session_state.setdefault(f"{key}_kind", "Existing" if offered else "New")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    # Without persist_state a value given here is told to the browser in this run only, and is lost where the
    # browser is still fetching the field itself when the next run begins.
    wanted = row.segmented_control(
        "Participant",
        ["Existing", "New"],
        key=f"{key}_kind",
        required=True,
        persist_state="page",
        disabled=recording,
        help=locked,
    )
    if wanted == "New":
        if _details_form(store, f"{key}_new", None):
            st.session_state[f"{key}_saved"] = st.session_state[f"{key}_new_label"].strip()
            st.rerun()
        return None
    with row:
        if len(offered) > OFFERED:
            text = st.text_input("Find by the beginning of the label", key=f"{key}_find", width=FIELD_PX)
            offered = search_participants(store, text, limit=OFFERED)
        labels = [participant.label for participant in offered[:OFFERED]]
        label = st.selectbox(
            "Label",
            labels,
            index=None,
            key=f"{key}_label",
            width=FIELD_PX,
            persist_state="page",
            disabled=recording,
            help=locked,
            placeholder="Choose or type to search" if labels else "No participant yet: choose New",
        )
    found = load_participant_by_label(store, label) if label else None
    if found is None:
        st.query_params.pop(URL_NAME, None)
    else:
        st.query_params[URL_NAME] = str(found.id)
        st.session_state[f"{key}_last"] = found.id  # Survives a look at another page.
        with row.container(horizontal=True, vertical_alignment="center", width="content", gap="xsmall"):
            st.caption(_describe(found), width="content")
            if st.button("Edit details", key=f"{key}_edit", type="tertiary", icon=":material/edit:"):
                _edit_dialog(found, key)
        if recording and recorded not in (None, found.id):
            st.warning(
                NOT_THIS_ONE.format(whose=whose, chosen=escape(found.label)), icon=":material/person_alert:"
            )
    return found


def _take_from_url(store: Store, key: str) -> None:
    """A reload or a shared link keeps the participant, by number: a label has no place in an address."""
    number = st.query_params.get(URL_NAME) or str(st.session_state.get(f"{key}_last", ""))
    if f"{key}_label" in st.session_state or not number.isdecimal():
        return
    try:
        participant = load_participant(store, int(number))
    except (UnknownRecordError, OverflowError):
        return
    st.session_state[f"{key}_kind"], st.session_state[f"{key}_label"] = "Existing", participant.label


@st.dialog("Edit participant")
def _edit_dialog(participant: Participant, key: str) -> None:
    from heliograph.ui.workspace import get_workspace

    st.caption("Changes apply to new runs; runs already submitted keep what was sent with them.")
    if _details_form(get_workspace().store, f"{key}_edited", participant):
        st.rerun()


def _details_form(store: Store, key: str, known: Participant | None) -> bool:
    """The form itself; saves and returns True when it was sent and everything in it is right."""
    born = known.date_of_birth.split("-") if known else None
    languages, sexes = [code.value for code in LanguageCode], [sex.value for sex in BirthSex]
    accents = [None, *(accent.value for accent in Accent)]
    with st.form(key, border=False, width=FORM_PX):
        label = st.text_input(
            "Label",
            value=known.label if known else "",
            max_chars=MAX_LABEL,
            disabled=known is not None,
            key=f"{key}_label",
            placeholder="A code such as P-017, never a name",
            help="A code such as P-017. Never a name, an e-mail address or anything that identifies a person.",
        )
        year_box, month_box, day_box = st.columns(3)
        year = year_box.number_input(
            "Year of birth",
            OLDEST_YEAR,
            date.today().year,
            value=int(born[0]) if born else None,
            step=1,
            key=f"{key}_year",
            placeholder="e.g. 1990",
        )
        month = month_box.selectbox(
            "Month of birth",
            range(13),
            index=int(born[1]) if born else 0,
            format_func=lambda number: calendar.month_name[number] or UNKNOWN,
            key=f"{key}_month",
        )
        day = day_box.selectbox(
            "Day of birth",
            range(32),
            index=int(born[2]) if born else 0,
            format_func=lambda number: str(number) if number else UNKNOWN,
            key=f"{key}_day",
        )
        sex = st.selectbox(
            "Birth sex",
            sexes,
            index=sexes.index(known.birth_sex) if known else None,
            format_func=describe_sex,
            key=f"{key}_sex",
            placeholder="Choose",
            help="Scores are compared with people of the same age, birth sex and language.",
        )
        language_box, accent_box = st.columns(2)
        language = language_box.selectbox(
            "Language spoken",
            languages,
            index=languages.index(known.language if known else "en-GB"),
            format_func=describe_language,
            key=f"{key}_language",
        )
        accent = accent_box.selectbox(
            "Accent (optional)",
            accents,
            index=accents.index(known.accent) if known else 0,
            format_func=describe_accent,
            key=f"{key}_accent",
        )
        sent = st.form_submit_button("Save participant", type="primary")
    if not sent:
        return False
    born_on, problem = _date_of_birth(year, month, day)
    needed = (("a label", label.strip()), ("the year of birth", year), ("the birth sex", sex))
    if missing := [name for name, value in needed if not value]:
        problem = f"Enter {', '.join(missing)}. Month and day of birth may stay unknown."
    if known is None and label.strip() and load_participant_by_label(store, label.strip()):
        problem = "A participant with this label exists already: choose Existing, or another label."
    if problem or born_on is None:
        st.error(problem)
        return False
    save_participant(
        store,
        label=known.label if known else label.strip(),
        date_of_birth=born_on.isoformat(),
        birth_sex=str(sex),
        language=str(language),
        accent=accent,
    )
    return True


def _date_of_birth(year: int | None, month: int, day: int) -> tuple[date | None, str]:
    """The date as thymia wants it (unknown parts as 01), or what is wrong with it."""
    if year is None:
        return None, "Enter the year of birth; month and day may stay unknown."
    if day and not month:
        return None, "Choose the month of birth too, or set the day to unknown."
    try:
        born = date(int(year), month or 1, day or 1)
    except ValueError:
        return None, f"{calendar.month_name[month]} {year} has no day {day}."
    if born >= date.today():
        return None, "The date of birth lies in the future."
    return born, ""


def _describe(participant: Participant) -> str:
    parts = [
        f"Born {participant.date_of_birth}",
        describe_sex(participant.birth_sex),
        describe_language(participant.language),
    ]
    if participant.accent:
        parts.append(f"accent {describe_accent(participant.accent)}")
    return " · ".join(parts)
