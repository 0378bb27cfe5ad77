"""Self-report: beside the voice at two levels, two measures on one scale, and the import of questionnaires."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest

from heliograph.runs.questionnaires import Line, LineState
from heliograph.store import (
    NewQuestionnaire,
    StudySettings,
    count_questionnaires,
    import_questionnaires,
    load_questionnaires,
    save_ratings,
)
from heliograph.ui.self_report_agreement import compute_correlations
from heliograph.ui.self_report_import import STATES, describe_line
from heliograph.ui.self_report_measures import Measure
from heliograph.ui.self_report_scales import pair_measures
from tests.pages import demo

START = datetime(2026, 3, 2, 9, 0)
CSV = b"label;date;instrument;score\nP-001;2026-03-02;PSS-10;17\nP-009;2026-03-02;PSS-10;9\n"


def figures(app):
    return [str(chart.proto) for chart in app.get("plotly_chart")]


def said(app):
    return " ".join(entry.value for entry in [*app.markdown, *app.info, *app.caption, *app.success, *app.error])


def test_an_empty_workspace_says_how_to_begin(open_page, store):
    app = open_page("self_report")
    assert "No self-report yet" in said(app)
    assert not figures(app)
    assert "No self-report yet" in said(open_page("self_report", selfreport_view="Two measures"))


def test_a_rating_stands_beside_a_biomarker_at_two_levels_that_are_never_in_one_figure(open_page, pilot):
    app = open_page("self_report", selfreport_measure="Karolinska Sleepiness Scale (1–9)")
    assert app.selectbox(key="selfreport_biomarker").value == "Sleep propensity"
    within, between, six = figures(app)
    assert "Sleep propensity within persons" in within
    assert "minus own mean" in within
    assert "Sleep propensity between persons" in between
    assert "minus own mean" not in between
    assert "r = " in within
    assert "n = 12 participants" in between
    assert "repeated measures correlation" in six
    tables = [frame.value for frame in app.dataframe]
    assert [len(table) for table in tables] == [6, 6]
    assert "Level" not in tables[0].columns


def test_a_questionnaire_is_compared_with_the_runs_near_its_day(open_page, pilot):
    app = open_page("self_report", selfreport_measure="PSS-10", selfreport_days="7 days")
    within = figures(app)[0]
    assert "questionnaires with runs within 7 days" in within
    assert "36 questionnaires" in within or "questionnaires" in within
    few = open_page("self_report", selfreport_measure="PSS-10", selfreport_days="the same day")
    assert "questionnaires with runs of that day" in figures(few)[0]


def test_a_questionnaire_without_runs_near_says_what_to_do(open_page, store):
    person = demo.add_participant(store, "P-001")
    row = NewQuestionnaire(participant_id=person, answered_local="2020-01-01", instrument="<b>PSS</b>", score=3)
    import_questionnaires(store, [row], source="a")
    app = open_page("self_report")
    assert "Widen" in said(app)
    assert "<b>PSS" not in said(app)


def test_too_few_pairs_say_what_is_missing(open_page, store):
    person = demo.add_participant(store, "P-001")
    for day in range(2):
        run = demo.add_session(store, person, START + timedelta(days=day), key=str(day))
        save_ratings(store, run, {"stress_0_10": 3 + day})
    app = open_page("self_report")
    assert "1 of 4" in said(app)
    assert "degrees of freedom" in said(app)


def test_correlations_are_those_of_the_levels_with_p_adjusted_over_six(pilot):
    from heliograph.analysis import compute_between_correlation, compute_rmcorr
    from heliograph.store import load_rating_pairs

    rows, _ = load_rating_pairs(pilot, "stress_0_10")
    table = compute_correlations(rows, StudySettings()).set_index(["level", "name"])
    for level, compute in (("within", compute_rmcorr), ("between", compute_between_correlation)):
        found = compute(rows["participant_id"], rows["value"], rows["uniform_stress"])
        assert table.loc[(level, "stress"), "estimate"] == found.r
        assert table.loc[(level, "stress"), "p_adjusted"] >= found.p
    assert table.loc[("within", "stress"), "estimate"] > 0.4


def test_limits_of_agreement_are_drawn_only_once_both_are_declared_to_be_one_scale(open_page, pilot):
    app = open_page(
        "self_report", selfreport_view="Two measures", selfreport_first="Energy (0–10)",
        selfreport_second="Stress (0–10)",
    )  # fmt: skip
    assert "have the same range" in said(app)
    assert not figures(app)
    app.checkbox[0].check().run()
    (figure,) = figures(app)
    assert "declared" in figure
    assert "(points)" in figure
    assert "pairs of 12 participants" in said(app)


def test_different_ranges_are_rescaled_only_with_the_declaration(open_page, pilot):
    app = open_page(
        "self_report", selfreport_view="Two measures", selfreport_first="Stress (0–10)", selfreport_second="PSS-10"
    )
    assert "enter the lowest and highest" in said(app)
    low, high = (entry for entry in app.number_input if "possible" in entry.label)
    low.set_value(0.0)
    high.set_value(40.0).run()
    assert "would be rescaled" in said(app)
    app.checkbox[0].check().run()
    assert "% of the range" in figures(app)[0].replace("&#37;", "%")
    low, high = (entry for entry in app.number_input if "possible" in entry.label)
    high.set_value(0.0).run()
    assert "must be below the highest" in said(app)
    assert not figures(app)


def test_one_measure_cannot_be_compared_with_itself(open_page, pilot, store):
    app = open_page("self_report", selfreport_view="Two measures", selfreport_first="ISI", selfreport_second="ISI")
    assert "two different measures" in said(app)


def test_values_are_paired_by_run_or_by_the_nearest_day_and_each_is_used_once(store):
    person = demo.add_participant(store, "P-001")
    for day, ratings in ((0, {"stress_0_10": 2, "kss": 3}), (1, {"stress_0_10": 4}), (9, {"stress_0_10": 6})):
        run = demo.add_session(store, person, START + timedelta(days=day), key=str(day))
        save_ratings(store, run, ratings)
    totals = [("2026-03-02", 10.0), ("2026-03-20", 30.0)]
    rows = [
        NewQuestionnaire(participant_id=person, answered_local=day, instrument="PSS", score=score)
        for day, score in totals
    ]
    import_questionnaires(store, rows, source="a")
    stress, kss = Measure("stress_0_10", "Stress", True, 0, 10), Measure("kss", "KSS", True, 1, 9)
    questionnaire = Measure("PSS", "PSS", False, 0, 40)
    assert pair_measures(store, stress, kss, within_days=0)[["first", "second"]].values.tolist() == [[2, 3]]
    near = pair_measures(store, stress, questionnaire, within_days=3)
    assert near[["first", "second"]].values.tolist() == [[2, 10]]
    other = pair_measures(store, questionnaire, stress, within_days=0)
    assert other[["first", "second"]].values.tolist() == [[10, 2]]
    assert not len(pair_measures(store, questionnaire, kss, within_days=0).query("first == 30"))


def open_import(open_page, content, name="totals.csv"):
    app = open_page("self_report", selfreport_view="Import")
    app.file_uploader[0].set_value((name, content, "text/csv")).run()
    assert not app.exception, [entry.message for entry in app.exception]
    return app


def test_a_preview_says_what_happens_to_each_line_before_anything_is_written(open_page, store):
    demo.add_participant(store, "P-001")
    app = open_import(open_page, CSV)
    assert "**1 new** · 0 known already · **1 left out**" in said(app)
    preview = app.dataframe[0].value
    assert list(preview["What happens"]) == ["No such participant", "New"]
    assert "Add the participant" in preview["Why, and what to do"].iloc[0]
    assert count_questionnaires(store) == 0
    app.button(key="selfreport_import_go").click().run()
    assert not app.exception
    assert "Imported 1 of 2 lines" in said(app)
    assert list(load_questionnaires(store)["score"]) == [17]
    assert "totals" in said(app)


def test_an_import_is_deleted_as_a_whole(open_page, store):
    demo.add_participant(store, "P-001")
    app = open_import(open_page, CSV, name="<b>evil</b>.csv")
    app.button(key="selfreport_import_go").click().run()
    assert "<b>evil" not in said(app)
    app.button(key="selfreport_import_delete_0").click().run()
    assert "Deleted 1 total" in said(app)
    assert count_questionnaires(store) == 0


def test_a_file_that_cannot_be_read_says_what_is_wrong(open_page, store):
    app = open_import(open_page, b"who;whence\n1;2\n")
    assert "No column for: label, date, instrument, score" in app.error[0].value
    assert "who, whence" in app.error[0].value


def test_a_file_with_nothing_new_offers_no_import(open_page, store):
    app = open_import(open_page, CSV)
    assert "nothing new" in said(app)
    assert not [button for button in app.button if button.key == "selfreport_import_go"]


@pytest.mark.parametrize("state", list(LineState))
def test_every_state_of_a_line_has_words(state):
    line = Line(number=2, label="P", date="d", instrument="i", score="s", state=state, hint="hint")
    assert STATES[state]
    assert describe_line(line) or state in (LineState.READY, LineState.ALREADY_THERE)


def test_hostile_text_in_a_file_stays_text(open_page, store):
    row = f"label,date,instrument,score\n{demo.HOSTILE},2026-03-02,PSS,1\n".encode()
    app = open_import(open_page, row)
    assert isinstance(app.dataframe[0].value, pd.DataFrame)
    assert app.dataframe[0].value["Participant"].iloc[0].startswith("<img")
