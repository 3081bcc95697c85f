/* What answers now, and what the user should know at once. */
import { button, problemLine } from "./controls.js"
import { el, progressBar, setAttribute, setText, show } from "./dom.js"
import { size } from "./format.js"
import { setSentence, setWords, words } from "./words.js"

const OWN_ENGINES = ["llama", "foundry"]
const USERS_SERVICE = "service" // stands for the service at the address that the user gave

export function nowSection(section, page) {
  const parts = [readyBanner(page), missingBanner(page), notice(page), answering(page)]
  section.append(...parts.map((part) => part.node))
  return (state) => parts.forEach((part) => part.update(state))
}

/** The name of what runs a model: an engine's, or a service's. */
function runtimeTitle(state, backend) {
  const engine = state.machine.engines.find(({ name }) => name === backend)
  const service = state.services.find(({ kind }) => kind === backend)
  return engine?.title ?? service?.title ?? backend
}

function answering({ act }) {
  const name = el("p", { class: "name" })
  const detail = el("span", { class: "muted" })
  const status = el("span", { class: "status" })
  const bar = progressBar(words.now.loading)
  const sentence = el("p", { class: "warning" })
  const line = problemLine()
  let model = null
  const again = button(words.again, line, () => act("use", { name: model.name }), { style: "primary" })
  const node = el("div", { class: "card now" }, name,
    el("p", { class: "line" }, status, detail), bar.node, sentence, el("div", { class: "actions" }, again), line)
  return {
    node,
    update(state) {
      const now = state.in_use
      model = state.models.find(({ in_use: inUse }) => inUse)
      setText(name, now ? now.model : words.now.nothing)
      setText(status, now ? words.now.states[now.state] : "")
      setAttribute(status, "data-state", now ? now.state : null)
      show(status, now !== null)
      const loading = now?.state === "loading"
      const known = loading && now.expected_bytes > 0
      const held = now ? memoryWords(now) : ""
      setText(detail, now ? [runtimeTitle(state, now.backend), held].filter(Boolean).join(" · ") : "")
      show(bar.node, loading)
      bar.update(known ? now.memory_bytes / now.expected_bytes : null, held || words.now.states.loading)
      if (now) setSentence(sentence, now.sentence)
      else setWords(sentence, words.now.nothingHint)
      show(sentence, Boolean(sentence.textContent))
      show(again.parentElement, now?.state === "failed" && model !== undefined)
    }
  }
}

function memoryWords({ state, memory_bytes: held, expected_bytes: expected }) {
  if (state === "loading" && expected) return words.now.memoryOf(size(held), size(expected))
  return held ? words.now.memory(size(held)) : ""
}

function readyBanner({ act }) {
  const text = el("p")
  const line = problemLine()
  let name = ""
  const use = button(words.now.useIt, line, () => act("use", { name }), { style: "primary" })
  const later = button(words.now.later, line, () => act("later"))
  const node = el("div", { class: "banner good" }, text, el("div", { class: "actions" }, use, later), line)
  return {
    node,
    update(state) {
      name = state.ready_to_switch
      setText(text, words.now.ready(name))
      show(node, Boolean(name))
    }
  }
}

function missingBanner({ lookInCatalogue, searchServices }) {
  const text = el("p")
  const hint = el("p", { class: "muted", id: "missing-hint" })
  const line = problemLine()
  let wanted = { word: "", isService: false }
  const find = button("", line, () => (wanted.isService ? searchServices() : lookInCatalogue(wanted.word)))
  setAttribute(find, "aria-describedby", "missing-hint")
  const node = el("div", { class: "banner warning" }, text, el("div", { class: "actions" }, find), hint, line)
  return {
    node,
    update(state) {
      wanted = wantedModel(state.missing)
      setText(text, wanted.word === USERS_SERVICE ? words.now.missingService : words.now.missing(wanted.word))
      setText(find, wanted.isService ? words.services.search : words.now.find)
      setText(hint, wanted.isService ? words.services.hint : words.catalogue.short)
      show(node, Boolean(state.missing))
    }
  }
}

/** `foundry/phi-4-mini` and `phi-4-mini` are looked for in the catalogue, `ollama/llama3.2` at the service. */
function wantedModel(missing) {
  const [backend, ...rest] = missing.split("/")
  if (rest.length === 0) return { word: missing, isService: missing === USERS_SERVICE }
  const isService = !OWN_ENGINES.includes(backend)
  return { word: isService ? missing : rest.join("/"), isService }
}

function notice({ act }) {
  const text = el("p")
  const line = problemLine()
  const dismiss = button(words.dismiss, line, () => act("later"))
  const node = el("div", { class: "banner" }, text, el("div", { class: "actions" }, dismiss), line)
  return {
    node,
    update(state) {
      setSentence(text, state.notice)
      show(node, Boolean(state.notice))
    }
  }
}
