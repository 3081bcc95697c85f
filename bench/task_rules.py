"""Other people's rules for telling prompts apart, for comparison."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# microsoft/edgeai-for-beginners (MIT), Module08/samples/06: substrings, in this order; "reasoning" stands for maths.
SAMPLE_KEYWORDS = {
    "code": "code python function class method bug debug programming script algorithm implementation refactor",
    "maths": "why how explain step-by-step reason analyze think logic because cause compare evaluate",
    "creative": "story poem creative imagine write tale narrative fiction character plot",
}
LITELLM_TASKS = {
    "code_generation": "code",
    "code_understanding": "code",
    "technical_design": "code",
    "analytical_reasoning": "maths",
    "writing": "creative",
    "factual_lookup": "knowledge",
    "general": "knowledge",
}
LITELLM_PROGRAM = """
import json, sys
from litellm.router_strategy.adaptive_router.classifier import classify_prompt
from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter
from litellm.router_strategy.complexity_router.tier_predictor import TierSuccessPredictor, resolve_tier_artifact
tiers = dict.fromkeys(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), "any")
router = ComplexityRouter("any", None, {"tiers": tiers})
predictor = TierSuccessPredictor(resolve_tier_artifact("ultrafeedback"))
def row(text):
    kind = classify_prompt(text)
    return kind.value, router.classify(text)[1], 1 - predictor.predict(text, kind).probabilities[1]
print(json.dumps([row(text) for text in json.load(sys.stdin)]))
"""


class LiteLlm(NamedTuple):
    """LiteLLM's three opinions on one text."""

    task: str
    complexity: float
    complexity_v2: float


def sample_keywords(text: str) -> str:
    """The rules of the sample that this project began from."""
    lowered = text.lower()
    found = (task for task, words in SAMPLE_KEYWORDS.items() if any(word in lowered for word in words.split()))
    return next(found, "knowledge")


def ask_litellm(interpreter: str | None, texts: Sequence[str]) -> Mapping[str, LiteLlm]:
    """LiteLLM's opinions, asked in a process of its own; none without an interpreter that has it."""
    if not interpreter:
        print("LiteLLM is left out (--litellm)")
        return {}
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [interpreter, "-c", LITELLM_PROGRAM]
    answer = subprocess.run(
        command, check=True, input=json.dumps(texts), stdout=subprocess.PIPE, env=environment, text=True
    )
    rows = json.loads(answer.stdout.splitlines()[-1])
    return {text: LiteLlm(*row) for text, row in zip(texts, rows, strict=True)}
