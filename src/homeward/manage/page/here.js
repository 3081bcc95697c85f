/* The models on this machine. */
import { button, confirmed, problemLine } from "./controls.js"
import { el, facts, list, progressBar, setAttribute, setText, show } from "./dom.js"
import { percent, size, tokens } from "./format.js"
import { setSentence, setWords, words } from "./words.js"

export function hereSection(section, page) {
  const cards = el("ul", { class: "cards" })
  const nothing = el("p", { class: "muted" }, words.here.nothing)
  const update = list(cards, (model) => modelCard(model, page), ({ name }) => name)
  section.append(nothing, cards)
  return (state) => {
    show(nothing, state.models.length === 0)
    update(state.models.map((model) => ({ ...model, runtime: engineTitle(state, model.engine) })))
  }
}

function engineTitle(state, engine) {
  return state.machine.engines.find(({ name }) => name === engine)?.title ?? engine
}

function modelCard({ name, title }, { act }) {
  let model = null
  const line = problemLine()
  const options = { about: title }
  const body = { name }
  const status = el("span", { class: "status" })
  const badge = el("span", { class: "badge" }, words.here.answers)
  const values = facts(words.facts)
  const memory = el("p", { class: "fit" })
  const sentence = el("p", { class: "warning" })
  const files = fileCheck()
  const use = button(words.use, line, () => act("use", body), options)
  const check = button(words.here.check, line, () => act("verify", body), options)
  const repair = button(words.here.repair, line, () => repairModel(model, act), { ...options, style: "primary" })
  const remove = button(words.here.remove, line, () => removeModel(model, act), options)
  const more = facts(words.here.more.facts)
  const node = el("li", { class: "card", "data-home": "" },
    el("div", { class: "head" }, el("h3", { tabindex: "-1" }, title), badge, status), values.node, sentence,
    el("div", { class: "notes" }, memory, ...files.nodes), el("div", { class: "actions" }, use, repair, check, remove), line,
    el("details", {}, el("summary", {}, words.here.more.title), more.node))
  return {
    node,
    update(given) {
      model = given
      setText(status, words.here.states[model.state])
      setAttribute(status, "data-state", model.state)
      show(badge, model.in_use)
      show(use, !model.in_use)
      setAttribute(use, "class", model.fits ? "button offered" : "button")
      show(check, model.check !== "checking")
      show(repair, model.check === "damaged" && model.source === "catalogue")
      show(remove, model.removable !== "no")
      values.update(modelFacts(model))
      updateMemory(memory, model)
      setSentence(sentence, model.sentence)
      show(sentence, Boolean(model.sentence))
      files.update(model)
      more.update({ name: title === name ? "" : name, source: words.here.sources[model.source], path: model.path })
    }
  }
}

function modelFacts(model) {
  return {
    engine: model.runtime,
    size: size(model.size_bytes),
    context: tokens(model.context_tokens),
    license: model.license || words.unknown,
    device: words.devices[model.device] ?? model.device,
    tools: words.tools[model.calls_tools],
    memory: model.memory_bytes ? words.about(size(model.memory_bytes)) : ""
  }
}

function updateMemory(node, model) {
  if (model.held_bytes) setWords(node, words.here.holds(size(model.held_bytes)))
  else setSentence(node, model.fits_sentence)
  setAttribute(node, "data-fits", model.fits || model.held_bytes > 0)
  show(node, model.held_bytes > 0 || model.memory_bytes > 0)
}

/** What is known of a model's files. */
function fileCheck() {
  const status = el("p", { class: "files" })
  const bar = progressBar(words.here.checks.checking)
  const rows = el("ul", { class: "problems" })
  const problems = list(rows, sentenceItem, (_sentence, index) => index)
  return {
    nodes: [status, bar.node, rows],
    update({ check, checked, problems: sentences }) {
      const checking = check === "checking"
      setText(status, words.here.checks[check] + (checking ? ` ${percent(checked)}` : ""))
      setAttribute(status, "data-check", check)
      show(bar.node, checking)
      bar.update(checked, percent(checked))
      show(rows, sentences.length > 0)
      problems(sentences)
    }
  }
}

function sentenceItem() {
  const node = el("li")
  return { node, update: (sentence) => setSentence(node, sentence) }
}

async function removeModel(model, act) {
  const deleted = model.removable === "files"
  const text = words.here.removing
  const sentences = [deleted ? text.files(size(model.size_bytes)) : text.list]
  if (model.in_use) sentences.push(text.inUse)
  const wanted = await confirmed({
    title: text.title(model.title),
    facts: [[words.here.more.facts.path, model.path]],
    sentences,
    yes: deleted ? text.yesFiles : text.yesList,
    dangerous: deleted
  })
  if (wanted) await act("remove", { name: model.name, delete_files: deleted })
}

async function repairModel(model, act) {
  const text = words.here.repairing
  const wanted = await confirmed({
    title: text.title(model.title), sentences: [text.what(size(model.size_bytes)), words.catalogue.sent], yes: text.yes
  })
  if (wanted) await act("repair", { name: model.name })
}
