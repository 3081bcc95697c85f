"""Reading what strace saw."""

from pathlib import Path

import pytest
from tools.foreign_connections import main

HOME = """\
7 connect(5, {sa_family=AF_INET, sin_port=htons(4242), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS
7 connect(5, {sa_family=AF_INET6, sin6_port=htons(1), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0
7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0
7 connect(5, {sa_family=AF_INET6, inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr)}, 28) = 0
"""
ELSEWHERE = [
    '9 connect(5, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("203.0.113.7")}, 16) = 0',
    '9 sendto(5, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.168.0.1")}, 16) = 1',
    '9 connect(5, {sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "2001:db8::1", &x)}, 28) = 0',
]


def test_this_machine_is_not_foreign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1.trace").write_text(HOME)
    assert main(tmp_path) == 0
    assert "3 connections, 0 of them off this machine" in capsys.readouterr().out


@pytest.mark.parametrize("line", ELSEWHERE)
def test_another_machine_is(tmp_path: Path, line: str) -> None:
    (tmp_path / "1.trace").write_text(HOME)
    (tmp_path / "2.trace").write_text(line)
    assert main(tmp_path) == 1


def test_where_nothing_was_watched_nothing_is_proven(tmp_path: Path) -> None:
    assert main(tmp_path) == 1
