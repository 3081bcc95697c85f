"""openai-python's own tests of its resources, run against Homeward as they are."""

import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.conformance import suites
from tests.conformance.house import House

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1200)]


class Excluded(msgspec.Struct, frozen=True):
    """Tests that are left out."""

    tests: str
    """An expression for the beginning of `module name [parameter] Class`, up to the end of one of these words."""
    count: int
    reason: str


class Suite(msgspec.Struct, frozen=True):
    """What is run, and what of it is not claimed."""

    modules: tuple[str, ...]
    excluded: tuple[Excluded, ...]


SUITE = msgspec.toml.decode(Path(__file__).with_name("openai_python.toml").read_bytes(), type=Suite)


@pytest.fixture(scope="module")
def outcomes(
    house: House, suite_python: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What went wrong in each test, by `module name [parameter] Class`; empty where it passed."""
    cache = pytestconfig.cache
    assert cache is not None
    source = suites.openai_source(cache.mkdir("conformance"), suite_python, version("openai"))
    report = tmp_path_factory.mktemp("report") / "report.xml"
    command = [
        str(suite_python),
        "-m",
        "pytest",
        "-q",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
    ]
    result = subprocess.run(
        [*command, *(f"tests/api_resources/{module}" for module in SUITE.modules)],
        cwd=source,
        env={**os.environ, "TEST_API_BASE_URL": house.base_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), result.stdout[-4000:] + result.stderr[-4000:]
    return read_report(report)


def read_report(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        module, _, kind = case.attrib["classname"].removeprefix("tests.api_resources.").rpartition(".")
        name = case.attrib["name"].removeprefix("test_").replace("[", " [")
        wrong = next((each for each in case if each.tag in {"failure", "error", "skipped"}), None)
        found[f"{module} {name} {kind}"] = "" if wrong is None else wrong.attrib.get("message", wrong.tag)
    return found


def exclusion(test: str) -> Excluded | None:
    """Why a test is left out; None where it isn't."""
    return next((each for each in SUITE.excluded if re.match(rf"(?:{each.tests})(?: |$)", test)), None)


def test_what_is_claimed_passes(outcomes: dict[str, str]) -> None:
    assert len(outcomes) > 400
    failed = {test: why for test, why in outcomes.items() if why and exclusion(test) is None}
    assert failed == {}


def test_what_is_left_out_would_fail(outcomes: dict[str, str]) -> None:
    passed = [test for test, why in outcomes.items() if not why and exclusion(test) is not None]
    assert passed == []


@pytest.mark.parametrize("excluded", SUITE.excluded, ids=lambda each: each.tests)
def test_no_more_is_left_out_than_the_list_says(outcomes: dict[str, str], excluded: Excluded) -> None:
    assert sum(exclusion(test) is excluded for test in outcomes) == excluded.count
