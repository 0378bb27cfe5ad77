"""Published data of Bland and Altman: one table of repeated measures, one of two meters."""

from __future__ import annotations

import numpy as np

# Bland and Altman (1995), BMJ 310:446, table I: intramural pH and PaCO2 of eight subjects.
PH_PACO2 = {
    1: "6.68 3.97 6.53 4.12 6.43 4.09 6.33 3.97",
    2: "6.85 5.27 7.06 5.37 7.13 5.41 7.17 5.44",
    3: "7.40 5.67 7.42 3.64 7.41 4.32 7.37 4.73 7.34 4.96 7.35 5.04 7.28 5.22 7.30 4.82 7.34 5.07",
    4: "7.36 5.67 7.33 5.10 7.29 5.53 7.30 4.75 7.35 5.51",
    5: "7.35 4.28 7.30 4.44 7.30 4.32 7.37 3.23 7.27 4.46 7.28 4.72 7.32 4.75 7.32 4.99",
    6: "7.38 4.78 7.30 4.73 7.29 5.12 7.33 4.93 7.31 5.03 7.33 4.93",
    7: "6.86 6.85 6.94 6.44 6.92 6.52",
    8: "7.19 5.28 7.29 4.56 7.21 4.34 7.25 4.32 7.20 4.41 7.19 3.69 6.77 6.09 6.82 5.58",
}
# Bland and Altman (1986), Lancet 327:307: peak flow by the large and the mini Wright meter, first readings, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def read_ph() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whose each row is, its pH and its PaCO2."""
    values = {person: np.array(text.split(), dtype=float).reshape(-1, 2) for person, text in PH_PACO2.items()}
    persons = np.repeat(list(values), [len(part) for part in values.values()])
    return persons, *np.concatenate(list(values.values())).T
