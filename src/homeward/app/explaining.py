"""Why a prompt would be answered where: decided like a real request, and then nobody is asked."""

import asyncio

from homeward.app.answering import Answering
from homeward.app.completing import completing
from homeward.backends import Connections
from homeward.completion import Completer
from homeward.config import ChatSettings, Settings
from homeward.manage.governor import Language
from homeward.manage.policy_state import Explanation
from homeward.privacy.words import kind_name
from homeward.protocol.chat import ChatRequest, Message, Mode, Sampling
from homeward.protocol.receipt import DroppedRecord
from homeward.routing import Dropped, explain
from homeward.routing.words import reason_sentence


async def explained(
    completer: Completer, chat: ChatSettings, prompt: str, mode: Mode, language: Language
) -> Explanation:
    """What would happen to this prompt on the page, as the first one of a conversation."""
    system = [Message("system", chat.system_prompt)] if chat.system_prompt else []
    request = ChatRequest(
        messages=(*system, Message("user", prompt)), sampling=Sampling(max_tokens=chat.max_tokens), mode=mode
    )
    prepared = await completer.prepare(request)
    facts, plan = prepared.known.facts, prepared.plan
    kinds = [kind_name(kind, language) for kind in sorted(facts.findings)]
    return Explanation(
        sentences=explain(facts, plan, language, kinds),
        facts=prepared.known.record,
        rule=plan.rule,
        attempts=plan.attempts,
        dropped=tuple(dropped_record(each, language) for each in plan.dropped),
        question=plan.question,
    )


def dropped_record(dropped: Dropped, language: Language) -> DroppedRecord:
    """A backend that is not asked, with the whole reason as sentences."""
    sentence = f"{reason_sentence(dropped.reason, language)} {dropped.sentence}".rstrip()
    return DroppedRecord(backend=dropped.backend, reason=dropped.reason, sentence=sentence)


async def explained_here(settings: Settings, prompt: str, mode: Mode) -> Explanation:
    """The same without a Homeward that serves; no model is loaded, and nothing is opened to anybody.

    Raises ConfigError and AuditError: see `completing`.
    """
    async with Connections() as connections:
        answering = Answering(settings, connections)
        try:
            await asyncio.to_thread(answering.library.refresh)
            async with completing(settings, answering) as completer:
                return await explained(completer, settings.chat, prompt, mode, "en")
        finally:
            await answering.pool.close()
