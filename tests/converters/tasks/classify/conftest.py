"""A learned backbone for all tests of training."""

from dataclasses import dataclass, field

import pytest

from converters.backbone.weights import Backbone
from converters.progress import SilentProgress


@pytest.fixture(scope="session")
def backbone(seed: int) -> Backbone:
    import micro_backbone

    return micro_backbone.backbone(seed)


@dataclass
class Listener(SilentProgress):
    """Progress that records its messages."""

    sentences: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def listener() -> Listener:
    return Listener()
