"""The six Helios biomarkers: their names, what they read, and which fields of a section carry them.

Higher is always worse. Continuous values lie in [0, 1]; bucketed values are ordinal and must never be averaged.
The scores are no diagnosis. thymia's streaming product calls exhaustion "burnout" and sleep propensity "fatigue";
the names here are those of the REST API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["BIOMARKERS", "BUCKET_LEVELS", "SCORE_FIELDS", "Biomarker"]

BUCKET_LEVELS: Final[tuple[float, ...]] = (0.0, 0.33, 0.66, 1.0)


@dataclass(frozen=True, slots=True)
class Biomarker:
    """One biomarker; `continuous` and `bucketed` are field names of `Section`."""

    name: str
    title: str
    reads: str
    continuous: str
    bucketed: str | None


BIOMARKERS: Final[tuple[Biomarker, ...]] = (
    Biomarker("mental_strain", "Mental strain", "overall, composite", "mental_strain", None),
    Biomarker("distress", "Distress", "worry, nervousness, on edge", "uniform_distress", "distress"),
    Biomarker("stress", "Stress", "anxious, wound up, can't relax", "uniform_stress", "stress"),
    Biomarker("exhaustion", "Exhaustion", "physical and mental tiredness", "uniform_exhaustion", "exhaustion"),
    Biomarker(
        "sleep_propensity",
        "Sleep propensity",
        "likelihood of falling asleep; linked to sleep quality",
        "uniform_sleep_propensity",
        "sleep_propensity",
    ),
    Biomarker(
        "low_self_esteem",
        "Low self-esteem",
        "how un-confident the user feels",
        "uniform_low_self_esteem",
        "low_self_esteem",
    ),
)

# The eleven score fields of a section: continuous ones first, in the order of BIOMARKERS.
SCORE_FIELDS: Final[tuple[str, ...]] = (
    *(biomarker.continuous for biomarker in BIOMARKERS),
    *(biomarker.bucketed for biomarker in BIOMARKERS if biomarker.bucketed is not None),
)
