"""What a recorder tells while it records stands for the end that may never come."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.audio import TakeEnd, load_take, load_takes
from heliograph.audio.chunk_registry import open_chunk_take
from heliograph.audio.chunk_take import ChunkError, ChunkProblem, ChunkTake
from tests.audio.test_chunks import FACTS, RATE_HZ, TAKE, begin, cut, let_time_pass, make_ending, make_sound, put


def test_what_is_known_to_be_missing_counts_though_no_end_ever_comes(tmp_path: Path) -> None:
    """Told again when there is more of it, also after a restart; what was told before takes nothing back."""
    take = begin(tmp_path)
    for index, piece in enumerate(cut(make_sound(4))):
        put(take, index, piece)
    known = {"lost_samples": RATE_HZ, "skipped_samples": RATE_HZ}
    more = {**FACTS, "skipped_s": "3: 1.00", "events": "1.0 muted"}
    ChunkTake(tmp_path, TAKE).begin(rate_hz=RATE_HZ, participant_note="8", facts=more, **known)
    take.begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS)
    let_time_pass(tmp_path)
    (found,) = load_takes(tmp_path)
    assert found.facts.processing == more
    assert found.facts.participant_note == "7"
    assert found.missing_share == pytest.approx(2 / 5)
    assert found.facts.end is TakeEnd.CONNECTION_LOST


def test_a_take_that_has_ended_is_not_changed_by_what_was_known_before(tmp_path: Path) -> None:
    take, pieces = begin(tmp_path), cut(make_sound(2))
    for index, piece in enumerate(pieces):
        put(take, index, piece)
    take.finish(make_ending(pieces, 2 * RATE_HZ))
    take.begin(rate_hz=RATE_HZ, participant_note="7", facts={"late": "yes"}, lost_samples=RATE_HZ)
    found = load_take(tmp_path, TAKE)
    assert (found.facts.lost_samples, "late" in found.facts.processing) == (0, False)


def test_facts_that_are_told_again_and_again_stay_a_few(tmp_path: Path) -> None:
    take = begin(tmp_path)
    for number in range(38):
        take.begin(rate_hz=RATE_HZ, participant_note="7", facts={f"fact_{number}": "x"})
    with pytest.raises(ChunkError) as refused:
        take.begin(rate_hz=RATE_HZ, participant_note="7", facts={"one_more": "x"})
    assert refused.value.reason is ChunkProblem.BAD_REQUEST
    assert len(ChunkTake(tmp_path, TAKE).begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS).missing) == 0


@pytest.mark.parametrize("name", ["lost_samples", "skipped_samples"])
def test_a_beginning_with_less_than_nothing_missing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ChunkError) as refused:
        open_chunk_take(tmp_path, TAKE).begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS, **{name: -1})
    assert refused.value.reason is ChunkProblem.BAD_REQUEST
