"""Sleep beside the voice: duration, mid-sleep, hours awake, regularity and social jetlag."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

__all__ = [
    "NIGHTS_NEEDED",
    "SRI_PAIRS_NEEDED",
    "compute_mean_clock",
    "compute_regularity",
    "compute_sleep_measures",
    "compute_social_jetlag",
    "list_nights",
]

NIGHTS_NEEDED = 3
"""Nights below which no spread of mid-sleep is given."""

SRI_PAIRS_NEEDED = 5
"""Pairs of consecutive days below which no Sleep Regularity Index is given."""

JETLAG_NIGHTS_NEEDED = 2
"""Nights before free days, and before work days, below which no social jetlag is given."""

FREE_WEEKDAYS = (5, 6)
"""Waking on Saturday or Sunday counts as a free day."""

LONGEST_H = 24.0


def compute_sleep_measures(rows: pd.DataFrame) -> pd.DataFrame:
    """Sleep of each run from its times.

    Parameters
    ----------
    rows : pandas.DataFrame
        `asleep_local`, `awake_local` and `session_local`, the participant's wall times.

    Returns
    -------
    pandas.DataFrame
        With the index of `rows`: `duration_h`, `mid_sleep_h` (hours from midnight of the day of waking; negative
        before it) and `hours_awake` at the session. Missing where a time is missing or impossible: waking before
        falling asleep, more than 24 h of sleep, a session before waking.

    References
    ----------
    Roenneberg T, Wirz-Justice A, Merrow M (2003). Life between clocks. J Biol Rhythms 18:80–90 (mid-sleep as
    onset plus half the duration).
    """
    asleep, awake, session = (
        pd.to_datetime(rows[name]) for name in ("asleep_local", "awake_local", "session_local")
    )
    hour = pd.Timedelta(hours=1)
    duration = (awake - asleep) / hour
    duration = duration.where((duration > 0) & (duration <= LONGEST_H))
    since = (session - awake) / hour
    return pd.DataFrame(
        {
            "duration_h": duration,
            "mid_sleep_h": (awake - awake.dt.normalize()) / hour - duration / 2,
            "hours_awake": since.where(since >= 0),
        },
        index=rows.index,
    ).astype(float)


def compute_regularity(rows: pd.DataFrame) -> pd.DataFrame:
    """How regular each participant's sleep is.

    Parameters
    ----------
    rows : pandas.DataFrame
        `participant_id`, `asleep_local`, `awake_local`; several rows may tell of one night. Of the sleeps that end
        on one day the longest counts.

    Returns
    -------
    pandas.DataFrame
        One row a participant in order: `participant_id`, `n_nights`, `mid_sleep_sd_h`, `sri`, `n_pairs` (of
        consecutive days), `needed` (pairs that the index needs) and `note` (what is missing).

    Notes
    -----
    `mid_sleep_sd_h`: sqrt(sum d² / (n - 1)) of the deviations d from the circular mean of mid-sleep, each taken
    the short way round the clock and centred: 23:50 and 0:10 are 20 minutes apart.

    `sri`: the Sleep Regularity Index, -100 + 200 · the chance of being in the same state, asleep or awake, at two
    moments 24 h apart: 100 for the same hours every day, 0 for chance. Between a day and the next the states
    differ during |A| + |B| - 2 |A and B| hours of 24, A and B being the two sleeps by the clock. Only the reported
    main sleep is known: naps and waking in the night are not in it, so that it comes out higher than from
    actigraphy.

    References
    ----------
    Phillips AJK et al. (2017). Irregular sleep/wake patterns are associated with poorer academic performance and
    delayed circadian and sleep/wake timing. Sci Rep 7:3216.
    """
    nights = list_nights(rows)
    codes, people = pd.factorize(nights["participant_id"])
    n = np.bincount(codes, minlength=len(people))
    middle = nights["mid_sleep_h"].to_numpy(dtype=float)
    away = _turn(middle - _mean_clock_of_each(codes, middle, len(people))[codes])
    away = away - _mean(codes, away, len(people))[codes]
    squares = np.bincount(codes, weights=away**2, minlength=len(people))
    agreeing, first = _compare_days(nights, codes)
    pairs = np.bincount(first, minlength=len(people))
    share = _mean(first, agreeing, len(people))
    return pd.DataFrame(
        {
            "participant_id": people,
            "n_nights": n,
            "mid_sleep_sd_h": np.where(n >= NIGHTS_NEEDED, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan),
            "sri": np.where(pairs >= SRI_PAIRS_NEEDED, 200 * share - 100, np.nan),
            "n_pairs": pairs,
            "needed": SRI_PAIRS_NEEDED,
            "note": [_describe_regularity(*counts) for counts in zip(n, pairs, strict=True)],
        }
    )


def compute_social_jetlag(rows: pd.DataFrame, *, free_weekdays: tuple[int, ...] = FREE_WEEKDAYS) -> pd.DataFrame:
    """How far apart each participant's sleep lies on free days and on work days.

    Parameters
    ----------
    rows : pandas.DataFrame
        As for `compute_regularity`.
    free_weekdays : tuple of int
        Days of waking that count as free, Monday being 0. Shift workers' free days are not known here.

    Returns
    -------
    pandas.DataFrame
        One row a participant in order: `participant_id`, `n_free`, `n_work` (nights), `msf_h`, `msw_h` (mid-sleep,
        hours from midnight in [0, 24)), `social_jetlag_h`, `needed` (nights of each) and `note`.

    Notes
    -----
    |MSF - MSW|, the short way round the clock, where MSF and MSW are the circular mean of mid-sleep before free
    days and before work days.

    References
    ----------
    Wittmann M, Dinich J, Merrow M, Roenneberg T (2006). Social jetlag: misalignment of biological and social time.
    Chronobiol Int 23:497–509.
    """
    nights = list_nights(rows)
    codes, people = pd.factorize(nights["participant_id"])
    free = nights["day"].dt.day_of_week.isin(free_weekdays).to_numpy()
    middle = nights["mid_sleep_h"].to_numpy(dtype=float)
    n_free, n_work = (np.bincount(codes[kind], minlength=len(people)) for kind in (free, ~free))
    msf, msw = (_mean_clock_of_each(codes[kind], middle[kind], len(people)) for kind in (free, ~free))
    enough = np.minimum(n_free, n_work) >= JETLAG_NIGHTS_NEEDED
    return pd.DataFrame(
        {
            "participant_id": people,
            "n_free": n_free,
            "n_work": n_work,
            "msf_h": msf,
            "msw_h": msw,
            "social_jetlag_h": np.where(enough, np.abs(_turn(msf - msw)), np.nan),
            "needed": JETLAG_NIGHTS_NEEDED,
            "note": ["" if is_enough else _describe_jetlag(*counts)
                     for is_enough, *counts in zip(enough, n_free, n_work, strict=True)],
        }
    )  # fmt: skip


def list_nights(rows: pd.DataFrame) -> pd.DataFrame:
    """One sleep a day of waking.

    Parameters
    ----------
    rows : pandas.DataFrame
        `participant_id`, `asleep_local`, `awake_local`; several rows may tell of one night. Not changed.

    Returns
    -------
    pandas.DataFrame
        One row per participant and day of waking, in order: `participant_id`, `asleep`, `awake`, `day`, `duration`
        (hours), `mid_sleep_h` (hours from midnight of the day). Of the sleeps that end on one day the longest
        counts; impossible times are left out.
    """
    asleep, awake = pd.to_datetime(rows["asleep_local"]), pd.to_datetime(rows["awake_local"])
    nights = pd.DataFrame({"participant_id": rows["participant_id"], "asleep": asleep, "awake": awake})
    duration = (awake - asleep) / pd.Timedelta(hours=1)
    nights = nights.assign(duration=duration, day=awake.dt.normalize())[(duration > 0) & (duration <= LONGEST_H)]
    nights["mid_sleep_h"] = (nights["awake"] - nights["day"]) / pd.Timedelta(hours=1) - nights["duration"] / 2
    longest = nights.sort_values(["participant_id", "day", "duration"], kind="stable")
    return longest.drop_duplicates(["participant_id", "day"], keep="last").reset_index(drop=True)


def compute_mean_clock(hours: np.ndarray) -> float:
    """The mean time of day of one person.

    Parameters
    ----------
    hours : numpy.ndarray
        Hours from any midnight.

    Returns
    -------
    float
        In [0, 24), around the clock: of 23:50 and 0:10 it is midnight. NaN without hours.
    """
    return float(_mean_clock_of_each(np.zeros(len(hours), dtype=int), hours, 1)[0])


def _describe_regularity(n: int, pairs: int) -> str:
    missing = [] if n >= NIGHTS_NEEDED else [f"not enough nights ({n} of {NIGHTS_NEEDED})"]
    if pairs < SRI_PAIRS_NEEDED:
        missing.append(f"not enough pairs of consecutive days ({pairs} of {SRI_PAIRS_NEEDED})")
    return "; ".join(missing)


def _describe_jetlag(n_free: int, n_work: int) -> str:
    needed = JETLAG_NIGHTS_NEEDED
    return f"not enough nights ({n_free} of {needed} before free days, {n_work} of {needed} before work days)"


def _compare_days(nights: pd.DataFrame, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each two consecutive days of a participant the share of 24 h with the same state on both, and whose."""
    hour, day = pd.Timedelta(hours=1), pd.Timedelta(days=1)
    following = nights.shift(-1)
    same = np.append(codes[1:] == codes[:-1], False)
    consecutive = ((following["day"] - nights["day"]) == day).to_numpy() & same[: len(codes)]
    begins = np.maximum(nights["asleep"], following["asleep"] - day)
    ends = np.minimum(nights["awake"], following["awake"] - day)
    both = ((ends - begins) / hour).clip(lower=0)
    differing = (nights["duration"] + following["duration"] - 2 * both).to_numpy(dtype=float)[consecutive]
    return 1 - np.minimum(differing, 24.0) / 24, codes[consecutive]


def _mean_clock_of_each(codes: np.ndarray, hours: np.ndarray, people: int) -> np.ndarray:
    """Each one's mean time of day in [0, 24): where the summed hands point, then the plain mean around that."""
    angles = hours * (2 * math.pi / 24)
    sines, cosines = (
        np.bincount(codes, weights=part, minlength=people) for part in (np.sin(angles), np.cos(angles))
    )
    direction = np.arctan2(sines, cosines) * 24 / (2 * math.pi)
    around = direction + _mean(codes, _turn(hours - direction[codes]), people)
    found: np.ndarray = around % 24
    return found


def _mean(codes: np.ndarray, values: np.ndarray, people: int) -> np.ndarray:
    """Each one's mean, NaN for nobody's."""
    counts = np.bincount(codes, minlength=people).astype(float)
    sums = np.bincount(codes, weights=values, minlength=people)
    means: np.ndarray = np.divide(sums, counts, out=np.full(people, math.nan), where=counts > 0)
    return means


def _turn(hours: np.ndarray) -> np.ndarray:
    """Differences of times of day taken the short way round, in [-12, 12)."""
    turned: np.ndarray = (hours + 12) % 24 - 12
    return turned
