"""What cohorts are computed from: cells, levels, deviations and samples agree with the runs, taken one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

import pandas as pd
import pytest

from heliograph.store import (
    AGE_BANDS,
    CONTINUOUS_COLUMNS,
    DAY_PARTS,
    GROUPINGS,
    LEVEL_COLUMNS,
    WEEKDAYS,
    CohortFilter,
    NewRun,
    ParticipantChange,
    RunKind,
    Section,
    Store,
    add_run,
    load_cohort_cells,
    load_cohort_deviations,
    load_cohort_levels,
    load_cohort_options,
    load_cohort_people,
    load_cohort_runs,
    load_labels,
    load_participant_changes,
    load_sleep_rows,
    save_participant,
)
from tests.store.cohort_runs import BUCKETS, ODD_TAG, Made, fill, finish, name_group, to_frame
from thymia_api import BIOMARKERS

Filled: TypeAlias = tuple[Store, list[Made]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A store with runs of six participants over five weeks, with gaps of every kind; nobody writes to it."""
    folder = tmp_path_factory.mktemp("cohort") / "sandbox"
    with Store.open(folder, workspace="sandbox", synthetic=True) as store:
        yield store, fill(store)


EVERY_GROUPING = (*GROUPINGS, "tag:arm", f"tag:{ODD_TAG}", "tag:unheard of")
FILTERS: dict[str, tuple[CohortFilter, Any]] = {
    "nothing": (CohortFilter(), lambda run: True),
    "days": (
        CohortFilter(since_local="2026-03-05", until_local="2026-03-20"),
        lambda run: datetime(2026, 3, 5) <= run.session < datetime(2026, 3, 20),
    ),
    "a tag": (CohortFilter(tags={"arm": "a"}), lambda run: run.tags.get("arm") == "a"),
    "two tags": (
        CohortFilter(tags={"arm": "a", ODD_TAG: "é"}),
        lambda run: run.tags.get("arm") == "a" and run.tags.get(ODD_TAG) == "é",
    ),
    "sex": (CohortFilter(birth_sex="MALE"), lambda run: run.sex == "MALE"),
    "language": (CohortFilter(language="ja"), lambda run: run.language == "ja"),
    "ages": (
        CohortFilter(age_bands=("18-29", "60+")),
        lambda run: name_group(run, "age_band") in ("18-29", "60+"),
    ),
    "weekdays": (CohortFilter(weekdays=(0, 6)), lambda run: run.session.weekday() in (0, 6)),
    "parts of the day": (CohortFilter(day_parts=("night", "evening")), lambda run: not 6 <= run.session.hour < 18),
    "participants": (CohortFilter(participant_ids=(5, 2, 99)), lambda run: run.participant_id in (2, 5)),
    "nobody": (CohortFilter(participant_ids=()), lambda run: False),
    "all at once": (
        CohortFilter(since_local="2026-03-01", tags={"arm": "b"}, birth_sex="MALE", weekdays=(0, 1, 2, 3, 4)),
        lambda run: (
            run.session >= datetime(2026, 3, 1)
            and run.tags.get("arm") == "b"
            and run.session.weekday() < 5
        ),
    ),
}  # fmt: skip


def test_the_columns_are_the_scores_of_the_api() -> None:
    assert tuple(marker.continuous for marker in BIOMARKERS) == CONTINUOUS_COLUMNS
    assert tuple(marker.bucketed for marker in BIOMARKERS if marker.bucketed) == LEVEL_COLUMNS


@pytest.mark.parametrize("period", ["none", "week"])
@pytest.mark.parametrize("group", EVERY_GROUPING)
def test_cells_are_the_means_of_each_participant_group_and_period(filled: Filled, group: str, period: str) -> None:
    store, made = filled
    cells = load_cohort_cells(store, group=group, period=period)
    runs = to_frame(made, group)
    keys = ["participant_id", "group", *(["week"] if period == "week" else [])]
    expected = runs.groupby(keys)[list(CONTINUOUS_COLUMNS)].mean()
    found = cells.rename(columns={"period": "week"}).set_index(keys).sort_index()
    assert found.index.tolist() == expected.index.tolist()
    pd.testing.assert_frame_equal(found[list(CONTINUOUS_COLUMNS)], expected, check_index_type=False)
    assert found["n_runs"].tolist() == runs.groupby(keys).size().tolist()
    days = runs.groupby(keys)["session_local"]
    assert found["first_day"].tolist() == days.min().dt.normalize().tolist()
    assert found["last_day"].tolist() == days.max().dt.normalize().tolist()
    if period == "none":
        assert cells["period"].isna().all()


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_lets_through_the_runs_it_names(filled: Filled, name: str) -> None:
    store, made = filled
    cohort_filter, passes = FILTERS[name]
    wanted = [run for run in made if passes(run)]
    rows, sample = load_cohort_runs(store, cohort_filter)
    expected = sorted((run.participant_id, run.session) for run in wanted)
    assert list(zip(rows["participant_id"], rows["session_local"], strict=True)) == expected
    assert (sample.n_runs, sample.n_runs_total, sample.sampled) == (len(wanted), len(wanted), False)
    assert sample.n_participants == sample.n_participants_total == len({run.participant_id for run in wanted})
    assert load_cohort_cells(store, cohort_filter)["n_runs"].sum() == len(wanted)
    assert load_cohort_deviations(store, cohort_filter)[1] == sample.n_participants
    assert load_cohort_deviations(store, cohort_filter)[0]["n_runs"].sum() == len(wanted)


