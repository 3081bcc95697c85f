"""Words that tell what a prompt is about: the lookup in `lexicon.txt`."""

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

_TOKEN = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]+|[a-zà-öø-ÿ]+|[^\W\d_]+|\d+|[^\w\s]|_")
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "er")
_PARTICLES = ("으로", "이랑", "을", "를", "은", "는", "이", "가", "에", "의", "로", "도", "만", "와", "과", "랑", "야")
_LONGEST_KOREAN_ENTRY = 6
_LONGEST_PHRASE = 4
LEXICON_FILE = Path(__file__).with_name("lexicon.txt")


def tokens(text: str) -> list[str]:
    """Lower-case words, numbers and single signs; Hangul and Latin letters are never in one token."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def ideas_in(found: Sequence[str]) -> list[tuple[int, str, tuple[str, ...]]]:
    """The lexicon's entries among tokens: position, entry, and the ideas that it stands for."""
    lexicon = _lexicon()
    hits = []
    for position, token in enumerate(found):
        for length in range(_LONGEST_PHRASE, 1, -1):
            phrase = " ".join(found[position : position + length])
            if phrase in lexicon:
                hits.append((position, phrase, lexicon[phrase]))
        if entry := _entry(token, lexicon):
            hits.append((position, entry, lexicon[entry]))
    return hits


def is_hangul(token: str) -> bool:
    """Whether a token is made of Korean syllables."""
    return "가" <= token[0] <= "힣"


def _entry(token: str, lexicon: Mapping[str, object]) -> str:
    """The entry for one token: the token, a Korean word's beginning, an English word's stem; empty for none."""
    if token in lexicon:
        return token
    if is_hangul(token):
        lengths = range(min(len(token) - 1, _LONGEST_KOREAN_ENTRY), 1, -1)
        beginnings = (token[:length] for length in lengths)
        alone = (token[0] for particle in _PARTICLES if token[1:] == particle)
        return next((entry for entry in (*beginnings, *alone) if entry in lexicon), "")
    for ending in _ENDINGS:
        stem = token.removesuffix(ending)
        if len(stem) < len(token) and len(stem) > 2:
            for candidate in (stem, stem + "e", stem[:-1] if stem[-1] == stem[-2] else ""):
                if candidate in lexicon:
                    return candidate
    return ""


@functools.cache
def _lexicon() -> Mapping[str, tuple[str, ...]]:
    ideas: dict[str, set[str]] = {}
    idea = ""
    for line in LEXICON_FILE.read_text("utf-8").splitlines():
        if line.startswith("["):
            idea = line.strip("[]")
        elif not line.startswith("#"):
            for word in line.split():
                ideas.setdefault(" ".join(tokens(word.replace("_", " "))), set()).add(idea)
    return {entry: tuple(sorted(names)) for entry, names in ideas.items()}
