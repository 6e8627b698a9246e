"""What a task runs its model on: an interpreter of TFLite files, or a library's own pipeline."""

from typing import Protocol

from edge.interpreter import Array


class Engine(Protocol):
    """Runs one model; :class:`edge.interpreter.Runtime` is one.

    ``name``: of the model, usually its path; ``package``: name and version of what runs
    it; ``delegate``: "cpu" or "edgetpu"; ``threads``: of the CPU.
    """

    @property
    def name(self) -> str: ...

    @property
    def package(self) -> str: ...

    @property
    def delegate(self) -> str: ...

    @property
    def threads(self) -> int: ...

    def invoke(self, *arrays: Array) -> tuple[Array, ...]:
        """The raw outputs of the model.

        Raises:
            ModelError: the arrays do not fit the inputs, or the model fails.
        """
