"""Split: training, validation and test sides, stratified, seeded, duplicates together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Split:
    """Indices into ``Dataset.pictures``, int64, each sorted; no picture is on two sides.

    ``given`` says that the data set came with its own split.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    seed: int
    given: bool
