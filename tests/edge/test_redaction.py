"""Secrets of addresses in texts, wherever they stand and whatever they consist of."""

import pickle
import traceback
from typing import Any

import pytest

from edge.errors import SourceError
from edge.redaction import is_split_by_password, redact

USER, SECRET = "adm1n", "s3cret"


@pytest.mark.parametrize(
    "address",
    [
        *[f"rtsp://{USER}:x{sign}{SECRET}@cam:554/live" for sign in "#/?@:&%[]'\" ;,="],
        f"rtsp://{USER}:12/{SECRET}@cam/live",
        f"http://{SECRET}@cam/token",
        f"http://{USER}:{SECRET}@[::1]:80/live",
        f"RTSP://{USER}:{SECRET}@CAM",
        f"{USER}:{SECRET}@cam:554/live",
        f"//{USER}:{SECRET}@cam",
        f"http://hub/?url=rtsp%3A%2F%2F{USER}%3A{SECRET}%40cam%2Flive",
        f"rtsp:/{USER}:{SECRET}@cam",
        f"mqtt:{USER}:{SECRET}@cam/topic",
        f"http://cam/live?channel=1&user={USER}&password={SECRET}",
        f"http://cam/live?loginuse={USER}&loginpas={SECRET}",
        f"http://cam/live?usr={USER}&pwd=x#{SECRET}",
        f"http://cam/live?passwd=x/{SECRET}?{SECRET}",
        f"http://cam/live?pw={SECRET}",
        f"http://cam/live?password=x&{SECRET}&{SECRET}&channel=1",
        f"cam/live?PASSWORD={SECRET}",
        *[f"http://cam/?{key}={SECRET}" for key in (
            "token", "access_token", "key", "api_key", "auth", "secret", "X-Amz-Signature", "sig")],
        f"srt://cam:9000?streamid=read:live:{USER}:{SECRET}&mode=caller",
        f"http://hub/?url=http%3A%2F%2Fcam%2F%3Fuser%3D{USER}%26password%3D{SECRET}",
        *[f"http://cam/?{key}={SECRET}" for key in ("psw", "pin", "clave", "senha", "Kennwort")],
        f"rtsp://cam/user={USER}_password={SECRET}_channel=1_stream=0.sdp",
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["{}", "no video at '{}': check it", "[Errno 5] {}, found ({})"])
def test_no_secret_is_left(address: str, text: str) -> None:
    redacted = redact(text.replace("{}", address))
    assert SECRET not in redacted
    assert USER not in redacted
    assert "cam" in redacted.lower() or "::1" in redacted


@pytest.mark.parametrize(
    "text",
    [
        "synthetic:640x480@30?seed=1&frames=3",
        "rtsp://192.0.2.7:554/live?channel=1&stream=main",
        "12:30:00.mp4, a:b.jpg and photos[1]/*.jpg",
        "edge deploy out/ pi@camera.local:2222 pi@b",
        "run 'ssh -L 8080:127.0.0.1:8080 pi@board', then open http://127.0.0.1:8080/",
        "pip install 'edge-vision-toolkit[web] @ git+https://example.com/a/b@1f00'",
        "see https://example.com: ssh pi@board",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert redact(text) == text


def test_no_text_of_an_error_has_a_secret() -> None:
    address = f"rtsp://{USER}:{SECRET}@cam"
    error: Any = SourceError(address, address, address, code="x", summary=address)
    for copy in (error, pickle.loads(pickle.dumps(error))):
        shown = "".join([repr(copy), str(copy.to_dict()), *traceback.format_exception(copy)])
        assert SECRET not in shown
        assert "cam" in shown


def test_an_address_that_its_password_splits() -> None:
    assert is_split_by_password("rtsp://admin:a/b@cam/live")
    assert is_split_by_password("rtsp://admin:1/b@cam/live")
    assert is_split_by_password("rtsp://admin:a[b@cam/live")
    assert is_split_by_password("rtsp://admin:50%@cam/live")
    assert not is_split_by_password("rtsp://admin:a%2Fb@cam/live")
    assert not is_split_by_password("rtsp://cam/live")


def test_long_texts_are_quick() -> None:
    for piece in ("&", "p=&", "//", "a-", "pass", "a:", "=", "?", "@"):
        redact(piece * 20_000)