@pytest.mark.parametrize("period", ["none", "week"])
def test_levels_count_runs(filled: Filled, period: str) -> None:
    store, made = filled
    levels = load_cohort_levels(store, group="tag:arm", period=period)
    runs = to_frame(made, "tag:arm")
    for row in levels.itertuples():
        mine = runs[(runs["group"] == row.group) & ((runs[row.column] * 3).round() == row.level)]
        if period == "week":
            mine = mine[mine["week"] == row.period]
        assert row.n_runs == len(mine)
    n_groups = len(runs.groupby(["group", *(["week"] if period == "week" else [])]))
    assert len(levels) == n_groups * len(LEVEL_COLUMNS) * len(BUCKETS)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("period", ["none", "week"])
@pytest.mark.parametrize("group", EVERY_GROUPING)
def test_people_are_those_who_have_cells_in_the_group_and_period(
    filled: Filled, group: str, period: str, name: str
) -> None:
    store, _ = filled
    cohort_filter, _ = FILTERS[name]
    cells = load_cohort_cells(store, cohort_filter, group=group, period=period)
    keys = ["group", "period"]
    expected = cells.groupby(keys, dropna=False)["participant_id"].nunique().rename("n_participants").reset_index()
    people = load_cohort_people(store, cohort_filter, group=group, period=period)
    pd.testing.assert_frame_equal(people.sort_values(keys, ignore_index=True), expected)


def test_deviations_are_measured_from_each_participants_own_first_runs(filled: Filled) -> None:
    store, made = filled
    wanted = CohortFilter(since_local="2026-03-09")
    frame, total = load_cohort_deviations(store, wanted, baseline_runs=4, limit_participants=4)
    assert total == 6
    assert frame["participant"].unique().tolist() == ["P-4", "P-5", "P-6", "P-7"]
    assert frame["n_baseline"].eq(4).all()
    runs = to_frame(made, "none").sort_values("session_local")
    names = list(CONTINUOUS_COLUMNS)
    for row in frame.itertuples():
        own = runs[runs["participant_id"] == row.participant_id]
        week = own[(own["week"] == row.week) & (own["session_local"] >= "2026-03-09")]
        expected = week[names].mean() - own[names].head(4).mean()
        assert [getattr(row, name) for name in names] == pytest.approx(expected.tolist(), nan_ok=True)
        assert row.n_runs == len(week)
    assert frame.equals(frame.sort_values(["participant", "week"], ignore_index=True))


def test_a_baseline_may_be_a_window_and_may_be_empty(filled: Filled) -> None:
    store, made = filled
    frame, _ = load_cohort_deviations(store, baseline_from="2026-03-01", baseline_until="2026-03-10")
    runs = to_frame(made, "none")
    inside = runs[(runs["session_local"] >= "2026-03-01") & (runs["session_local"] < "2026-03-11")]
    counts = inside.groupby("participant_id").size().reindex(range(1, 7), fill_value=0)
    assert dict(zip(frame["participant_id"], frame["n_baseline"], strict=True)) == counts.to_dict()
    nowhere, _ = load_cohort_deviations(store, baseline_from="2030-01-01")
    assert nowhere["n_baseline"].eq(0).all()
    assert nowhere[list(CONTINUOUS_COLUMNS)].isna().all().all()
    assert len(nowhere) == len(frame)


