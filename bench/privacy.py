"""How well personal data and secrets are found, and what looking for them costs.

    python -m bench.privacy [--data ../shared/data/pii] [--misses]

Two sets. `presidio` is `synth_dataset_v2.json` of microsoft/presidio-research (MIT): 1,500 English texts that others
labelled; a hit is a finding of the label's kind that shares a character with it. `samples` are our own sentences, with
text that holds nothing. Of presidio's labels, those of names, addresses, dates and the like are out of reach of
patterns; they are counted, so that nobody forgets them. Then the cost of ordinary prompts, and per 10 kB, in process
time, best of several.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tests.privacy.samples import NOT_TO_FIND, TO_FIND

from homeward.privacy import Kind, Part, Scanner

DATA = Path("../shared/data/pii")
FILE = "presidio_synth_v2.json"
KINDS = {
    "EMAIL_ADDRESS": Kind.EMAIL,
    "PHONE_NUMBER": Kind.PHONE,
    "CREDIT_CARD": Kind.CARD,
    "IBAN_CODE": Kind.IBAN,
    "US_SSN": Kind.NATIONAL_ID,
    "US_DRIVER_LICENSE": Kind.NATIONAL_ID,
    "IP_ADDRESS": Kind.IP,
}


ORDINARY = (
    (
        "English",
        "Explain in two sentences why the sky is blue at noon and red in the evening, as if I were 7 years old.",
    ),
    (
        "Korean",
        "어제 회의에서 이야기한 일정을 다음 주 화요일로 옮기자는 답장을 3문장으로 써 주세요. 고맙습니다.",
    ),
    ("code", "def mean(values):\n    return sum(values) / len(values)\n\n# Why does this fail for [] in Python 3.11?"),
)
"""Short prompts without anything to find, as most are."""


class Label(msgspec.Struct, frozen=True):
    """What somebody marked in a text."""

    start: int
    end: int
    kind: str


class Labelled(msgspec.Struct, frozen=True):
    """A text with all its labels, those out of our reach too."""

    text: str
    labels: tuple[Label, ...]


class Score(msgspec.Struct):
    """Counts for one kind."""

    hits: int = 0
    missed: int = 0
    wrong: int = 0

    @property
    def precision(self) -> float:
        """Of what was found, how much is right."""
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of what is there, how much was found."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0


class Measured(msgspec.Struct, frozen=True):
    """Scores by kind, what is out of reach by its label, and the words of each mistake."""

    scores: dict[str, Score]
    out_of_reach: Counter[str]
    mistakes: list[str]


def presidio(folder: Path) -> Iterator[Labelled]:
    """The set of others."""
    for record in json.loads((folder / FILE).read_text(encoding="utf-8")):
        yield Labelled(
            record["full_text"],
            tuple(
                Label(span["start_position"], span["end_position"], KINDS.get(span["entity_type"], span["entity_type"]))
                for span in record["spans"]
            ),
        )


def samples() -> Iterator[Labelled]:
    """Our own set."""
    for kind, sentence, value in TO_FIND:
        text = sentence.format(value)
        start = text.index(value)
        yield Labelled(text, (Label(start, start + len(value), kind),))
    for text in NOT_TO_FIND:
        yield Labelled(text, ())


def measure(texts: Iterator[Labelled]) -> Measured:
    """Look at each text by itself."""
    measured = Measured({}, Counter(), [])
    scanner = Scanner()
    for labelled in texts:
        report = scanner.find([Part("text", labelled.text)])
        assert report.complete
        findings = report.parts[0].findings
        for label in labelled.labels:
            if label.kind not in set(Kind):
                measured.out_of_reach[label.kind] += 1
                continue
            score = measured.scores.setdefault(label.kind, Score())
            if any(f.kind == label.kind and f.start < label.end and label.start < f.end for f in findings):
                score.hits += 1
            else:
                score.missed += 1
                measured.mistakes.append(f"missed {label.kind}: {labelled.text[label.start : label.end]!r}")
        for f in findings:
            if not any(
                f.kind == label.kind and f.start < label.end and label.start < f.end for label in labelled.labels
            ):
                measured.scores.setdefault(f.kind, Score()).wrong += 1
                measured.mistakes.append(f"wrong {f.kind}: {labelled.text[f.start : f.end]!r}")
    return measured


def cost_milliseconds(text: str, *, times: int = 1) -> float:
    """Of looking at one text, in process time; the best of nine, where each one is the mean of so many times."""
    scanner = Scanner()
    costs: list[float] = []
    for _ in range(9):
        began = time.process_time()
        for _ in range(times):
            scanner.find([Part("text", text)])
        costs.append((time.process_time() - began) / times)
    return min(costs) * 1000


def show(name: str, measured: Measured, *, mistakes: bool) -> None:
    """One table."""
    print(f"{name:12} {'kind':12} {'precision':>9} {'recall':>7} {'hits':>5} {'missed':>6} {'wrong':>5}")
    for kind, score in sorted(measured.scores.items()):
        counts = f"{score.hits:5} {score.missed:6} {score.wrong:5}"
        print(f"{'':12} {kind:12} {score.precision:9.3f} {score.recall:7.3f} {counts}")
    if measured.out_of_reach:
        labels = ", ".join(f"{label} {count}" for label, count in measured.out_of_reach.most_common())
        print(f"{'':12} out of reach: {labels}")
    for mistake in measured.mistakes if mistakes else ():
        print(f"{'':12} {mistake}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the set of others")
    parser.add_argument("--misses", action="store_true", help="show each mistake")
    options = parser.parse_args()
    if (options.data / FILE).exists():
        show("presidio", measure(presidio(options.data)), mistakes=options.misses)
        prose = "\n".join(labelled.text for labelled in presidio(options.data))
    else:
        print(f"No {FILE} in {options.data}: only our own samples are measured.")
        prose = "\n".join(labelled.text for labelled in samples())
    show("samples", measure(samples()), mistakes=options.misses)
    for name, text in ORDINARY:
        print(f"cost of an ordinary prompt, {name}: {cost_milliseconds(text, times=200) * 1000:.0f} us")
    korean = (
        "김 과장님, 어제 회의에서 이야기한 일정은 다음 주 화요일로 옮기면 좋겠습니다. 자료는 공유 폴더에 있습니다. "
    )
    code = Path(__file__).read_text(encoding="utf-8")
    for name, text in (("labelled prose", prose), ("Korean", korean * 300), ("Python", code * 3)):
        print(f"cost per 10 kB, {name}: {cost_milliseconds(_kilobytes(text, 10)):.1f} ms")


def _kilobytes(text: str, count: int) -> str:
    return text.encode()[: count * 1000].decode(errors="ignore")


if __name__ == "__main__":
    main()
