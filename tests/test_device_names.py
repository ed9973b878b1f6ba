import pytest

from funasr_cli.device_names import DeviceRequest, parse_device
from funasr_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("auto", DeviceRequest("auto")),
        ("CPU", DeviceRequest("cpu")),
        ("gpu", DeviceRequest("gpu")),
        ("vulkan", DeviceRequest("vulkan")),
        ("vulkan:1", DeviceRequest("vulkan", 1)),
        ("Vulkan1", DeviceRequest("vulkan", 1)),  # as llama.cpp and `doctor` write it
        ("cuda:0", DeviceRequest("cuda", 0)),
        (" metal ", DeviceRequest("metal")),
        ("mps", DeviceRequest("metal")),
        ("rocm", DeviceRequest("hip")),
    ],
)
def test_names(text: str, request_: DeviceRequest) -> None:
    assert parse_device(text) == request_


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("vulcan", "did you mean vulkan?"),
        ("vulcan:1", "did you mean vulkan?"),
        ("cud", "did you mean cuda?"),
        ("cpu:1", "expected auto"),
        ("auto:0", "expected auto"),
        ("cuda:x", "expected auto"),
        ("", "expected auto"),
        ("显卡", "expected auto"),
    ],
)
def test_others_are_refused(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match="--device") as error:
        parse_device(text)
    assert hint in str(error.value)


@pytest.mark.parametrize(
    ("asked", "backend", "name", "fits"),
    [
        ("auto", "vulkan", "Vulkan3", True),
        ("gpu", "cuda", "CUDA0", True),
        ("vulkan", "vulkan", "Vulkan3", True),
        ("vulkan:3", "vulkan", "Vulkan3", True),
        ("vulkan:1", "vulkan", "Vulkan11", False),
        ("vulkan:0", "cuda", "CUDA0", False),
        ("metal:0", "metal", "Metal", True),
        ("cuda", "vulkan", "Vulkan0", False),
    ],
)
def test_which_devices_fit(asked: str, backend: str, name: str, fits: bool) -> None:
    assert parse_device(asked).admits(backend, name) == fits


def test_text_round_trip() -> None:
    for text in ("auto", "vulkan:1", "cuda"):
        assert str(parse_device(text)) == text
