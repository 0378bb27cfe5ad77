"""The cohort page on the simulated pilot: every view draws, filters live in the address, small groups are marked
or suppressed, and what is missing is said in a sentence."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta

import pytest

from heliograph.analysis.baseline import MIN_BASELINE_RUNS
from heliograph.store import StudySettings, load_cohort_cells, save_study_settings
from heliograph.ui import cohort_groups, cohort_heat, cohort_patterns
from tests.pages import demo
from tests.pilot import fill_pilot

UNTIL = date(2026, 5, 4)
VIEWS = ("Groups", "Over time", "Heat map", "Levels", "Correlations", "Models")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pilot")
    opened = demo.open_store(folder)
    fill_pilot(opened, participants=12, weeks=6, seed=1, until=UNTIL)
    opened.close()
    return folder / "sandbox"


@pytest.fixture
def pilot(home, filled):
    """The simulated pilot, filled once and copied for each test."""
    shutil.copytree(filled, home / "sandbox")
    opened = demo.open_store(home)
    yield opened
    opened.close()


def figures(app):
    return [str(entry.proto) for entry in app.get("plotly_chart")]


def said(app):
    return " ".join([*(entry.value for entry in app.info), *(entry.value for entry in app.caption)])


@pytest.mark.parametrize("view", VIEWS[:5])
@pytest.mark.parametrize("grouping", ["Study arm", "Week"])
def test_every_view_draws_every_grouping_and_says_that_scores_are_synthetic(open_page, pilot, view, grouping):
    app = open_page("cohorts", cohorts_view=view, cohorts_group=grouping)
    assert figures(app)
    assert not app.info
    for figure in figures(app):
        assert "Synthetic sandbox scores: they mean nothing" in figure
        assert "Workspace sandbox" in figure
    assert app.selectbox(key="cohorts_group").value == grouping


@pytest.mark.parametrize("grouping", ["Birth sex", "Age band", "Language", "Weekday", "Time of day"])
def test_people_can_be_grouped_by_what_is_known_of_them_and_of_the_time(open_page, pilot, grouping):
    app = open_page("cohorts", cohorts_group=grouping)
    assert f"Mental strain by {grouping.lower()}" in figures(app)[0]


def test_every_figure_can_be_downloaded_as_png_svg_and_csv(open_page, pilot):
    for view in VIEWS[:5]:
        app = open_page("cohorts", cohorts_view=view)
        labels = [button.proto.label for button in app.get("download_button")]
        assert labels == ["PNG", "SVG", "CSV"] * len(figures(app))


def test_filters_of_the_address_are_applied_named_and_cleared(open_page, pilot):
    app = open_page("cohorts", cohorts_sex="Female", cohorts_weekday="Monday", cohorts_since="2026-04-01")
    assert "Only birth sex female, Monday, from 01 Apr 2026" in figures(app)[0]
    assert any("Only birth sex female" in entry.value for entry in app.markdown)
    app.button(key="cohorts_clear").click().run()
    assert not app.exception
    assert "Only birth sex" not in figures(app)[0]
    assert app.selectbox(key="cohorts_sex").value is None
    assert app.multiselect(key="cohorts_weekday").value == []


def test_a_filter_set_on_the_page_is_applied_at_once(open_page, pilot):
    app = open_page("cohorts")
    app.selectbox(key="cohorts_arm").set_value("B").run()
    assert "Only study arm B" in figures(app)[0]


@pytest.mark.parametrize(
    "query",
    [
        {"cohorts_view": "Nonsense"},
        {"cohorts_group": "Tag: gone"},
        {"cohorts_biomarker": "<b>"},
        {"cohorts_sex": "'; DROP TABLE runs"},
        {"cohorts_age": "200"},
        {"cohorts_since": "yesterday"},
        {"cohorts_arm": "Z", "cohorts_tag": "nothing", "cohorts_value": "at all"},
    ],
)
def test_nonsense_in_the_address_is_ignored(open_page, pilot, query):
    app = open_page("cohorts", **query)
    assert figures(app)
    assert not app.error


def test_filters_that_nothing_passes_are_said(open_page, pilot):
    for view in VIEWS:
        app = open_page("cohorts", cohorts_view=view, cohorts_since="2030-01-01")
        assert "filters" in said(app)
        assert not figures(app)


def test_choices_and_filters_are_there_again_after_another_page(open_page, pilot):
    app = open_page("cohorts", cohorts_view="Over time", cohorts_group="Study arm")
    app.selectbox(key="cohorts_biomarker").set_value("Stress").run()
    app.selectbox(key="cohorts_sex").set_value("Female").run()
    app.switch_page("trends.py").run()
    app.switch_page("cohorts.py").run()
    assert not app.exception
    assert app.selectbox(key="cohorts_group").value == "Study arm"
    (figure,) = figures(app)
    assert "Stress" in figure
    assert "Only birth sex female" in figure
    app.button(key="cohorts_clear").click().run()
    app.switch_page("trends.py").run()
    app.switch_page("cohorts.py").run()
    assert "Only birth sex" not in figures(app)[0]


def test_levels_leave_out_the_biomarker_that_has_none(open_page, pilot):
    app = open_page("cohorts", cohorts_view="Levels")
    assert "Mental strain" not in app.selectbox(key="cohorts_biomarker").options
    assert "Distress: levels" in figures(app)[0]


def test_small_groups_are_marked(open_page, pilot):
    app = open_page("cohorts", cohorts_group="Age band")
    assert "small group" in figures(app)[0]


@pytest.fixture
def numbers(monkeypatch):
    """The frames behind the charts that a page draws, by the chart's key."""
    found = {}

    def keep(make, *, key, numbers, **others):
        found[key] = numbers

    for module in (cohort_groups, cohort_heat, cohort_patterns):
        monkeypatch.setattr(module, "show_chart", keep)
    return found


