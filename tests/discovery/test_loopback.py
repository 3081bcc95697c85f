"""Addresses: what means this machine, and what only looks like it."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from homeward.discovery import Refused, Root, loopback_root
from homeward.discovery.usual_places import ollama_root

HERE = Root("127.0.0.1", 51211)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://127.0.0.1:51211", HERE),
        ("http://127.0.0.1:51211/", HERE),
        ("http://127.0.0.1:51211/v1", HERE),
        (" http://127.0.0.1:51211/v1// \n", HERE),
        ("HTTP://127.0.0.1:51211//v1", HERE),
        ("http://0.0.0.0:51211/v1", HERE),
        ("http://127.8.9.1:51211", Root("127.8.9.1", 51211)),
        ("http://localhost:51211", Root("localhost", 51211)),
        ("http://LocalHost:51211/v1", Root("localhost", 51211)),
        ("http://[::1]:51211/v1", Root("[::1]", 51211)),
        ("http://[0:0:0:0:0:0:0:1]:51211/v1", Root("[::1]", 51211)),
        ("http://[::]:51211/v1", Root("[::1]", 51211)),
        ("http://localhost", Root("localhost", 80)),
        ("http://localhost:8000/api/v1", Root("localhost", 8000, "/api")),
        ("http://localhost:8000/v1/v1", Root("localhost", 8000, "/v1")),
    ],
)
def test_what_means_this_machine(url: str, root: Root) -> None:
    """With and without `/v1`, slashes, capitals; a server's "everywhere" is here."""
    assert loopback_root(url) == root


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example",
        "http://192.168.1.5:11434",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.evil.example:80/",
        "http://localhost.evil.example:80/",
        "http://evil.localhost:80/",
        "http://[2001:db8::1]:80/",
        "http://[::2]:80/",
        "http://[::ffff:127.0.0.1]:80/",
        "http://[::ffff:8.8.8.8]:80/",
        "http://127.1:80/",
        "http://2130706433:80/",
        "http://0x7f.0.0.1:80/",
        "http://0177.0.0.1:80/",
        "http://127.0.0.01:80/",
        "http://127.0.0.1.:80/",
        "http://localhost.:80/",
        "http://128.0.0.1:80/",
    ],
)
def test_what_is_another_machine(url: str) -> None:
    """Names, other networks, and spellings that parsers don't agree on."""
    refused = loopback_root(url)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("Only services on this machine are used this way")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:51211",
        "http://",
        "http://localhost@evil.example/",
        "http://localhost:80@evil.example/",
        "http://evil.example@localhost/",
        "http://localhost\\@evil.example/",
        "http://localhost#@evil.example/",
        "http://localhost?@evil.example/",
        "http://localhost:80/v1?key=1",
        "http://localhost:80/../v1",
        "http://localhost:80/%2e%2e/v1",
        "http://localhost:/v1",
        "http://localhost:80:80/v1",
        "http://localhost:80\r\nX: 1/v1",
        "http://local host/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://\uff4cocalhost/",
        "http://127\u30020\u30020\u30021/",
        "http://1\u06627.0.0.1/",
        "http://localhost:8\u0660/",
        "//localhost/v1",
        "file:///etc/passwd",
    ],
)
def test_what_is_not_understood(url: str) -> None:
    """User names, queries, escapes, other alphabets: the sentence shows how an address looks, and not this one."""
    refused = loopback_root(url)
    assert isinstance(refused, Refused)
    assert "looks like http://127.0.0.1:11434/v1" in refused.reason
    assert "evil" not in refused.reason


@pytest.mark.parametrize(
    "url", ["https://localhost/v1", "ws://127.0.0.1:80", "http://localhost:0", "http://[::1]:65536"]
)
def test_other_schemes_and_impossible_ports_are_refused(url: str) -> None:
    """Each with a sentence."""
    assert isinstance(loopback_root(url), Refused)


WORDS = "http https :// localhost 127.0.0.1 [::1] evil.example @ : 80 / v1 \\ # ? % . [ ] 0.0.0.0 ::1 \uff05 \u3002"
PIECES = st.sampled_from([*WORDS.split(), " ", "\t", "\n"])


@given(text=st.one_of(st.text(), st.lists(PIECES, max_size=9).map("".join)))
def test_whatever_is_accepted_leads_here_for_every_parser(text: str) -> None:
    """What is asked is put together anew, so no parser can read another host out of it."""
    root = loopback_root(text)
    if isinstance(root, Refused):
        assert root.reason.endswith(".")
        return
    for host, port in [
        (urlsplit(root.url).hostname, urlsplit(root.url).port),
        (URL(root.url).host, URL(root.url).port),
    ]:
        assert host == "localhost" or ipaddress.ip_address(host or "").is_loopback
        assert port == root.port
    assert urlsplit(root.url).username is None
    assert loopback_root(f"{root.url}/v1") == root


@given(host=st.ip_addresses(v=4), port=st.integers(1, 65535))
def test_of_all_addresses_only_loopback_is_accepted(host: ipaddress.IPv4Address, port: int) -> None:
    """127.0.0.0/8, and the address that stands for all of this machine's."""
    accepted = isinstance(loopback_root(f"http://{host}:{port}"), Root)
    assert accepted == (host.is_loopback or host.is_unspecified)


@pytest.mark.parametrize(
    ("setting", "root"),
    [
        ("127.0.0.1", Root("127.0.0.1", 11434)),
        ("127.0.0.1:1234", Root("127.0.0.1", 1234)),
        (":1234", Root("127.0.0.1", 1234)),
        ("0.0.0.0", Root("127.0.0.1", 11434)),
        ("0.0.0.0:1234", Root("127.0.0.1", 1234)),
        ("localhost", Root("localhost", 11434)),
        ("::1", Root("[::1]", 11434)),
        ("[::1]", Root("[::1]", 11434)),
        ("[::1]:1234", Root("[::1]", 1234)),
        ("[::]:1234", Root("[::1]", 1234)),
        ("http://localhost", Root("localhost", 80)),
        ("http://127.0.0.1:1234/", Root("127.0.0.1", 1234)),
        (" '127.0.0.1:1234' ", Root("127.0.0.1", 1234)),
    ],
)
def test_ollamas_own_setting_is_read_as_ollama_does(setting: str, root: Root) -> None:
    """Its forms without scheme, host or port."""
    assert ollama_root(setting) == root


@pytest.mark.parametrize("setting", ["192.168.1.5", "gpu-box:11434", "https://ollama.example", "evil@127.0.0.1", ":x"])
def test_ollamas_setting_may_mean_another_machine_or_nothing(setting: str) -> None:
    """Refused like every other address."""
    assert isinstance(ollama_root(setting), Refused)
