"""The registry's checksums and facts against real files, and a demo that pulls its model."""

import json

import pytest
from file_server import Served, serving

from edge.modelfile import tflite
from edge.registry import download, store
from edge.registry.catalog import find

HERE = {
    "coco_ssd_mobilenet_v1_1.0_quant.tflite": ("coco_ssd_mobilenet_v1", "model"),
    "coco_ssd_labels.txt": ("coco_ssd_mobilenet_v1", "labels"),
    "coco_labels.txt": ("ssd_mobilenet_v1_coco", "labels"),
    "deeplabv3_mnv2_dm05_pascal_quant.tflite": ("deeplabv3_pascal", "model"),
    "deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite": ("deeplabv3_pascal", "edgetpu"),
    "pascal_voc_segmentation_labels.txt": ("deeplabv3_pascal", "labels"),
    "mobilenet_v1_0.25_128_quant.tflite": ("mobilenet_v1_0.25_128_quant", "model"),
    "mobilenet_v1_0.25_128_quant_edgetpu.tflite": ("mobilenet_v1_0.25_128_quant", "edgetpu"),
    "mobilenet_v2_1.0_224_quant.tflite": ("mobilenet_v2_1.0_224_quant", "model"),
    "mobilenet_v2_1.0_224_inat_bird_quant.tflite": ("mobilenet_v2_inat_bird", "model"),
    "inat_bird_labels.txt": ("mobilenet_v2_inat_bird", "labels"),
    "imagenet_labels.txt": ("mobilenet_v2_1.0_224_quant", "labels"),
    "tf2_mobilenet_v2_1.0_224_ptq.tflite": ("tf2_mobilenet_v2", "model"),
    "movenet_single_pose_lightning_ptq.tflite": ("movenet_lightning", "model"),
}

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize("file", HERE)
def test_checksums_and_sizes_match_the_files(test_data, file):
    name, role = HERE[file]
    remote = getattr(find(name), role)
    path = test_data / "models" / file
    assert remote.checked == "sha256"
    assert remote.size == path.stat().st_size
    assert store.find_mismatch(path, remote, None) is None


@pytest.mark.parametrize("file", [file for file, (_, role) in HERE.items() if role == "model"])
def test_inputs_match_the_models(test_data, file):
    parsed = tflite.parse((test_data / "models" / file).read_bytes())
    _, height, width, _ = parsed.inputs[0].shape
    assert find(HERE[file][0]).input == f"{width}x{height}"


def test_blob_ids_match_git(test_data):
    """The id of the pinned commit's tree for a file that is at hand."""
    path = test_data / "models" / "mobilenet_v2_1.0_224_quant.tflite"
    known = find("mobilenet_v1_1.0_224_quant").model
    blob = "03533c32dacc1456ff3fe951ebdd5b967ce9e6a0"
    assert store.find_mismatch(path, type(known)("x", "", blob=blob), None) is None
    assert "git blob" in str(store.find_mismatch(path, known, None))


def test_a_demo_pulls_its_model_and_runs(test_data, tmp_path, run_edge):
    """From a server of a class, without the internet; a hot dog is named."""
    models = test_data / "models"
    name = "mobilenet_v2_1.0_224_quant"
    with serving() as server:
        server.served[f"/{name}/{name}.tflite"] = Served((models / f"{name}.tflite").read_bytes())
        labels = (models / "imagenet_labels.txt").read_bytes()
        server.served[f"/{name}/labels.txt"] = Served(labels, breaks=[1000])
        environment = {
            "PATH": "/usr/bin:/bin", "EDGE_CACHE": str(tmp_path), download.MIRROR: server.url,
        }  # fmt: skip
        arguments = ("demo", "classify", "--source", test_data / "images" / "hot_dog.jpg")
        done = run_edge(*arguments, "--sink", "jsonl:-", env=environment)
        again = run_edge(*arguments, "--sink", "jsonl:-", env=environment)
    assert done.returncode == 0, done.stderr
    assert (
        f"Downloading {name} (3.6\N{NO-BREAK SPACE}MB, Apache-2.0) from 127.0.0.1:" in done.stderr
    )
    assert "hotdog" in json.loads(done.stdout.splitlines()[0])["classes"][0]["label"]
    assert again.returncode == 0
    assert "Downloading" not in again.stderr
    assert len(server.requests) == 3
