"""The run list filters and pages; a run's own page tells everything about it and acts on it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.store import (
    RunFilter,
    RunState,
    UnknownRecordError,
    count_runs,
    load_run,
    load_runs,
)
from tests.pages import demo

NOW = datetime(2026, 3, 2, 8, 0)


def listed(app) -> list[int]:
    return app.dataframe[0].value["Run"].tolist()


def everything(app) -> str:
    """All text of a page, as the harness sees it."""
    kinds = (
        app.markdown,
        app.text,
        app.caption,
        app.error,
        app.warning,
        app.info,
        app.subheader,
        app.json,
        app.code,
    )
    tables = [str(value) for table in app.table for value in table.value.to_numpy().ravel()]
    return "\n".join([str(entry.value) for kind in kinds for entry in kind] + tables)


def test_filters_in_the_address_choose_the_runs(open_page, store, person):
    kept = demo.add_session(store, person, NOW, key="a", tags={"phase": "baseline"})
    demo.add_session(store, person, NOW, key="b", tags={"phase": "later"})
    demo.add_session(store, person, NOW, key="c", tags={"phase": "baseline"}, state=RunState.FAILED)
    demo.add_session(store, person, NOW - timedelta(days=9), key="d", tags={"phase": "baseline"})
    address = {"runs_state": "Result ready", "runs_tag": "phase", "runs_value": "baseline"}
    app = open_page("runs", **address, runs_since="2026-03-02", runs_until="2026-03-02")
    assert listed(app) == [kept]


def test_a_search_for_a_label_finds_its_runs_and_stays_out_of_the_address(open_page, store, person):
    other = demo.add_participant(store, "Q-777")
    demo.add_session(store, person, NOW, key="a")
    found = demo.add_session(store, other, NOW, key="b")
    app = open_page("runs")
    app.text_input(key="runs_text").set_value("Q-777").run()
    assert listed(app) == [found]
    assert not any("Q-777" in value for values in app.query_params.values() for value in values)


def test_a_participant_in_the_address_is_a_number_and_can_be_taken_away(open_page, store, person):
    other = demo.add_participant(store, "Q-777")
    demo.add_session(store, person, NOW, key="a")
    found = demo.add_session(store, other, NOW, key="b")
    app = open_page("runs", participant=str(other))
    assert listed(app) == [found]
    app.button(key="runs_all").click().run()
    assert len(listed(app)) == 2


def test_older_and_newer_pages_show_every_run_once(open_page, store, person):
    for number in range(120):
        demo.add_session(store, person, NOW + timedelta(hours=number), key=str(number), state=RunState.QUEUED)
    app = open_page("runs")
    seen = listed(app)
    for _ in range(2):
        app.button(key="runs_older").click().run()
        seen += listed(app)
    assert seen == list(range(120, 0, -1))
    assert app.button(key="runs_older").disabled
    app.button(key="runs_newer").click().run()
    assert listed(app) == list(range(70, 20, -1))


def test_a_filter_that_fits_nothing_says_so(open_page, store, person):
    demo.add_session(store, person, NOW, key="a")
    assert "No runs match" in open_page("runs", runs_state="No result").info[0].value


def test_a_result_shows_scores_levels_warnings_timeline_and_metadata(open_page, store, person, home):
    recording = demo.add_recording(store, home, 1)
    run_id = demo.add_session(
        store, person, NOW, key="a", recording_id=recording, warnings=("Noise is high.",), tags={"phase": "x"}
    )
    app = open_page("runs", run=str(run_id))
    said = everything(app)
    for part in (
        "Result ready",
        "Synthetic scores",
        "Noise is high",
        "Treat this result with caution",
        "Being analysed",
        "Female",
        "31.2 s",
        "point in time",
    ):
        assert part in said
    assert app.get("audio")
    card = next(element.proto.body for element in app.get("html") if "hg-scores" in element.proto.body)
    assert card.count('role="listitem"') == 6
    assert "Mental strain: 0.40 of 1" in card
    assert " level" in card


def test_the_transcript_is_shown_on_request_only(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a")
    app = open_page("runs", run=str(run_id))
    assert "north wind" not in everything(app)
    app.toggle(key="runs_transcript").set_value(True).run()
    assert "north wind" in everything(app)


def test_an_error_shows_what_it_means_and_what_to_do(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.COMPLETE_ERROR)
    error = open_page("runs", run=str(run_id)).error[0].value
    assert "less than 10 seconds of speech" in error
    assert "Ask the participant to speak for longer" in error


def test_raw_answers_hide_the_signature_of_the_upload_link(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a")
    said = everything(open_page("runs", run=str(run_id)))
    assert "recordingUploadUrl" in said
    assert "signature hidden" in said
    assert demo.SIGNATURE not in said


def test_retry_makes_one_linked_run_and_opens_it(open_page, store, person, home):
    run_id = demo.add_session(
        store, person, NOW, key="a", state=RunState.COMPLETE_ERROR, recording_id=demo.add_recording(store, home, 1)
    )
    app = open_page("runs", run=str(run_id))
    app.button(key="runs_retry").click().run()
    assert not app.exception
    newest = load_runs(store, RunFilter(), limit=1)[0].id
    assert load_run(store, newest).repeats_run_id == run_id
    assert app.query_params["run"] == str(newest)
    assert count_runs(store) == 2


def test_a_run_whose_recording_is_gone_is_not_retried_and_the_page_says_why(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.FAILED)
    app = open_page("runs", run=str(run_id))
    app.button(key="runs_retry").click().run()
    assert any("no longer in this workspace" in error.value for error in app.error)
    assert count_runs(store) == 1


def test_fetching_again_makes_the_run_due(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a")
    open_page("runs", run=str(run_id)).button(key="runs_refetch").click().run()
    assert load_run(store, run_id).next_step_utc is not None


def ask_for_deletion(run_id: int) -> None:
    from heliograph.ui.run_actions import confirm_deletion

    confirm_deletion(run_id)


def test_deleting_asks_first_and_then_removes_the_run(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a")
    page = open_page("runs", run=str(run_id))
    page.button(key="runs_delete").click().run()
    assert page.button(key="runs_delete_now").disabled
    assert load_run(store, run_id).id == run_id
    # The harness reruns whole pages, which closes a dialog: confirm it by itself.
    dialog = AppTest.from_function(ask_for_deletion, args=(run_id,)).run()
    dialog.checkbox(key="runs_delete_sure").check().run()
    dialog.button(key="runs_delete_now").click().run()
    assert not dialog.exception
    with pytest.raises(UnknownRecordError):
        load_run(store, run_id)


def test_a_run_under_way_shows_its_steps_and_can_not_be_retried(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.UPLOADING)
    app = open_page("runs", run=str(run_id))
    assert "The recording is on its way." in everything(app)
    assert app.button(key="runs_retry").disabled


def test_a_waiting_activity_shows_the_link_to_send(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.WAITING)
    assert open_page("runs", run=str(run_id)).code[0].value == "http://127.0.0.1:1/activity/abc"


def test_labels_tags_and_warnings_with_markup_are_shown_as_typed(open_page, store):
    person = demo.add_participant(store, demo.HOSTILE[:50])
    run_id = demo.add_session(
        store, person, NOW, key="a", tags={"t": demo.HOSTILE[:100]}, warnings=(demo.HOSTILE,)
    )
    app = open_page("runs", run=str(run_id))
    markdown = "\n".join(entry.value for kind in (app.markdown, app.warning, app.caption) for entry in kind)
    markdown += "\n".join(str(value) for table in app.table for value in table.value.to_numpy().ravel())
    for live in (r"(?<!\\)<img", r"(?<!\\)\*\*b", r"(?<!\\)\[l", ":red", "https://e", r"(?<!\\)\$x"):
        assert not re.search(live, markdown)
    assert any(demo.HOSTILE[:50] in text.value for text in app.text)
    assert "<img" not in "".join(element.proto.body for element in app.get("html"))
