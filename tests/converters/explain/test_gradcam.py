import json
import math
from pathlib import Path

import tiny_models
from errors import error_code


def test_gradients_of_the_network_agree_with_the_map_of_its_int8_file(
    run_here, converted, micro_dataset: Path, tmp_path: Path
) -> None:
    out, _ = converted
    images = sorted(micro_dataset.glob("*/*"))[::24]
    rows = [
        json.loads(
            run_here(
                "explain", out, *images, "-o", tmp_path / method, "--method", method, "--json"
            ).stdout
        )
        for method in ("cam", "gradcam")
    ]
    pairs = list(zip(*rows, strict=True))
    assert all(after["method"] == "gradcam" for _, after in pairs)
    agreeing = [
        math.dist(before["peak"], after["peak"]) < 0.25
        for before, after in pairs
        if before["class"] == after["class"] and before["peak"] and after["peak"]
    ]
    assert len(agreeing) >= 2
    assert all(agreeing)


def test_a_file_without_its_network_names_the_other_method(run_here, tmp_path: Path) -> None:
    model = tmp_path / "tiny.tflite"
    model.write_bytes(tiny_models.pooled_classifier())
    done = run_here(
        "explain", model, tmp_path / "a.png", "-o", tmp_path / "why", "--method", "gradcam"
    )
    assert done.returncode == 2
    assert error_code(done.stderr) == "keras-model-missing"
    assert "--method cam" in done.stderr
    assert not (tmp_path / "why").exists()
