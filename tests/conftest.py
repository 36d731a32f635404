"""Settings of all tests."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator

from mailtap import api
from mailtap.report import json as report_json
from mailtap.report.model import Report
from mailtap.report.schema import schema
from mailtap.zeek.installation import ZEEK_PLACES
from prerequisites import PLUGIN

CHECKOUT = Path(__file__).resolve().parents[1]

# For `fieldcapture`, which is not in the wheel. Last, so that an installed `mailtap` comes first.
sys.path.append(str(CHECKOUT / "python"))

# What a law is tried on is drawn anew at each run on a developer's machine, and the same in CI.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Has Zeek find the package of this checkout, as `btest/run` built it, as an installed one:
    the Python code under test may come from a wheel, which knows no checkout.
    """
    folders = [os.environ["PATH"], *(str(zeek.parent) for zeek in ZEEK_PLACES)]
    zeek_config = shutil.which("zeek-config", path=os.pathsep.join(folders))
    if zeek_config is None or not (PLUGIN / "__zeek_plugin__").is_file():
        return
    packages = tempfile.mkdtemp(prefix="mailtap-zeek-")
    config.add_cleanup(lambda: shutil.rmtree(packages))
    (Path(packages) / "mailtap").symlink_to(CHECKOUT / "zeek" / "scripts")
    default = subprocess.check_output([zeek_config, "--zeekpath"], text=True).strip()
    os.environ["ZEEKPATH"] = f"{default}:{packages}"
    os.environ["ZEEK_PLUGIN_PATH"] = str(PLUGIN)


@pytest.fixture(scope="session", autouse=True)
def every_report_fits_the_schema() -> Iterator[None]:
    """Each document that is made in this process is one of the published schema."""
    validator = Draft202012Validator(schema())
    made = report_json.document

    def document(report: Report) -> dict[str, Any]:
        result = made(report)
        validator.validate(result)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_json, "document", document)
        patch.setattr(api, "document", document)
        yield


class CapabilityHeader(ctypes.Structure):
    """Whose capabilities are read or set: `__user_cap_header_struct` of capset(2)."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class CapabilityData(ctypes.Structure):
    """`__user_cap_data_struct` of capset(2), for 32 capabilities."""

    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable"))


@pytest.fixture
def file_modes_hold() -> Iterator[None]:
    """Root, too, is refused what a file's mode forbids: the test runs without the capabilities
    CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2), see capabilities(7).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    this_thread = CapabilityHeader(version=0x20080522, pid=0)  # _LINUX_CAPABILITY_VERSION_3

    def called(function: str, capabilities: ctypes.Array[CapabilityData]) -> None:
        if libc[function](ctypes.byref(this_thread), capabilities) != 0:
            raise OSError(ctypes.get_errno(), f"{function} failed")

    capabilities = (CapabilityData * 2)()
    called("capget", capabilities)
    before = capabilities[0].effective
    capabilities[0].effective &= ~(1 << 1 | 1 << 2)
    called("capset", capabilities)
    yield
    capabilities[0].effective = before
    called("capset", capabilities)
