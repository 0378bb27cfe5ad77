"""Trends as a person uses it: the verdict, flags, dated notes, and what the address keeps."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
import streamlit as st

from heliograph.store import (
    StoreBusyError,
    StudySettings,
    add_event,
    dismiss_flag,
    load_events,
    load_flags,
    load_open_flags,
    save_study_settings,
)
from heliograph.ui.trend_flags import NOTICE_KEY
from tests.pages import demo

STEADY = (0.40, 0.42, 0.38, 0.41, 0.39)


@pytest.fixture
def drifting(store, person):
    """Five steady days, then six far above; the runs' other scores scatter around it."""
    first = datetime.now().replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=11)
    for day, score in enumerate([*STEADY, *[0.85] * 6]):
        demo.add_session(store, person, first + timedelta(days=day), key=str(day), score=score)
    return person


def spec(app):
    return json.dumps(json.loads(app.get("plotly_chart")[0].proto.spec), ensure_ascii=False)


def click(app, key):
    app.button(key=key).click().run()
    assert not app.exception, [entry.message for entry in app.exception]


def find_keys(app, prefix):
    return [button.key for button in app.button if button.key and button.key.startswith(prefix)]


def test_the_verdict_stands_on_top_and_the_flag_in_figure_and_list(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting))
    assert any("Above own normal" in entry.value and "mental strain" in entry.value for entry in app.warning)
    assert [flag.column_name for flag in load_open_flags(store)].count("mental_strain") == 1
    assert '"name": "flag"' in spec(app)
    assert any("Mental strain above own normal" in entry.value for entry in app.markdown)


def test_three_runs_say_what_is_missing(open_page, store, person):
    for day in range(3):
        demo.add_session(store, person, datetime.now() - timedelta(days=day), key=str(day), score=0.4)
    app = open_page("trends", participant=str(person))
    assert any("Not enough runs for a baseline (3 of 5)" in entry.value for entry in app.info)
    assert "not enough runs for a baseline (3 of 5)" in spec(app)


def test_a_flag_is_dismissed_with_a_note_and_restored(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting))
    (key,) = find_keys(app, "trends_dismiss_mental_strain")
    app.text_input(key=key.replace("dismiss", "note")).set_value("new  [medication](https://e.test)").run()
    click(app, key)
    flag = next(flag for flag in load_flags(store, drifting) if flag.column_name == "mental_strain")
    assert flag.dismissed_note == "new [medication](https://e.test)"
    assert any("Dismissed on" in entry.value and "](https" not in entry.value for entry in app.caption)
    assert not any("mental strain" in entry.value and "as dismissed" not in entry.value for entry in app.warning)
    assert '"name": "dismissed flag"' in spec(app)
    click(app, find_keys(app, "trends_restore_mental_strain")[0])
    assert load_flags(store, drifting)[0].dismissed_utc is None


def test_a_run_that_is_broken_off_leaves_word_of_a_dismissal_to_the_next_one(
    open_page, store, drifting, monkeypatch
):
    app = open_page("trends", participant=str(drifting))
    waiting = []

    def break_off_once():
        waiting.append(NOTICE_KEY in st.session_state)
        if len(waiting) == 1:
            st.rerun()

    monkeypatch.setattr("heliograph.ui.trend_panel.show_disclaimer", break_off_once)
    (key,) = find_keys(app, "trends_dismiss_mental_strain")
    app.button(key=key).click().run()
    assert waiting == [True, True]
    assert [entry.value for entry in app.toast] == ["Dismissed: the flag."]
    assert not app.run().toast


def test_overview_lists_whose_drifts_nobody_looked_at_and_leads_to_the_trend(open_page, store, drifting):
    open_page("trends", participant=str(drifting))
    app = open_page("overview")
    n_open = len(load_open_flags(store))
    assert f"Needs attention ({n_open})" in [entry.value for entry in app.subheader]
    assert any("P-001" in entry.value and "newest flag" in entry.value for entry in app.text)
    assert any("Above own normal: " in entry.value for entry in app.markdown)
    app.button(key=f"overview_trend_{drifting}").click().run()
    assert not app.exception
    assert app.selectbox(key="trends_participant").value == drifting
    assert app.query_params["participant"] == str(drifting)
    for flag in load_open_flags(store):
        dismiss_flag(store, flag.key, "seen")
    assert not any("Needs attention" in entry.value for entry in open_page("overview").subheader)


