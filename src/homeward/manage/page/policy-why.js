/* Why a prompt would be answered where: asked for while the user types. */
import { askWhy } from "./api.js"
import { problemLine, showProblem } from "./controls.js"
import { el, facts, list, setAttribute, setText, show } from "./dom.js"
import { percent, tokens } from "./format.js"
import { kindName, target } from "./policy-said.js"
import { words } from "./words.js"

const text = words.policy.why
const PAUSE_MILLISECONDS = 400

export function whySection(section, said) {
  const prompt = el("textarea", { id: "prompt", rows: "3", "aria-describedby": "why-hint" })
  const mode = el("select", { id: "mode" }, ...Object.entries(text.modes).map(([value, name]) => el("option", { value }, name)))
  const line = problemLine()
  const unsaved = el("p", { class: "warning" }, text.unsaved)
  const result = explanation(said)
  let timer = null
  let asking = new AbortController()
  let seen = null

  async function ask() {
    asking.abort()
    const mine = (asking = new AbortController())
    const question = prompt.value
    if (!question.trim()) return result.clear()
    setAttribute(section, "aria-busy", "true")
    try {
      const why = await askWhy(question, mode.value, mine.signal)
      if (mine.signal.aborted) return
      showProblem(line, null)
      result.update(why)
    } catch (error) {
      if (mine.signal.aborted) return
      result.clear()
      showProblem(line, error)
    }
    setAttribute(section, "aria-busy", null)
  }

  function later(milliseconds) {
    clearTimeout(timer)
    timer = setTimeout(ask, milliseconds)
  }

  prompt.addEventListener("input", () => later(PAUSE_MILLISECONDS))
  mode.addEventListener("change", () => later(0))
  section.append(el("div", { class: "card" },
    el("p", { class: "muted", id: "why-hint" }, text.hint),
    el("div", { class: "labelled" }, el("label", { for: "prompt" }, text.prompt), prompt),
    el("div", { class: "field" }, el("label", { for: "mode" }, text.mode), mode),
    unsaved, line, result.node))
  return ({ state, changed }) => {
    show(unsaved, changed)
    const rules = JSON.stringify([state.policy, state.privacy, state.budget, state.backends])
    if (seen !== null && seen !== rules) later(0) // the same question has another answer now
    seen = rules
  }
}

function explanation(said) {
  const sentences = el("ul", { class: "sentences" })
  const updateSentences = list(sentences, sentenceItem, (_sentence, index) => index)
  const attempts = el("ol", { class: "attempts" })
  const updateAttempts = list(attempts, (attempt) => attemptItem(attempt, said), (attempt) => JSON.stringify(attempt))
  const nobody = el("p", {}, text.nobody)
  const values = facts(text.names)
  const node = el("div", { class: "explanation", "aria-live": "polite", hidden: "" },
    el("h3", {}, text.attempts), attempts, nobody, el("h3", {}, text.because), sentences, el("h3", {}, text.facts), values.node)
  return {
    node,
    clear: () => show(node, false),
    update(why) {
      updateSentences(why.sentences)
      updateAttempts(why.attempts)
      show(nobody, why.attempts.length === 0)
      values.update(factWords(why, said))
      show(node, true)
    }
  }
}

function sentenceItem() {
  const node = el("li")
  return { node, update: (sentence) => setText(node, sentence) }
}

function attemptItem(attempt, said) {
  const detail = [attempt.model, attempt.masked ? text.masked : ""].filter(Boolean).join(" · ")
  return {
    node: el("li", {}, el("span", { class: "name" }, attempt.backend), " ",
      el("span", { class: "badge", "data-place": attempt.place }, target(attempt.place, said)), " ",
      el("span", { class: "muted" }, detail)),
    update() {}
  }
}

function factWords({ facts: known }, said) {
  const task = said.tasks[known.task_guess] ?? known.task_guess
  const likelihood = percent(known.task_probability)
  const found = Object.entries(known.findings).map(([kind, count]) => `${kindName(kind, said)} (${count})`)
  const evidence = known.evidence.map((each) => text.evidence[each] ?? each).join(", ")
  return {
    task: known.task ? text.certain(task, likelihood) : task ? text.guess(task, likelihood) : text.untold,
    complexity: known.complexity ? text.difficulty(said.difficulties[known.complexity], evidence) : text.untold,
    tokens: tokens(known.tokens),
    findings: known.checked ? found.join(", ") || text.nothing : text.unchecked,
    seconds: text.milliseconds((known.seconds * 1000).toFixed(1))
  }
}
