"""The backbone that comes with the package."""

import sys
from pathlib import Path

import numpy as np
import pytest
from errors import raises_code

from converters.backbone import mobilenet_v2, weights

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

LIMIT = 5_000_000


def test_card_and_weights_fit_each_other() -> None:
    card, values = weights.read_builtin()
    assert mobilenet_v2.infer_alpha(values) == card["alpha"] == card["recipe"]["alpha"]
    assert card["trained_on"] in {"cpu", "gpu"}
    assert card["run"]["pictures_seen"] == card["recipe"]["steps"] * card["recipe"]["batch_size"]
    assert "research" in card["licence"]
    assert weights.WEIGHTS.stat().st_size <= LIMIT
    for layer, arrays in values.items():
        assert all(np.isfinite(array).all() for array in arrays), layer


def test_it_is_a_named_source_of_weights() -> None:
    backbone = weights.load("builtin", None, None, 0)
    card, values = weights.read_builtin()
    assert (backbone.weights, backbone.alpha, backbone.size) == (
        "builtin",
        card["alpha"],
        card["use_at"],
    )
    assert backbone.pretrained
    assert weights.load("builtin", None, 160, 0).size == 160
    model = backbone.build()
    for layer, arrays in values.items():
        for built, stored in zip(model.get_layer(layer).get_weights(), arrays, strict=True):
            np.testing.assert_array_equal(built, stored)


def test_another_width_is_refused_with_the_one_there_is() -> None:
    with raises_code("weights-alpha-mismatch", fix="--alpha 0.5"):
        weights.load("builtin", 1.0, None, 0)


def test_a_damaged_card_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text("not = toml = at all")
    monkeypatch.setattr(weights, "CARD", tmp_path / "card.toml")
    with raises_code("model-card-unreadable", found="card.toml"):
        weights.read_builtin()


@pytest.mark.realdata
def test_its_embedding_separates_groceries_it_never_saw(test_data: Path) -> None:
    import probe

    images, labels = probe.grocery(test_data / "datasets")
    card, values = weights.read_builtin()
    model = mobilenet_v2.build(card["alpha"], card["use_at"], values)
    scored = probe.probe(probe.embedder(model, card["use_at"])(images), labels)
    assert scored["mean"] >= 0.85
    assert scored["mean"] == pytest.approx(card["figures"]["grocery6"], abs=0.02)