def test_a_flag_of_another_biomarker_opens_with_that_one_large(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting), trends_biomarker="Exhaustion")
    assert app.selectbox(key="trends_biomarker").value == "Exhaustion"
    assert spec(app).index("<b>Exhaustion") < spec(app).index("<b>Mental strain")


@pytest.mark.parametrize("address", ["Burnout", "<b>", ""])
def test_a_biomarker_that_is_none_leads_to_mental_strain(open_page, store, drifting, address):
    app = open_page("trends", participant=str(drifting), trends_biomarker=address)
    assert app.selectbox(key="trends_biomarker").value == "Mental strain"


def test_a_dated_note_is_added_for_one_person_or_all_drawn_and_deleted(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting))
    day = date.today() - timedelta(days=4)
    app.date_input(key="trends_event_day").set_value(day)
    app.selectbox(key="trends_event_kind").set_value("exam")
    app.text_input(key="trends_event_note").set_value("final <b>one</b>")
    app.checkbox(key="trends_event_whole").set_value(True)
    click(app, "trends_event_add")
    (event,) = load_events(store, drifting)
    assert (event.participant_id, event.kind, event.on_local) == (None, "exam", f"{day}")
    assert '"name": "event"' in spec(app)
    click(app, f"trends_event_delete_{event.id}")
    assert not load_events(store, drifting)
    assert '"name": "event"' not in spec(app)


def test_a_dated_note_without_a_kind_is_not_kept(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting))
    click(app, "trends_event_add")
    assert not load_events(store, drifting)
    assert any("Choose a kind" in entry.value for entry in app.toast)


def test_kinds_of_notes_can_be_taken_out_of_the_figure(open_page, store, drifting):
    today = date.today()
    add_event(store, participant_id=drifting, on_local=f"{today - timedelta(days=3)}", kind="exam")
    add_event(store, participant_id=None, on_local=f"{today - timedelta(days=8)}", kind=demo.HOSTILE[:40])
    app = open_page("trends", participant=str(drifting))
    assert "<img" not in spec(app)
    assert "exam" in spec(app)
    app.button_group(key="trends_hidden_kinds").set_value(["exam"]).run()
    assert not app.exception
    assert "exam" not in spec(app)


def test_another_persons_notes_are_not_shown(open_page, store, drifting):
    other = demo.add_participant(store, "P-002")
    add_event(store, participant_id=other, on_local=f"{date.today()}", kind="surgery")
    assert "surgery" not in spec(open_page("trends", participant=str(drifting)))


def test_adjusting_needs_runs_and_says_how_many(open_page, store, person):
    for day in range(4):
        demo.add_session(store, person, datetime.now() - timedelta(days=day), key=str(day), score=0.4)
    app = open_page("trends", participant=str(person), trends_adjusted="true")
    assert any("Not adjusted: not enough runs with sleep times" in entry.value for entry in app.caption)


def test_what_is_drawn_besides_the_runs_can_be_chosen(open_page, store, drifting):
    app = open_page("trends", participant=str(drifting))
    assert '"name": "EWMA"' in spec(app)
    app.button_group(key="trends_parts").set_value(["Slope"]).run()
    assert not app.exception
    assert '"name": "EWMA"' not in spec(app)
    assert '"name": "Hours slept"' not in spec(app)
    assert '"name": "slope"' in spec(app)


def test_the_chart_is_the_one_that_settings_choose(open_page, store, drifting):
    save_study_settings(store, StudySettings(chart="cusum"))
    app = open_page("trends", participant=str(drifting))
    assert '"name": "CUSUM"' in spec(app)
    assert {flag.chart for flag in load_flags(store, drifting)} == {"cusum"}


def test_a_store_that_takes_no_flags_shows_the_trend_all_the_same(open_page, store, drifting, monkeypatch):
    def refuse(*arguments, **options):
        raise StoreBusyError("the store is busy")

    monkeypatch.setattr("heliograph.runs.flags.replace_flags", refuse)
    app = open_page("trends", participant=str(drifting))
    assert '"name": "EWMA"' in spec(app)
    assert not load_flags(store, drifting)


def test_a_person_with_errors_only_gets_a_figure_and_no_verdict(open_page, store, person):
    demo.add_session(store, person, datetime.now(), key="a", state=demo.RunState.COMPLETE_ERROR)
    app = open_page("trends", participant=str(person))
    assert "No results in this period" in spec(app)
    assert not app.success
