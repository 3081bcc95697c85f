"""The child's side of the protocol, where the supervisor's tests do not reach it."""

import subprocess
import sys


def test_a_child_loads_next_to_nothing() -> None:
    """What it imports is loaded into every child: only the standard library, and little of it."""
    program = (
        "import sys; before = set(sys.modules); import homeward.engines.child;"
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = output.stdout.split()
    ours = {name for name in loaded if name.startswith("homeward")}
    assert ours == {"homeward", "homeward.engines", "homeward.engines.child"}
    assert not {name.split(".")[0] for name in loaded} - {"homeward"} - sys.stdlib_module_names
    assert not {"asyncio", "ctypes", "socket", "ssl", "typing_extensions"} & set(loaded)


def test_a_child_whose_parent_says_nothing_ends() -> None:
    """Its stdin ends before the settings came: the parent is gone already."""
    program = "from homeward.engines.child import attend; attend(); print('unreachable')"
    ended = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == b""


def test_a_child_whose_parent_ended_after_it_spoke_ends() -> None:
    """The settings came, then stdin ended: the kernel's signal came too early to be seen, the pipe tells."""
    program = "import threading; from homeward.engines.child import attend; attend(); threading.Event().wait()"
    ended = subprocess.run([sys.executable, "-c", program], input=b"{}\n", capture_output=True, check=False)
    assert ended.returncode == 1


def test_what_native_code_prints_goes_to_stderr() -> None:
    """The pipe that was stdout carries reports and nothing else."""
    program = (
        "import os; from homeward.engines.child import attend; parent = attend();"
        "print('python', flush=True); os.write(1, b'native\\n'); parent.listening('http://127.0.0.1:1')"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(b"{}\n")
        child.stdin.flush()  # and stays open: its end would end the child
        assert child.stdout.read() == b'{"event": "listening", "url": "http://127.0.0.1:1"}\n'
        assert child.stderr.read() == b"python\nnative\n"
