"""What llama.cpp says of devices, with an Api of our own."""

from ctypes import c_size_t
from typing import Any

import pytest

from funasr_cli.llama.devices import Device, list_devices
from funasr_cli.llama.process import start


class FakeApi:
    """(name, description, type) of each device; its address is its number + 1."""

    def __init__(self, *devices: tuple[str, str, int]) -> None:
        self.devices = devices

    def ggml_backend_dev_count(self) -> int:
        return len(self.devices)

    def ggml_backend_dev_get(self, index: int) -> int:
        return index + 1

    def ggml_backend_dev_name(self, device: int) -> bytes:
        return self.devices[device - 1][0].encode()

    def ggml_backend_dev_description(self, device: int) -> bytes | None:
        return self.devices[device - 1][1].encode() or None

    def ggml_backend_dev_type(self, device: int) -> int:
        return self.devices[device - 1][2]

    def ggml_backend_dev_memory(self, device: int, free: Any, total: Any) -> None:  # noqa: ANN401
        free._obj.value, total._obj.value = device * 10, device * 100
        assert isinstance(free._obj, c_size_t)


def test_kinds() -> None:
    api = FakeApi(
        ("CUDA0", "NVIDIA H100", 1),
        ("Vulkan1", "AMD Radeon(TM) 780M", 2),
        ("BLAS", "Accelerate", 2),  # as numbered before 2025-09
        ("BLAS", "OpenBLAS", 3),
        ("NEW", "", 9),
        ("CPU", "AMD EPYC", 0),
    )
    found = list_devices(api)  # type: ignore[arg-type]
    assert [device.kind for _, device in found] == ["gpu", "igpu", "accel", "accel", "accel", "cpu"]
    assert found[1] == (2, Device("Vulkan1", "AMD Radeon(TM) 780M", "igpu", 20, 200))


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("Vulkan10", "vulkan"),
        ("CUDA0", "cuda"),
        ("Metal", "metal"),
        ("MTL0", "metal"),
        ("ROCm0", "hip"),
        ("CPU", "cpu"),
    ],
)
def test_the_words_of_device(name: str, backend: str) -> None:
    assert Device(name, "", "gpu").backend == backend


def test_the_real_one() -> None:
    devices = start().devices()
    (cpu,) = [device for device in devices if device.kind == "cpu"]
    assert cpu.name == "CPU"
    assert cpu.total > 1e8
    assert cpu.description in str(cpu)