def test_a_recording_repeated_within_the_window_counts_once_in_a_baseline(store: Store, make_run: Any) -> None:
    for minute, score in ((0, 0.1), (10, 0.9), (20, 0.3), (40, 0.5), (59, 0.7)):
        run_id = make_run(f"k{minute}", recorded_local=f"2026-03-02T08:{minute:02d}:00")
        finish(store, run_id, Section(section=0, start_s=0, finish_s=1, mental_strain=score))

    def load(window_min: float, **options: Any) -> tuple[int, float]:
        frame, _ = load_cohort_deviations(store, repeat_window_min=window_min, **options)
        return frame["n_baseline"].iloc[0], 0.5 - frame["mental_strain"].iloc[0]

    assert load(0, baseline_runs=2) == (2, pytest.approx(0.5))
    assert load(15, baseline_runs=2) == (2, pytest.approx(0.2))
    assert load(15, baseline_runs=9) == (4, pytest.approx(0.4))
    assert load(60, baseline_runs=9) == (1, pytest.approx(0.1))
    assert load(15, baseline_until="2026-03-02") == (4, pytest.approx(0.4))


def test_a_sample_is_of_whole_participants_and_the_same_for_the_same_seed(
    filled: Filled,
) -> None:
    store, made = filled
    limit = len(made) // 2
    rows, sample = load_cohort_runs(store, limit=limit, seed=7)
    assert sample.sampled
    assert sample.n_runs == len(rows) <= limit
    assert (sample.n_participants_total, sample.n_runs_total) == (6, len(made))
    whole = to_frame(made, "none").groupby("participant_id").size()
    assert rows.groupby("participant_id").size().to_dict() == {
        person: whole[person] for person in rows["participant_id"].unique()
    }
    assert sample.n_participants == rows["participant_id"].nunique()
    assert rows.equals(load_cohort_runs(store, limit=limit, seed=7)[0])
    drawn = {
        tuple(load_cohort_runs(store, limit=limit, seed=seed)[0]["participant_id"].unique()) for seed in range(9)
    }
    assert len(drawn) > 1


@pytest.mark.parametrize("group", EVERY_GROUPING)
def test_runs_carry_their_group_scores_and_levels(filled: Filled, group: str) -> None:
    store, made = filled
    rows, _ = load_cohort_runs(store, group=group)
    expected = to_frame(made, group).sort_values(["participant_id", "session_local"], ignore_index=True)
    assert rows["group"].tolist() == expected["group"].tolist()
    names = list(CONTINUOUS_COLUMNS)
    pd.testing.assert_frame_equal(rows[names], expected[names])
    pd.testing.assert_frame_equal(rows[list(LEVEL_COLUMNS)], (expected[list(LEVEL_COLUMNS)] * 3).round())


def test_sleep_rows_are_the_runs_whose_sleep_is_known(filled: Filled) -> None:
    store, made = filled
    rows, sample = load_sleep_rows(store)
    known = sorted((r for r in made if r.asleep), key=lambda r: (r.participant_id, r.session))
    assert rows["asleep_local"].tolist() == [run.asleep for run in known]
    assert (rows["awake_local"] - rows["asleep_local"]).eq(pd.Timedelta(hours=7.5)).all()
    assert rows["sleep_h"].eq(7.5).all()
    assert rows["hours_awake"].eq(4.5).all()
    middle = rows["asleep_local"] + (rows["awake_local"] - rows["asleep_local"]) / 2
    hours = (middle - rows["awake_local"].dt.normalize()) / pd.Timedelta(hours=1)
    assert rows["mid_sleep_h"].tolist() == pytest.approx(hours.tolist())
    assert rows["mid_sleep_h"].lt(0).any()
    assert sample.n_runs_total == len(known)


@pytest.mark.parametrize(
    ("asleep", "awake", "expected"),
    [
        ("2026-03-01T23:00:00", "2026-03-02T06:30:00", (7.5, 1.5, 2.75)),
        ("2026-03-01T20:00:00", "2026-03-01T23:00:00", (3.0, 9.0, 21.5)),
        (None, "2026-03-02T06:00:00", (None, 2.0, None)),
        ("2026-03-02T06:00:00", "2026-03-01T23:00:00", (None, 9.0, None)),
        ("2026-03-01T23:00:00", "2026-03-02T09:00:00", (10.0, None, 4.0)),
        ("2026-03-01T23:00:00", None, (None, None, None)),
    ],
)
def test_sleep_is_worked_out_where_its_times_are_in_order(
    store: Store, make_run: Any, asleep: str | None, awake: str | None, expected: tuple[float | None, ...]
) -> None:
    run_id = make_run("k", asleep_local=asleep, awake_local=awake, recorded_local="2026-03-02T08:00:00")
    finish(store, run_id, Section(section=0, start_s=0, finish_s=1, stress=0.33))
    with store.read() as db:
        assert db.conn.execute("SELECT sleep_h, hours_awake, mid_sleep_h FROM cohort").fetchone() == expected