def test_the_numbers_hold_groups_and_participants_by_number_and_never_a_label(open_page, pilot, numbers):
    open_page("cohorts", cohorts_group="Study arm")
    frame = numbers["cohorts_groups_0"]
    groups, people = frame[frame["row"] == "group"], frame[frame["row"] == "participant"]
    assert list(groups["group"]) == ["A", "B"]
    assert list(groups["n_participants"]) == [6, 6]
    assert sorted(people["participant_id"]) == list(range(1, 13))
    assert "P-001" not in frame.to_csv()
    assert groups["mean"].iloc[0] == pytest.approx(people[people["group"] == "A"]["mean"].mean())


def test_suppressed_groups_and_single_people_are_not_in_the_numbers(open_page, pilot, numbers):
    save_study_settings(pilot, StudySettings(small_group=3, suppress_small=True))
    for view in ("Groups", "Over time", "Levels", "Heat map"):
        open_page("cohorts", cohorts_view=view, cohorts_group="Age band")
    people = load_cohort_cells(pilot, group="age_band").groupby("group")["participant_id"].nunique()
    small = set(people.index[people < 3])
    assert small
    frame = numbers["cohorts_groups_0"]
    assert set(frame["row"]) == {"group"}
    assert small.isdisjoint(frame["group"])
    assert small.isdisjoint(numbers["cohorts_levels_groups"]["group"])
    assert numbers["cohorts_weeks_0"]["n_participants"].min() >= 3
    assert numbers["cohorts_levels_weeks"]["n_participants"].min() >= 3
    assert set(numbers["cohorts_heat"]["participant_id"]) == {str(number) for number in range(1, 13)}


@pytest.mark.parametrize("view", ["Groups", "Over time", "Levels"])
def test_suppressed_small_groups_are_in_no_figure_and_it_is_said(open_page, pilot, view):
    save_study_settings(pilot, StudySettings(small_group=7, suppress_small=True))
    app = open_page("cohorts", cohorts_view=view, cohorts_group="Study arm")
    assert "fewer than 7 participants left out" in said(app)
    assert not figures(app)


