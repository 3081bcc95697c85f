"""What is asked: eight neutral prompts of our own, or a file of the user's."""

from pathlib import Path

import msgspec

from homeward.protocol.errors import InvalidRequestError


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    text: str = msgspec.field(name="prompt")
    task: str = "own"
    """What kind of work it is; answers are also compared by it."""
    title: str = ""
    """What the results call it: they don't hold its text."""


OURS = (
    Prompt(
        task="code",
        title="Code, English",
        text="Write a Python function that returns the second largest number of a list, with a short test for it.",
    ),
    Prompt(
        task="creative",
        title="Creative writing, Korean",
        text="겨울 바다의 등대를 주제로 짧은 시를 한 편 써 주세요.",
    ),
    Prompt(
        task="data",
        title="Data analysis, English",
        text="These are the visitors of a museum per day, Monday to Sunday: 120, 98, 135, 150, 210, 480, 455. "
        "Describe the pattern, and name the mean and the median.",
    ),
    Prompt(
        task="knowledge",
        title="Knowledge, English",
        text="Why does the Moon always show the same face to the Earth? Explain it to a curious twelve-year-old.",
    ),
    Prompt(
        task="summarise",
        title="Summary, English",
        text="Summarise this in two sentences: The first lighthouses were fires on hilltops. Later, platforms raised "
        "the fire so that it could be seen from further away, and towers followed. In the eighteenth century lenses "
        "and mirrors began to gather the light into a beam, and in the twentieth electricity replaced oil. Most "
        "lighthouses now work without a keeper, and satellites have taken over much of their work; yet many are kept, "
        "for they need no power on board and cannot be jammed.",
    ),
    Prompt(
        task="translate",
        title="Translation, English to Korean",
        text="Translate into Korean: The train to Busan leaves at half past nine; please be on the platform early.",
    ),
    Prompt(
        task="maths",
        title="Maths, Korean",
        text="사과 세 개와 배 두 개의 값은 8,100원이고, 사과 한 개와 배 두 개의 값은 5,300원입니다. "
        "사과 한 개의 값은 얼마입니까? 풀이 과정도 보여 주세요.",
    ),
    Prompt(
        task="chat",
        title="Conversation, Korean",
        text="주말에 비가 온다고 해요. 집에서 즐겁게 보낼 방법을 세 가지만 추천해 주세요.",
    ),
)


def read_prompts(path: Path) -> tuple[Prompt, ...]:
    """The prompts of a file: `.jsonl` has an object with `prompt` (and `task`, `title`) per line, else a line is one.

    Raises:
        InvalidRequestError: it can't be read, holds none, or has a line that is no prompt.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"The prompts in {path} can't be read.", next_step="Name a text file in UTF-8.", detail=str(error)
        ) from error
    read = _from_json if path.suffix == ".jsonl" else _from_text
    prompts = tuple(read(line, number, path) for number, line in enumerate(lines, 1) if line.strip())
    if not prompts:
        raise InvalidRequestError(f"There is no prompt in {path}.", next_step="Write one on each line.")
    return prompts


def _from_text(line: str, number: int, _path: Path) -> Prompt:
    return Prompt(text=line.strip(), title=f"Line {number}")


def _from_json(line: str, number: int, path: Path) -> Prompt:
    try:
        prompt = msgspec.json.decode(line, type=Prompt)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(
            f"Line {number} of {path} is no prompt.", next_step='Write it as {"prompt": "…", "task": "code"}.'
        ) from error
    if not prompt.text.strip():
        raise InvalidRequestError(f"The prompt in line {number} of {path} is empty.", next_step="Fill or remove it.")
    return msgspec.structs.replace(prompt, title=prompt.title or f"Line {number}")
