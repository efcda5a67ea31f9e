"""How often a step is tried, and whether it bears to be done again while the database is away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a step is tried, and after how many seconds again: `first_s`, then `factor` times as long each time.

    Only errors that are worth it are tried again: those that are not ours, and ours that are retryable. With `patient`
    each try is done again while our database is away or its disk is full, for up to 15 minutes: for what bears that.
    """

    tries: int = 1
    first_s: float = 0.5
    factor: float = 2.0
    patient: bool = False


ONCE: Final = Retries()
PATIENT: Final = Retries(patient=True)