def test_suppressing_takes_names_off_the_figures(open_page, pilot):
    save_study_settings(pilot, StudySettings(small_group=5, suppress_small=True))
    for view in ("Groups", "Over time", "Heat map"):
        app = open_page("cohorts", cohorts_view=view)
        assert figures(app)
        assert "P-00" not in figures(app)[0]


def test_suppressing_covers_the_choices_of_the_models(open_page, pilot):
    save_study_settings(pilot, StudySettings(small_group=7, suppress_small=True))
    app = open_page("cohorts", cohorts_view="Models", cohorts_group="Study arm")
    assert "nothing may be shown" in said(app)
    assert not app.get("button_group") or "cohorts_fit" not in [button.key for button in app.button]


def test_an_empty_workspace_leads_to_recording(open_page):
    app = open_page("cohorts")
    assert app.button(key="cohorts_record")
    assert not app.selectbox


def test_one_participant_without_tags_is_drawn_and_told_what_is_missing(open_page, store):
    person = demo.add_participant(store, "P-001")
    for days in range(8):
        demo.add_session(store, person, datetime(2026, 3, 2, 8) + timedelta(days=days), key=str(days))
    for view in ("Groups", "Over time"):
        app = open_page("cohorts", cohorts_view=view)
        assert "Only one participant has results here" in said(app)
        assert "Runs have no tags yet" in said(app)
        assert figures(app)
    assert "Study arm" not in app.selectbox(key="cohorts_group").options
    app = open_page("cohorts", cohorts_view="Models")
    app.button(key="cohorts_fit").click().run()
    assert not app.exception
    assert "1 of 5" in said(app)


def test_one_group_only_is_told(open_page, store):
    for number in range(2):
        person = demo.add_participant(store, f"P-{number}")
        demo.add_session(store, person, datetime(2026, 3, 2, 8), key=str(number), tags={"arm": "A"})
    app = open_page("cohorts", cohorts_group="Study arm")
    assert "one group (A)" in said(app)


def test_too_few_results_for_a_baseline_say_how_many_there_are(open_page, store):
    person = demo.add_participant(store, "P-001")
    for days in range(3):
        demo.add_session(store, person, datetime(2026, 3, 2, 8) + timedelta(days=days), key=str(days))
    app = open_page("cohorts", cohorts_view="Heat map")
    assert "3 of 5" in said(app)


def test_a_dated_baseline_needs_as_many_results_here_as_on_trends(open_page, store):
    for number, count in enumerate((MIN_BASELINE_RUNS, MIN_BASELINE_RUNS - 1)):
        person = demo.add_participant(store, f"P-{number}")
        days = [*range(count), 20]
        for day in days:
            demo.add_session(store, person, datetime(2026, 3, 2, 8) + timedelta(days=day), key=f"{number}-{day}")
    save_study_settings(store, StudySettings(baseline_from="2026-03-01", baseline_until="2026-03-10"))
    app = open_page("cohorts", cohorts_view="Heat map")
    (figure,) = figures(app)
    assert "n = 1 participant" in figure
    assert "1 participant without a full baseline" in figure
    save_study_settings(store, StudySettings(baseline_from="2026-03-20", baseline_until="2026-03-30"))
    assert f"1 of {MIN_BASELINE_RUNS}" in said(open_page("cohorts", cohorts_view="Heat map"))


def test_recordings_repeated_within_minutes_count_once_in_a_baseline(open_page, store):
    person = demo.add_participant(store, "P-001")
    for number in range(5):
        demo.add_session(store, person, datetime(2026, 3, 2, 8, number), key=str(number))
    assert "1 of 5" in said(open_page("cohorts", cohorts_view="Heat map"))


def test_the_heat_map_shows_the_largest_change_first_or_goes_by_label_page_by_page(
    open_page, pilot, numbers, monkeypatch
):
    monkeypatch.setattr(cohort_heat, "ROWS_SHOWN", 5)
    app = open_page("cohorts", cohorts_view="Heat map")
    frame = numbers["cohorts_heat"]
    largest = frame.groupby("participant_id", sort=False)["deviation"].agg(lambda part: part.abs().max())
    assert len(largest) == 12
    assert largest.is_monotonic_decreasing
    app = open_page("cohorts", cohorts_view="Heat map", cohorts_order="By label", cohorts_page="3")
    assert list(numbers["cohorts_heat"]["participant_id"].unique()) == list(range(1, 13))
    assert app.session_state["cohorts_page"] == 3


