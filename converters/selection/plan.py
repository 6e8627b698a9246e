"""Compression plan: recipes, limits and board, checked before any work is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from boards.profile import Profile
from converters import tflite
from converters.compression import accuracy_control, recipe
from converters.compression.recipe import Recipe
from converters.selection.select import Limits
from edge.errors import UsageError

ALWAYS = tflite.NAMES
"""Variants that are always built; recipes of these names add nothing to them."""

DEFAULT = "int8"

_TAKEN = (*ALWAYS, accuracy_control.NAME)
"""Names that a recipe file cannot have."""


@dataclass(frozen=True, slots=True)
class CompressionPlan:
    """Recipes, and the requirements on the selected file.

    ``preferred``: the variant that is selected without limits, that of the last recipe.
    ``precision``: required share (above 0, up to 1) of correct predictions among the accepted
    ones, None for no threshold. ``max_drop``: points of accuracy that the selected file may lose
    against float32. ``board``: the board that it is for, None for no particular one.
    """

    recipes: tuple[Recipe, ...] = ()
    preferred: str = DEFAULT
    limits: Limits = field(default_factory=Limits)
    precision: float | None = None
    max_drop: float = 2.0
    board: Profile | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON values, without the limits, which the choice records."""
        return {
            "recipes": [chosen.name for chosen in self.recipes],
            "precision": self.precision,
            "max_drop": self.max_drop,
            "board": None if self.board is None else self.board.name,
        }


def make_plan(
    names: Sequence[str],
    limits: Limits,
    precision: float | None,
    max_drop: float,
    board: Profile | None = None,
) -> CompressionPlan:
    """Load recipes, given by name or as files, and check them with the limits and the board.

    Raises:
        UsageError: an unknown or invalid recipe, two with one name, a precision or drop out of
            range, or a target that the board does not have.
    """
    if board is not None and limits.target == "edgetpu" != board.run.delegate:
        raise UsageError(
            "a board with an Edge TPU, as --target edgetpu needs one",
            board.name,
            f"use --board {board.name}+ACCELERATOR; see 'edge boards list'",
            code="board-without-edgetpu",
        )
    if precision is not None and not 0 < precision <= 1:
        share = f"use {precision / 100:g} for {precision:g} %" if 1 < precision <= 100 else ""
        raise UsageError(
            "--precision to be above 0 and at most 1",
            f"{precision:g}",
            share or "use a fraction such as 0.95",
            code="option-out-of-range",
        )
    if not max_drop >= 0:
        raise UsageError(
            "--max-drop to be at least 0",
            f"{max_drop:g}",
            "use --max-drop 2",
            code="option-out-of-range",
        )
    loaded = tuple(recipe.load(name) for name in names)
    for index, current in enumerate(loaded):
        own_file = current.name in _TAKEN and names[index] != current.name
        if own_file or current.name in (other.name for other in loaded[:index]):
            raise UsageError(
                "recipes with different names",
                f"'{current.name}' twice"
                if not own_file
                else f"'{current.name}', a name that the toolkit uses itself",
                "rename the recipe file",
                code="recipe-name-conflict",
            )
    return CompressionPlan(
        recipes=tuple(
            loaded_recipe for loaded_recipe in loaded if loaded_recipe.name not in ALWAYS
        ),
        preferred=loaded[-1].name if loaded else DEFAULT,
        limits=limits,
        precision=precision,
        max_drop=max_drop,
        board=board,
    )
