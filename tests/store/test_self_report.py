"""Ratings stay with their run, and an import of questionnaires is all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from heliograph.store import (
    ConstraintError,
    FailureReason,
    NewQuestionnaire,
    RunState,
    Section,
    Store,
    advance_run,
    count_questionnaires,
    delete_questionnaires,
    delete_run,
    find_participants_by_label,
    import_questionnaires,
    load_instruments,
    load_questionnaire_pairs,
    load_questionnaire_sources,
    load_questionnaires,
    load_rating_pairs,
    load_rating_scales,
    load_ratings,
    load_trend,
    purge_run,
    replace_run,
    save_participant,
    save_ratings,
)

PERSON = {"date_of_birth": "1980-01-01", "birth_sex": "FEMALE", "language": "en-GB"}


def answer(participant_id: int, day: str = "2026-03-01", **fields: Any) -> NewQuestionnaire:
    """A questionnaire of the participant."""
    return NewQuestionnaire(
        **({"participant_id": participant_id, "answered_local": day, "instrument": "PSS", "score": 12.0} | fields)
    )


@pytest.fixture
def people(store: Store) -> list[int]:
    """Two participants."""
    return [save_participant(store, label=label, **PERSON) for label in ("P-1", "P-2")]


def test_ratings_come_with_the_run_and_stand_in_its_trend(store: Store, make_run: Any) -> None:
    run_id = make_run("k", ratings={"kss": 7, "stress_0_10": 2.5})
    assert load_ratings(store, run_id) == {"kss": 7.0, "stress_0_10": 2.5}
    assert json.loads(load_trend(store, 1)["ratings"].iloc[0]) == {"kss": 7.0, "stress_0_10": 2.5}
    save_ratings(store, run_id, {"energy_0_10": 4})
    assert load_ratings(store, run_id) == {"energy_0_10": 4.0}
    assert json.loads(load_trend(store, 1)["ratings"].iloc[0]) == {"energy_0_10": 4.0}
    assert load_rating_scales(store) == ["energy_0_10"]


def test_a_rating_that_is_no_number_or_of_no_run_is_refused_and_leaves_what_was_there(
    store: Store, make_run: Any
) -> None:
    run_id = make_run("k", ratings={"kss": 7})
    with pytest.raises(ValueError, match="kss"):
        save_ratings(store, run_id, {"kss": float("nan")})
    assert load_ratings(store, run_id) == {"kss": 7.0}
    with pytest.raises(ConstraintError):
        save_ratings(store, 99, {"kss": 1})
    with pytest.raises(ValueError, match="kss"):
        make_run("bad", ratings={"kss": float("inf")})
    assert len(load_trend(store, 1)) == 1


def test_a_run_that_takes_anothers_place_takes_its_ratings_unless_it_has_its_own(
    store: Store, make_run: Any, new_run: Any
) -> None:
    old = make_run("old", ratings={"kss": 7})
    reason = FailureReason.UPLOAD_URL_EXPIRED
    new = replace_run(store, old, new_run(store, "new"), failure=reason)
    assert load_ratings(store, new) == {"kss": 7.0}
    again = make_run("again", repeats_run_id=old)
    assert load_ratings(store, again) == {"kss": 7.0}
    rated = replace_run(store, new, new_run(store, "rated", ratings={"kss": 1}), failure=reason)
    assert load_ratings(store, rated) == {"kss": 1.0}
    linked = replace_run(store, rated, new_run(store, "linked", repeats_run_id=old), failure=reason)
    assert load_ratings(store, linked) == {"kss": 7.0}


def test_ratings_go_with_their_run_and_with_its_purge(store: Store, make_run: Any) -> None:
    kept, purged, deleted = (make_run(key, ratings={"kss": 7}) for key in ("a", "b", "c"))
    purge_run(store, purged)
    delete_run(store, deleted)
    assert [load_ratings(store, run_id) for run_id in (kept, purged, deleted)] == [{"kss": 7.0}, {}, {}]


def test_an_import_adds_what_is_new_and_skips_what_is_there(store: Store, people: list[int]) -> None:
    first, second = people
    assert (
        import_questionnaires(store, [answer(second), answer(first, "2026-03-02T08:30:00")], source="a.csv") == 2
    )
    again = [answer(second), answer(first, instrument="WHO-5", score=60), answer(second)]
    assert import_questionnaires(store, again, source="b.csv") == 1
    frame = load_questionnaires(store)
    assert frame["participant"].tolist() == ["P-1", "P-1", "P-2"]
    assert frame["instrument"].tolist() == ["WHO-5", "PSS", "PSS"]
    assert frame["score"].tolist() == [60.0, 12.0, 12.0]
    assert frame["answered_local"].tolist() == [
        pd.Timestamp("2026-03-01"),
        pd.Timestamp("2026-03-02T08:30:00"),
        pd.Timestamp("2026-03-01"),
    ]
    assert load_questionnaires(store, participant_id=second)["participant_id"].tolist() == [second]
    assert (count_questionnaires(store), load_instruments(store)) == (3, ["PSS", "WHO-5"])
    assert load_questionnaire_sources(store) == {"a.csv": 2, "b.csv": 1}
    assert delete_questionnaires(store, source="a.csv") == 2
    assert delete_questionnaires(store, source="a.csv") == 0
    assert load_questionnaires(store)["instrument"].tolist() == ["WHO-5"]


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ({"score": 13.0}, ConstraintError, "has the score 12 already"),
        ({"score": float("nan"), "instrument": "x"}, ValueError, "must be a number"),
        ({"answered_local": "yesterday"}, ValueError, "neither a day"),
        ({"instrument": " "}, ValueError, "no instrument"),
        ({"participant_id": 99}, ConstraintError, "refused"),
    ],
)
def test_an_import_with_anything_wrong_in_it_writes_nothing(
    store: Store, people: list[int], bad: dict[str, Any], error: type[Exception], words: str
) -> None:
    import_questionnaires(store, [answer(people[0])], source="a.csv")
    rows = [answer(people[1]), answer(**({"participant_id": people[0]} | bad))]
    with pytest.raises(error, match=words):
        import_questionnaires(store, rows, source="b.csv")
    assert (count_questionnaires(store), load_questionnaire_sources(store)) == (1, {"a.csv": 1})


def test_a_file_that_contradicts_itself_is_refused(store: Store, people: list[int]) -> None:
    with pytest.raises(ConstraintError, match="contradicts"):
        import_questionnaires(store, [answer(people[0]), answer(people[0], score=13.0)], source="a.csv")
    assert count_questionnaires(store) == 0


def test_without_questionnaires_the_frame_has_the_same_columns_and_types(store: Store, people: list[int]) -> None:
    empty = load_questionnaires(store)
    import_questionnaires(store, [answer(people[0])], source="a.csv")
    assert empty.empty
    assert load_questionnaires(store).dtypes.equals(empty.dtypes)


def test_participants_are_found_by_exactly_their_label(store: Store, people: list[int]) -> None:
    assert find_participants_by_label(store, ["P-2", "p-1", "P-1", "x"]) == {"P-2": people[1], "P-1": people[0]}


def test_a_questionnaire_is_paired_with_the_runs_of_the_days_around_it(store: Store, make_run: Any) -> None:
    for day, score in ((1, 0.1), (4, 0.4), (5, 0.5), (8, 0.8)):
        run_id = make_run(f"k{day}", recorded_local=f"2026-03-0{day}T23:50:00")
        section = Section(section=0, start_s=0, finish_s=1, uniform_stress=score)
        advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
    rows = [answer(1, "2026-03-04T00:05:00"), answer(1, "2026-05-01"), answer(1, instrument="WHO-5")]
    import_questionnaires(store, rows, source="a.csv")
    pairs = load_questionnaire_pairs(store, "PSS", within_days=1)
    assert pairs["n_runs"].tolist() == [2, 0]
    assert pairs["uniform_stress"].iloc[0] == pytest.approx(0.45)
    assert pairs["uniform_stress"].isna().tolist() == [False, True]
    assert load_questionnaire_pairs(store, "PSS", within_days=0)["n_runs"].tolist() == [1, 0]
    assert load_questionnaire_pairs(store, "unknown").dtypes.equals(pairs.dtypes)
    with pytest.raises(ValueError, match="negative"):
        load_questionnaire_pairs(store, "PSS", within_days=-1)


def test_rated_runs_come_with_their_rating_and_scores_and_others_do_not(store: Store, make_run: Any) -> None:
    ratings: list[dict[str, float]] = [{"kss": 7}, {"stress_0_10": 1}, {}, {"kss": 2, 'odd "scale"': 5}]
    for number, rated in enumerate(ratings):
        run_id = make_run(f"k{number}", ratings=rated, recorded_local=f"2026-03-0{number + 1}T08:30:00")
        section = Section(section=0, start_s=0, finish_s=1, mental_strain=number / 4)
        advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
    make_run("no result yet", ratings={"kss": 9})
    pairs, sample = load_rating_pairs(store, "kss")
    assert pairs["value"].tolist() == [7.0, 2.0]
    assert pairs["mental_strain"].tolist() == [0.0, 0.75]
    assert pairs["session_local"].iloc[1] == pd.Timestamp("2026-03-04T08:30:00")
    assert (sample.n_runs, sample.n_runs_total, sample.sampled) == (2, 2, False)
    assert load_rating_pairs(store, 'odd "scale"')[0]["value"].tolist() == [5.0]
    empty, sample = load_rating_pairs(store, "energy_0_10")
    assert empty.dtypes.equals(pairs.dtypes)
    assert (len(empty), sample.n_runs_total) == (0, 0)