def test_the_page_of_the_heat_map_is_drawn_and_one_that_there_is_not_is_ignored(open_page, pilot, monkeypatch):
    monkeypatch.setattr(cohort_heat, "ROWS_SHOWN", 5)
    monkeypatch.setattr("heliograph.charts.cohort_heat.ROWS_SHOWN", 5)
    (figure,) = figures(open_page("cohorts", cohorts_view="Heat map", cohorts_page="3"))
    assert "n = 12 participants, 11 to 12 shown" in figure
    (figure,) = figures(open_page("cohorts", cohorts_view="Heat map", cohorts_page="9"))
    assert "1 to 5 shown" in figure
    app = open_page("cohorts", cohorts_view="Heat map", cohorts_page="3")
    app.selectbox(key="cohorts_arm").set_value("B").run()
    assert not app.exception
    assert "n = 6 participants, 1 to 5 shown" in figures(app)[0]


def test_hostile_tags_and_labels_stay_text(open_page, store):
    for number in range(2):
        person = demo.add_participant(store, f"{number} {demo.HOSTILE[:40]}")
        tags = {"arm": demo.HOSTILE, demo.HOSTILE[:30]: "x"}
        demo.add_session(store, person, datetime(2026, 3, 2, 8), key=str(number), tags=tags)
    for view in VIEWS[:5]:
        app = open_page("cohorts", cohorts_view=view, cohorts_group="Study arm")
        assert not any("<img" in figure for figure in figures(app))
        assert not any("<img" in entry.value.replace("\\<", "") for entry in (*app.info, *app.markdown))


def test_models_are_fitted_at_the_button_and_belong_to_their_choices(open_page, pilot):
    app = open_page("cohorts", cohorts_view="Models", cohorts_group="Tag: shift")
    assert "Fits a mixed model" in said(app)
    app.button(key="cohorts_fit").click().run(timeout=120)
    assert not app.exception
    mixed, paired, levels = (frame.value for frame in app.dataframe)
    weeks = mixed["Comparison"].str.extract(r"week (\S+)")[0].dropna().iloc[0]
    assert set(mixed["Comparison"]) == {
        f"day at week {weeks}",
        f"night − day at week {weeks}",
        "change per week in day",
        "night − day: difference of change per week",
    }
    for table in (mixed, paired, levels):
        assert {
            "Biomarker",
            "95% interval",
            "Adjusted p",
            "Adjustment",
            "Participants",
            "Results",
            "Problems",
        } <= set(table.columns)
    assert list(paired["Biomarker"]) == ["Mental strain", "Distress", "Stress", "Exhaustion", "Sleep propensity",
                                         "Low self-esteem"]  # fmt: skip
    assert {"d_z", "g_av"} <= set(paired.columns)
    assert "Mental strain" not in set(levels["Biomarker"])
    assert any("Holm over 6 tests" in text for text in mixed["Adjustment"])
    assert len(figures(app)) == 3
    app.selectbox(key="cohorts_sex").set_value("Female").run()
    assert "choices have changed" in said(app)
    assert not app.dataframe


def test_two_periods_can_be_compared_within_participants(open_page, pilot):
    app = open_page("cohorts", cohorts_view="Models", cohorts_split="2026-04-13")
    app.button(key="cohorts_fit").click().run(timeout=120)
    assert not app.exception
    paired = app.dataframe[1].value
    assert set(paired["Comparison"]) == {"From 13 Apr 2026 on, minus before"}
    assert set(paired["Participants"]) == {12}


def test_arms_that_nobody_changes_are_not_compared_within_participants(open_page, pilot):
    app = open_page("cohorts", cohorts_view="Models", cohorts_group="Study arm")
    app.button(key="cohorts_fit").click().run(timeout=120)
    assert "No participant has results on both sides" in said(app)
