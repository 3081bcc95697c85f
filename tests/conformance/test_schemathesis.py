"""schemathesis, with what `/openapi.json` allows and with what it does not."""

import subprocess
from pathlib import Path

import pytest

from tests.conformance.house import House

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
MOST_SECONDS = 300
"""For one request: it may ask for the vectors of 2,048 texts."""


def test_nothing_that_can_be_sent_is_a_fault_of_ours(house: House, suite_python: Path, tmp_path: Path) -> None:
    """And every answer is as the document says: its status, its media type, its shape."""
    command = [str(suite_python.with_name("schemathesis")), "run", f"{house.url}/openapi.json"]
    options = ["--checks", CHECKS, "--max-examples", "25", "--seed", "1", "--request-timeout", str(MOST_SECONDS)]
    result = subprocess.run(
        [*command, *options, "--no-color"],
        cwd=tmp_path,  # it leaves files where it runs
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    assert "Tested: 12" in result.stdout
