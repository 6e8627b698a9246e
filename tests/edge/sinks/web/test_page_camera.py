"""The camera of the pages."""

from errors import raises_code

from edge.sinks.web.page_camera import PageCamera
from edge.sources.browser import BrowserCamera


def test_it_belongs_to_the_first_who_sends_an_image_until_they_leave() -> None:
    target = BrowserCamera()
    camera = PageCamera(target)
    first, second = object(), object()
    assert camera.claim(first) is camera.claim(first) is target
    camera.release(second)
    with raises_code("browser-camera-in-use"):
        camera.claim(second)
    camera.release(first)
    assert camera.claim(second) is target


def test_another_source_takes_no_images() -> None:
    with raises_code("browser-camera-not-used"):
        PageCamera(None).claim(object())
