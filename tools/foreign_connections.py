"""What strace saw of connections to other machines; exit status 1 where there is one.

    strace -f -qq -e trace=connect,sendto,sendmsg,sendmmsg -o FOLDER/1.trace homeward up …
    python tools/foreign_connections.py FOLDER

`make test-offline` does so with every Homeward that the browser tests start, with all its children. Linux only.
"""

import ipaddress
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


def addresses(lines: Iterable[str]) -> list[str]:
    """Every address that a system call in these lines names."""
    return [first or second for line in lines for first, second in ADDRESS.findall(line)]


def foreign(found: Iterable[str]) -> Counter[str]:
    """Those that are not this machine's own loopback, and how often each was named."""
    return Counter(address for address in found if not is_loopback(address))


def is_loopback(address: str) -> bool:
    """Whether nothing sent there leaves this machine."""
    parsed = ipaddress.ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def main(folder: Path) -> int:
    """Print what was seen in a folder of traces."""
    traces = sorted(folder.glob("*.trace"))
    found = [address for trace in traces for address in addresses(trace.read_text(errors="replace").splitlines())]
    if not found:
        print(f"{folder} holds no trace of any connection: nothing was watched.")
        return 1
    elsewhere = foreign(found)
    print(f"{len(traces)} runs of Homeward: {len(found)} connections, {elsewhere.total()} of them off this machine")
    for address, times in elsewhere.most_common():
        print(f"  {address}: {times}")
    return 1 if elsewhere else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
