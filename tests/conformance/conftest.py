"""One Homeward for all of these tests, and the installation of the suites that are not ours."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import suites
from tests.conformance.house import House
from tests.conformance.house import house as running_house

NODE = Path(__file__).with_name("node")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="session")
def suite_python(pytestconfig: pytest.Config) -> Path:
    """The interpreter of an environment that has the suites; made once, and again when its lock changes."""
    cache = pytestconfig.cache
    assert cache is not None
    return suites.environment(cache.mkdir("conformance"), Path(sys.executable))


@pytest.fixture(scope="session")
def node_folder(pytestconfig: pytest.Config) -> Path:
    """A copy of the tests, with the packages that their lock names."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("There is no Node.js here.")
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir("conformance") / "node"
    shutil.copytree(NODE, folder, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
    return folder
