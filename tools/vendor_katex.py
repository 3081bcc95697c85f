"""Put KaTeX's style sheet and fonts into the chat's public files, so that formulas render with no network.

The version is the one that Chainlit's page links from a CDN. Needs npm and a registry; run by hand when Chainlit
moves to another version:  python tools/vendor_katex.py
"""

import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "katex@0.16.22"
TARGET = Path(__file__).resolve().parents[1] / "src/homeward/chat/public/katex"


def main() -> None:
    """Unpack the npm package and keep what a current browser needs: one CSS file and its woff2 fonts."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True)
        with tarfile.open(next(Path(folder).glob("katex-*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        package = Path(folder) / "package"
        shutil.rmtree(TARGET, ignore_errors=True)
        (TARGET / "fonts").mkdir(parents=True)
        for font in (package / "dist/fonts").glob("*.woff2"):
            shutil.copy(font, TARGET / "fonts")
        css = (package / "dist/katex.min.css").read_text(encoding="utf-8")
        only_woff2 = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
        (TARGET / "katex.min.css").write_text(only_woff2, encoding="utf-8")
        shutil.copy(package / "LICENSE", TARGET / "LICENSE")
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    print(f"{PACKAGE}: {size // 1024} KiB in {TARGET}")


if __name__ == "__main__":
    main()
