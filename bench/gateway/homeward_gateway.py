"""Homeward as a gateway process, with everything on that it does for a cloud: policy, findings, receipts, audit log."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.gateway.servers import Gateway
from homeward.app import consents
from homeward.app.clouds import own_variable
from homeward.app.consents import Consent

KEY = "sk-bench"
BY_POLICY = "homeward"
"""What a client says to leave it to the policy who answers."""


def cloud(name: str, url: str, model: str, **settings: float) -> str:
    """A table of the configuration: a cloud that never makes a request wait in line."""
    lines = [f"[clouds.{name}]", f'url = "{url}/v1"', f'model = "{model}"', "at_a_time = 256"]
    lines += [f"{setting} = {value}" for setting, value in settings.items()]
    return "\n".join([*lines, "input_price = 1.0", "output_price = 4.0", ""])


def homeward(
    folder: Path,
    clouds: Mapping[str, str],
    *,
    models: Mapping[str, str],
    workers: int = 1,
    python: Sequence[str] = (),
) -> Gateway:
    """The gateway with these clouds, by name, which the user has agreed to; the policy asks the first one first.

    `folder` keeps its configuration and data, `models` is as in `Gateway`, `python` stands before Homeward's module on
    the command line.
    """
    data = folder / "data"
    given = dict.fromkeys(clouds, Consent("127.0.0.1", datetime.now(UTC)))
    consents.store(data / consents.FILE, given)
    file = folder / "homeward.toml"
    file.write_text(
        "\n".join(
            (
                "[llama]\nenabled = false\n",
                "[foundry]\nenabled = false\n",
                "[models]\ndiscover = false\n",
                "[history]\nenabled = false\n",
                '[policy]\npreset = "cloud-first"\nplaces = ["cloud", "device"]\n',
                "[budget]\nmonth = 1000000\n",
                *clouds.values(),
            )
        )
    )
    command = [sys.executable, *python, "-m", "homeward", "gateway", "--data-dir", str(data), "--config", str(file)]
    if workers > 1:
        command += ["--workers", str(workers)]
    return Gateway(
        name="Homeward" if workers == 1 else f"Homeward, {workers} workers",
        command=partial(_command, command),
        environment={own_variable(name): "upstream" for name in clouds} | {"HOMEWARD_GATEWAY_API_KEY": KEY},
        ready_path="/readyz",
        models=models,
        key=KEY,
    )


def _command(command: Sequence[str], port: int) -> list[str]:
    return [*command, "--port", str(port)]