@pytest.mark.parametrize("born", ["2008-03-02", "2008-03-03", "2008-02-29", "1996-03-03"])
def test_an_age_is_that_of_the_day_of_the_session(store: Store, born: str) -> None:
    facts = {"date_of_birth": born, "birth_sex": "MALE", "language": "fr"}
    person = save_participant(store, label="aged", **facts)
    run_id = add_run(
        store,
        NewRun(
            submission_key="aged",
            kind=RunKind.UPLOAD,
            participant_id=person,
            recorded_local="2026-03-02T08:00:00",
            **facts,
        ),
    )
    finish(store, run_id, Section(section=0, start_s=0, finish_s=1, stress=0.33))
    (band,) = load_cohort_cells(store, CohortFilter(language="fr"), group="age_band")["group"]
    assert band == {"2008-03-03": "under 18", "1996-03-03": "18-29"}.get(born, "18-29")


def test_the_options_are_what_there_is(filled: Filled) -> None:
    store, made = filled
    options = load_cohort_options(store)
    assert options.tags == {"arm": ("a", "b"), ODD_TAG: ("é",)}
    assert options.languages == ("de", "en-GB", "ja")
    assert options.birth_sexes == ("FEMALE", "MALE")
    sessions = [run.session.date().isoformat() for run in made]
    assert (options.first_day, options.last_day) == (min(sessions), max(sessions))


def test_an_empty_store_gives_frames_of_the_same_types(store: Store, make_run: Any) -> None:
    loads: list[Any] = [
        lambda: load_cohort_cells(store, group="tag:arm", period="week"),
        lambda: load_cohort_levels(store, group="weekday", period="week"),
        lambda: load_cohort_people(store, group="weekday", period="week"),
        lambda: load_cohort_deviations(store)[0],
        lambda: load_cohort_runs(store, group="age_band")[0],
        lambda: load_sleep_rows(store)[0],
    ]
    empty = [load() for load in loads]
    assert load_cohort_options(store).first_day is None
    times = {"asleep_local": "2026-03-01T23:00:00", "awake_local": "2026-03-02T06:30:00"}
    run_id = make_run("k", tags={"arm": "a"}, recorded_local="2026-03-02T08:00:00", **times)
    finish(store, run_id, Section(section=0, start_s=0, finish_s=1, stress=0.33))
    full = [load() for load in loads]
    assert [len(frame) for frame in empty] == [0] * 6
    assert all(len(frame) for frame in full)
    assert all(a.dtypes.equals(b.dtypes) for a, b in zip(empty, full, strict=True))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"group": "hair"}, "grouped by 'hair'"),
        ({"group": "tag:"}, "grouped by 'tag:'"),
        ({"period": "month"}, "'month'"),
        ({"cohort_filter": CohortFilter(age_bands=("old",))}, "age band 'old'"),
        ({"cohort_filter": CohortFilter(weekdays=(7,))}, "weekday 7"),
        ({"cohort_filter": CohortFilter(day_parts=("noon",))}, "part of the day 'noon'"),
        ({"cohort_filter": CohortFilter(since_local="soon")}, "'soon' is no day"),
    ],
)
def test_what_there_is_not_is_refused_by_name(store: Store, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_cohort_cells(store, **wrong)


def test_labels_are_found_by_id(filled: Filled) -> None:
    store, _ = filled
    assert load_labels(store, [2, 1, 99]) == {1: "P-9", 2: "P-8"}
    assert load_labels(store, []) == {}


def test_a_change_of_what_runs_were_sent_with_is_told_by_session(store: Store, make_run: Any) -> None:
    late = make_run("late", recorded_local="2026-03-03T08:00:00", accent="KE", birth_sex="MALE")
    make_run("early", recorded_local="2026-03-01T08:00:00")
    make_run("same", recorded_local="2026-03-02T08:00:00")
    last = make_run("last", recorded_local="2026-03-04T08:00:00", birth_sex="MALE", date_of_birth="1990-01-01")
    make_run("somebody else", label="P-2", language="ja")
    shown = [
        (late, "2026-03-03T08:00:00", "birth_sex", "FEMALE", "MALE"),
        (late, "2026-03-03T08:00:00", "accent", None, "KE"),
        (last, "2026-03-04T08:00:00", "date_of_birth", "1980-01-01", "1990-01-01"),
        (last, "2026-03-04T08:00:00", "accent", "KE", None),
    ]
    names = ("run_id", "session_local", "column", "before", "after")
    assert load_participant_changes(store, 1) == [
        ParticipantChange(**dict(zip(names, row, strict=True))) for row in shown
    ]


def test_names_of_groups_are_in_their_order() -> None:
    assert [len(names) for names in (AGE_BANDS, WEEKDAYS, DAY_PARTS)] == [6, 7, 4]
    assert tuple(datetime(2026, 3, 2 + n).strftime("%A") for n in range(7)) == WEEKDAYS
