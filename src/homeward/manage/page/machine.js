/* This computer, and what runs models on it. */
import { button, problemLine } from "./controls.js"
import { el, facts, list, setAttribute, setText, show } from "./dom.js"
import { size } from "./format.js"
import { setSentence, words } from "./words.js"

export function machineSection(section, { act }) {
  const text = words.machine
  const values = facts(text.facts)
  const cards = el("ul", { class: "cards" })
  const engines = list(cards, engineCard, ({ name }) => name)
  const line = problemLine()
  const rows = el("ul", { class: "models" })
  const providers = list(rows, providerRow, ({ name }) => name)
  const only = el("p", {}, text.onlyProcessor)
  const look = button(text.look, line, () => act("devices"))
  setAttribute(look, "aria-describedby", "devices-hint")
  const hint = el("p", { class: "muted", id: "devices-hint" }, text.hint)
  section.append(
    el("div", { class: "card" }, values.node,
      el("h3", {}, text.devices), only, rows, hint, el("div", { class: "actions" }, look), line),
    cards)
  return ({ machine }) => {
    values.update({
      memory: size(machine.memory_bytes),
      free: size(machine.free_bytes),
      disk: size(machine.disk_free_bytes),
      cores: String(machine.cores)
    })
    engines(machine.engines)
    providers(machine.providers ?? [])
    show(only, machine.providers?.length === 0)
    show(look.parentElement, machine.engines.some(({ name, available }) => name === "foundry" && available))
    show(hint, !look.parentElement.hidden)
    setText(look, machine.providers === null ? text.look : text.lookAgain)
  }
}

function engineCard() {
  const title = el("h3")
  const status = el("span", { class: "status" })
  const sentence = el("p", { class: "warning" })
  const privacy = el("p", { class: "muted" })
  return {
    node: el("li", { class: "card" }, el("div", { class: "head" }, title, status), sentence, privacy),
    update(engine) {
      setText(title, engine.title)
      setText(status, words.machine.available[engine.available])
      setAttribute(status, "data-state", engine.available ? "ready" : "stopped")
      setSentence(sentence, engine.sentence)
      show(sentence, Boolean(engine.sentence))
      setSentence(privacy, engine.privacy)
    }
  }
}

function providerRow({ name }) {
  const detail = el("span", { class: "muted" })
  return {
    node: el("li", {}, el("div", { class: "row" }, el("span", { class: "name" }, name), detail)),
    update({ registered }) {
      setText(detail, words.machine.registered[registered])
    }
  }
}
