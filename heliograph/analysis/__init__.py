"""Frames and numbers in, frames and numbers out: the statistics of one participant and of cohorts. Nothing here
reads the store, knows the clock or draws. Every method names its formula and source."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heliograph.analysis.agreement import (
        BlandAltman,
        Correlation,
        compute_between_correlation,
        compute_bland_altman,
        compute_rmcorr,
    )
    from heliograph.analysis.baseline import Baseline, compute_baseline, select_baseline
    from heliograph.analysis.cohorts import (
        compute_group_summary,
        compute_group_trajectory,
        compute_within_correlations,
        mark_small,
        suppress_small,
    )
    from heliograph.analysis.comparability import find_breaks
    from heliograph.analysis.confounders import Adjusted, adjust_for_confounders, compute_confounders
    from heliograph.analysis.control import (
        compute_cusum_arl,
        compute_cusum_chart,
        compute_ewma_arl,
        compute_ewma_chart,
        compute_false_alarm_chance,
    )
    from heliograph.analysis.flags import find_flags
    from heliograph.analysis.mixed import fit_all, fit_mixed_model
    from heliograph.analysis.model_reports import ModelReport, tabulate_reports
    from heliograph.analysis.moments import mark_repeats
    from heliograph.analysis.multiplicity import adjust_p
    from heliograph.analysis.ordinal import fit_all_levels, fit_levels
    from heliograph.analysis.paired import PairedChange, compute_paired_change
    from heliograph.analysis.reliability import Reliability, compute_reliability, find_repeats
    from heliograph.analysis.sleep import compute_regularity, compute_sleep_measures, compute_social_jetlag
    from heliograph.analysis.slope import Slope, compute_slope_per_week
    from heliograph.analysis.within_between import WithinBetween, fit_within_between, split_within_between

__all__ = [
    "Adjusted",
    "Baseline",
    "BlandAltman",
    "Correlation",
    "ModelReport",
    "PairedChange",
    "Reliability",
    "Slope",
    "WithinBetween",
    "adjust_for_confounders",
    "adjust_p",
    "compute_baseline",
    "compute_between_correlation",
    "compute_bland_altman",
    "compute_confounders",
    "compute_cusum_arl",
    "compute_cusum_chart",
    "compute_ewma_arl",
    "compute_ewma_chart",
    "compute_false_alarm_chance",
    "compute_group_summary",
    "compute_group_trajectory",
    "compute_paired_change",
    "compute_regularity",
    "compute_reliability",
    "compute_rmcorr",
    "compute_sleep_measures",
    "compute_slope_per_week",
    "compute_social_jetlag",
    "compute_within_correlations",
    "find_breaks",
    "find_flags",
    "find_repeats",
    "fit_all",
    "fit_all_levels",
    "fit_levels",
    "fit_mixed_model",
    "fit_within_between",
    "mark_repeats",
    "mark_small",
    "select_baseline",
    "split_within_between",
    "suppress_small",
    "tabulate_reports",
]

# A module and what it offers; a module (and scipy with it) is imported when one of its names is first asked for.
_NAMES = {
    "baseline": ("Baseline", "compute_baseline", "select_baseline"),
    "comparability": ("find_breaks",),
    "confounders": ("Adjusted", "adjust_for_confounders", "compute_confounders"),
    "control": (
        "compute_cusum_arl",
        "compute_cusum_chart",
        "compute_ewma_arl",
        "compute_ewma_chart",
        "compute_false_alarm_chance",
    ),
    "flags": ("find_flags",),
    "moments": ("mark_repeats",),
    "reliability": ("Reliability", "compute_reliability", "find_repeats"),
    "slope": ("Slope", "compute_slope_per_week"),
    "agreement": (
        "BlandAltman",
        "Correlation",
        "compute_between_correlation",
        "compute_bland_altman",
        "compute_rmcorr",
    ),
    "cohorts": (
        "compute_group_summary",
        "compute_group_trajectory",
        "compute_within_correlations",
        "mark_small",
        "suppress_small",
    ),
    "mixed": ("fit_all", "fit_mixed_model"),
    "model_reports": ("ModelReport", "tabulate_reports"),
    "multiplicity": ("adjust_p",),
    "ordinal": ("fit_all_levels", "fit_levels"),
    "paired": ("PairedChange", "compute_paired_change"),
    "sleep": ("compute_regularity", "compute_sleep_measures", "compute_social_jetlag"),
    "within_between": ("WithinBetween", "fit_within_between", "split_within_between"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"heliograph.analysis.{_MODULES[name]}"), name)
