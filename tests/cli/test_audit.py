"""`homeward audit` as somebody in a terminal uses it, on a log that was really written."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner, Result

from homeward.cli.audit import audit as command
from homeward.observability.audit import Audit, AuditBegun, append
from homeward.protocol.place import Place


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a data folder of its own."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HOMEWARD_BUDGET_CURRENCY", "EUR")
    return tmp_path / "data" / "audit.jsonl"


def run(*arguments: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == exit_code, result.output + repr(result.exception)
    return result


def write(path: Path, *attempts: tuple[AuditBegun, dict[str, object] | None]) -> None:
    """Put these attempts on record, with the ends that they have."""

    async def work() -> None:
        audit = Audit(path)
        for begun, end in attempts:
            entry = await audit.begin(begun)
            if end is not None:
                await entry.end(**end)  # type: ignore[arg-type]
        await audit.note("consent", backend="azure", host="a.example")
        await audit.close()

    asyncio.run(work())


def begun(backend: str = "azure", **more: object) -> AuditBegun:
    fields: dict[str, object] = {
        "request": uuid4(),
        "attempt": 1,
        "place": Place.CLOUD,
        "backend": backend,
        "host": f"{backend}.example",
        "model": "gpt-x",
        "rule": "research",
        **more,
    }
    return AuditBegun(**fields)  # type: ignore[arg-type]


def cells(line: str) -> list[str]:
    """Columns stand two spaces apart, or more."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_nothing_has_left(path: Path) -> None:
    """Said plainly, whether there is a file or not; a consent alone is no departure."""
    assert run().output == "Nothing has left this machine.\n"
    write(path)
    assert run().output == "Nothing has left this machine.\n"
    assert run("--json").output.count("\n") == 1
    assert "since 20" in run("--since", "7d").output


def test_the_table(path: Path) -> None:
    """What left, why, and how it ended; then the sums by backend."""
    at = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    write(
        path,
        (begun(at=at, findings={"email": 1, "card": 2}, masked=True), {"bytes_out": 1234, "cost": 0.0003}),
        (begun(at_most_cost=0.01), {"bytes_out": 1000, "error": "upstream_timeout"}),
        (begun("lab", place=Place.NETWORK, model="", rule="\x1b[31mred"), {"bytes_out": 7}),
        (begun("lab", at_most_cost=0.5), None),
    )
    head, *rows, _, totals_head, azure, lab, everything = run().output.splitlines()
    assert cells(head)[:3] == ["WHEN", "PLACE", "BACKEND"]
    assert [cells(row) for row in rows] == [
        [f"{at.astimezone():%Y-%m-%d %H:%M:%S}", "cloud", "azure", "azure.example", "gpt-x", "1,234",
         "card 2, email 1 (masked)", "research", "0.0003 EUR", "complete"],
        [cells(rows[1])[0], "cloud", "azure", "azure.example", "gpt-x", "1,000",
         "-", "research", "at most 0.0100 EUR", "upstream_timeout"],
        [cells(rows[2])[0], "network", "lab", "lab.example", "-", "7", "-", "?[31mred", "not known", "complete"],
        [cells(rows[3])[0], "cloud", "lab", "lab.example", "gpt-x", "not known",
         "-", "research", "at most 0.5000 EUR", "no end on record"],
    ]  # fmt: skip
    assert cells(totals_head) == ["BACKEND", "ATTEMPTS", "BYTES OUT", "COST"]
    assert cells(azure) == ["azure", "2", "2,234", "at most 0.0103 EUR"]
    assert cells(lab) == ["lab", "2", "7", "at most 0.5000 EUR"]
    assert cells(everything) == ["all", "4", "2,241", "at most 0.5103 EUR"]


def test_a_part_of_it(path: Path) -> None:
    """By backend, and by when it began; the raw lines of an attempt stay together."""
    old = begun(at=datetime.now(UTC) - timedelta(days=8))
    new = begun("lab", at=datetime.now(UTC) - timedelta(days=6))
    write(path, (old, {"bytes_out": 1}), (new, {"bytes_out": 2}))
    assert [cells(line)[2] for line in run("--since", "1w").output.splitlines()[1:2]] == ["lab"]
    assert "azure" not in run("--since", "7d").output
    assert "lab" not in run("--backend", "azure").output
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    assert run("--since", today).output.startswith("Nothing has left this machine since")

    def events(*arguments: str) -> list[str]:
        return [json.loads(line)["event"] for line in run("--json", *arguments).output.splitlines()]

    assert run("--json").output == path.read_text()
    assert events("--backend", "azure") == ["begun", "ended", "note"]
    assert events("--backend", "lab") == ["begun", "ended"]
    assert events("--since", "7d") == ["begun", "ended", "note"]


def test_a_backend_that_nobody_knows(path: Path) -> None:
    """Must not look as if nothing had left; a cloud that was never asked is no mistake."""
    assert run("--backend", "lab").output == "Nothing has left this machine for lab.\n"
    write(path, (begun(), {"bytes_out": 1}), (begun("\x1b[31mred"), {"bytes_out": 1}))
    assert run("--backend", "nope").output == "The log knows no backend called nope; it names: ?[31mred, azure.\n"
    assert run("--backend", "azure", "--since", "2099-01-01").output.startswith(
        "Nothing has left this machine for azure"
    )
    (path.parent / "homeward.toml").write_text('[clouds.lab]\nurl = "https://a.example"\nmodel = "m"\n')
    assert run("--backend", "lab").output == "Nothing has left this machine for lab.\n"


@pytest.mark.parametrize("since", ["soon", "7y", "2026-13-01", "99999999999999999999d", ""])
def test_a_time_that_is_none(path: Path, since: str) -> None:
    assert "is neither a time such as 7d" in run("--since", since, exit_code=click.UsageError.exit_code).output


def test_a_sound_log_is_said_to_be(path: Path) -> None:
    """An attempt without its end is told, and is no damage: it may be running."""
    write(path, (begun(), {"bytes_out": 1}), (begun("lab"), None))
    output = run("--verify").output
    assert "the attempt at lab has no end" in output
    assert output.endswith(f"{path}: 4 lines, 2 attempts, whole\n")


def test_a_damaged_log_is_said_to_be(path: Path) -> None:
    """With the numbers of the lines, and the exit status; the table warns."""
    write(path, (begun(), {"bytes_out": 1}))
    beginning, end, note = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(end + note)
    append(path, beginning[:40])
    append(path, b'{"event":"other","v":2}\n')
    output = run("--verify", exit_code=1).output
    assert "line 3: cut off or altered" in output
    assert "line 4: written by a newer Homeward" in output
    assert "an attempt whose beginning is missing" in output
    assert "DAMAGED" in output
    assert "2 lines of the log can't be read" in run().output
    assert "Nothing has left" not in run().output
    assert run("--json").output == path.read_text()
