"""OpenAI's own client for JavaScript, by node's test runner; what it does stands in node/client.test.mjs."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.house import House

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]


def test_the_official_client_for_javascript(house: House, node_folder: Path) -> None:
    left, calls = house.upstream.clients_left_early, house.upstream.calls.copy()
    result = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "client.test.mjs"],
        cwd=node_folder,
        env={**os.environ, "BASE_URL": house.base_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert "# pass 10" in result.stdout
    house.upstream_is_quiet()
    assert house.upstream.clients_left_early == left + 2
    new = house.upstream.calls - calls
    assert 3 <= new["429-after-2"] <= 6
    assert 3 <= new["status-502"] <= 6
