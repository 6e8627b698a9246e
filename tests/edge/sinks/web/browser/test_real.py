"""The page with real models and real people."""

import re
from pathlib import Path

import pytest
from web_stream import OpenPage, served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = pytest.mark.realdata


def test_people_are_followed_and_classes_filtered(open_page: OpenPage, test_data: Path) -> None:
    arguments = (
        "track", "--model", test_data / "models/coco_ssd_mobilenet_v1_1.0_quant.tflite",
        "--labels", test_data / "models/coco_ssd_labels.txt",
        "--source", test_data / "video/asl_walk.mkv", "--loop", "--realtime",
    )  # fmt: skip
    with served(*arguments) as running:
        page = open_page(running.url)
        rows = page.locator("#rows")
        expect(rows).to_contain_text("person #")
        expect(rows).to_contain_text("tv #")
        page.get_by_role("checkbox", name="tv", exact=True).check()
        expect(rows).not_to_contain_text("person")
        page.get_by_role("button", name="Show all").click()
        expect(rows).to_contain_text("person #")
        page.get_by_label("Minimum score").fill("1")
        expect(page.locator("#summary")).to_have_text("Nothing found")
        expect(rows.locator("li")).to_have_count(0)


def test_squats_are_counted_in_the_list_of_events(open_page: OpenPage, test_data: Path) -> None:
    arguments = (
        "pose", "--model", test_data / "models/movenet_single_pose_lightning_ptq.tflite",
        "--source", test_data / "video/pose_squats.mp4", "--loop", "--realtime",
    )  # fmt: skip
    with served(*arguments) as running:
        page = open_page(running.url)
        expect(page.locator("#rows")).to_contain_text("left knee")
        expect(page.locator("#events-list li").first).to_contain_text("squat × ")
        expect(page.locator("#summary")).to_have_text("1 person")
        expect(page.locator("#counts-list")).to_contain_text(re.compile(r"squat ?[1-9]"))
