/* One rule in a form: asked for in a dialog, checked before it closes. */
import { el, show } from "./dom.js"
import { kindName, target } from "./policy-said.js"
import { words } from "./words.js"

const text = words.policy.rules
const PLACES = ["device", "network", "cloud"]

const EMPTY = {
  task: [], complexity: [], tokens_over: null, findings: null, attachments: null, failed: [], hours: null, days: [],
  spent_over: null
}

export function emptyRule() {
  return { name: "", when: { ...EMPTY }, use: [] }
}

/**
 * The rule as the user left it, or null. `targets` are the backends that it can name, `kinds` the kinds of findings
 * besides the built-in ones, `taken` the names of other rules; they may repeat.
 */
export function askForRule({ title, rule, targets, kinds, taken, currency, said }) {
  const everybody = [...new Set([...PLACES, ...targets])]
  const { when } = rule
  const parts = {
    name: nameField(rule.name, taken),
    task: choices("task", text.task, said.tasks, when.task),
    complexity: choices("complexity", text.complexity, said.difficulties, when.complexity),
    findings: findingsField(when.findings, kinds, said),
    attachments: select("attachments", text.attachments, text.attachmentsChoices, String(when.attachments ?? "any")),
    tokens_over: numberField("tokens", text.tokens, when.tokens_over, "1"),
    failed: choices("failed", text.failed, named(everybody, said), when.failed),
    hours: hoursField(when.hours),
    days: choices("days", text.days, text.weekdays, when.days),
    spent_over: numberField("spent", `${text.spent} (${currency})`, when.spent_over, "any"),
    use: useField(rule.use, named(everybody, said))
  }
  const more = ["attachments", "tokens_over", "failed", "hours", "days", "spent_over"]
  const isUsed = more.some((key) => String(when[key] ?? "") !== "")
  const form = el("form", { method: "dialog", novalidate: "" },
    parts.name.node,
    group(text.whenTitle, el("p", { class: "muted" }, text.whenHint), parts.task.node, parts.complexity.node, parts.findings.node,
      el("details", isUsed ? { open: "" } : {}, el("summary", {}, text.more),
        el("div", { class: "fields" }, ...more.map((key) => parts[key].node)))),
    group(text.useTitle, parts.use.node),
    el("div", { class: "actions" },
      el("button", { type: "button", class: "button cancel" }, words.no), el("button", { class: "button primary" }, text.done)))
  return opened(title, form, () => read(parts))
}

/** What the fields say; null where one of them says why not. */
function read(parts) {
  const values = Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, part.read()]))
  const wrong = Object.keys(parts).filter((key) => values[key] === undefined)
  if (wrong.length) {
    parts[wrong[0]].focus()
    return null
  }
  const { name, use, attachments, ...when } = values
  return { name, when: { ...EMPTY, ...when, attachments: { any: null, true: true, false: false }[attachments] }, use }
}

function opened(title, form, done) {
  const dialog = el("dialog", { class: "question rule", "aria-labelledby": "question" }, el("h2", { id: "question" }, title), form)
  let result = null
  form.addEventListener("submit", (event) => {
    result = done()
    if (result === null) event.preventDefault()
  })
  form.querySelector(".cancel").addEventListener("click", () => dialog.close())
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove()
      resolve(result)
    })
  })
}

function group(title, ...content) {
  return el("fieldset", { class: "group" }, el("legend", {}, title), ...content)
}

function named(names, said) {
  return Object.fromEntries(names.map((name) => [name, target(name, said)]))
}

function problem(id) {
  return el("p", { class: "problem", role: "alert", id })
}

/** A field that says beside it what is wrong; `value()` gives undefined where its words are in `line`. */
function checked(input, line, value) {
  return () => {
    line.textContent = ""
    input.removeAttribute("aria-invalid")
    const [found, wrong] = value()
    if (wrong === undefined) return found
    line.textContent = wrong
    input.setAttribute("aria-invalid", "true")
    return undefined
  }
}

function nameField(value, taken) {
  const input = el("input", {
    type: "text", id: "rule-name", maxlength: "60", autocomplete: "off", value, "aria-describedby": "rule-name-hint rule-name-problem"
  })
  const line = problem("rule-name-problem")
  return {
    node: el("div", { class: "labelled" }, el("label", { for: "rule-name" }, text.name), input,
      el("p", { class: "muted", id: "rule-name-hint" }, text.nameHint), line),
    focus: () => input.focus(),
    read: checked(input, line, () => {
      const name = input.value.trim()
      if (!name) return [null, text.problems.name]
      return taken.includes(name) ? [null, text.problems.taken] : [name]
    })
  }
}

/** Any number of things with names. */
function choices(id, title, names, chosen) {
  const boxes = Object.keys(names).map((value) => el("input", { type: "checkbox", id: `rule-${id}-${value}`, value }))
  for (const box of boxes) box.checked = chosen.includes(box.value)
  const labels = boxes.map((box) => el("label", { class: "check chip" }, box, names[box.value]))
  return {
    node: el("fieldset", { class: "choices" }, el("legend", {}, title), el("div", { class: "chips" }, ...labels)),
    read: () => boxes.filter((box) => box.checked).map((box) => box.value)
  }
}

function select(id, title, names, chosen) {
  const node = el("select", { id: `rule-${id}` }, ...Object.entries(names).map(([value, name]) => el("option", { value }, name)))
  node.value = chosen
  return {
    node: el("div", { class: "labelled" }, el("label", { for: `rule-${id}` }, title), node),
    control: node,
    read: () => node.value
  }
}

function numberField(id, title, value, step) {
  const input = el("input", {
    type: "number", id: `rule-${id}`, min: "0", step, inputmode: "decimal", "aria-describedby": `rule-${id}-problem`
  })
  input.value = value ?? ""
  const line = problem(`rule-${id}-problem`)
  return {
    node: el("div", { class: "labelled" }, el("label", { for: `rule-${id}` }, title), input, line),
    focus: () => input.focus(),
    read: checked(input, line, () => {
      if (input.value === "" && !input.validity.badInput) return [null]
      return input.validity.valid ? [Number(input.value)] : [null, text.problems.number]
    })
  }
}

function findingsField(value, ownKinds, said) {
  const isKinds = Array.isArray(value)
  const how = select("findings", text.findings, text.findingsChoices, isKinds ? "kinds" : String(value ?? "any"))
  const names = Object.fromEntries([...Object.keys(said.kinds), ...ownKinds].map((kind) => [kind, kindName(kind, said)]))
  const kinds = choices("kinds", text.findingsChoices.kinds, names, isKinds ? value : [])
  const update = () => show(kinds.node, how.read() === "kinds")
  how.control.addEventListener("change", update)
  update()
  return {
    node: el("div", { class: "fields" }, how.node, kinds.node),
    read() {
      if (how.read() !== "kinds") return { any: null, true: true, false: false }[how.read()]
      return kinds.read().length ? kinds.read() : null
    }
  }
}

function hoursField(value) {
  const [from, to] = (value ?? "-").split("-").map((time, index) =>
    el("input", { type: "time", id: `rule-hours-${index}`, value: time, "aria-describedby": "rule-hours-problem" }))
  const line = problem("rule-hours-problem")
  return {
    node: el("div", { class: "labelled" },
      el("div", { class: "field hours" },
        el("label", { for: "rule-hours-0" }, text.hours), from, el("label", { for: "rule-hours-1" }, text.hoursTo), to),
      line),
    focus: () => from.focus(),
    read: checked(from, line, () => {
      if (!from.value && !to.value) return [null]
      const wrong = !from.value || !to.value || from.value === to.value
      return wrong ? [null, text.problems.hours] : [`${from.value}-${to.value}`]
    })
  }
}

/** Who may answer, one after the other: as many fields as there are chosen ones, and one more. */
function useField(use, names) {
  const rows = el("ol", { class: "targets" })
  const line = problem("rule-use-problem")
  const selects = () => [...rows.querySelectorAll("select")]
  const chosen = () => selects().map(({ value }) => value).filter(Boolean)

  function draw(values) {
    const count = Math.min(values.length + 1, Object.keys(names).length)
    rows.replaceChildren(...Array.from({ length: count }, (_, index) => row(values, index)))
  }

  function row(values, index) {
    const id = `rule-use-${index}`
    const free = Object.keys(names).filter((name) => !values.includes(name) || values[index] === name)
    const node = el("select", { id, "aria-describedby": "rule-use-problem" },
      el("option", { value: "" }, index ? text.nobody : text.choose), ...free.map((value) => el("option", { value }, names[value])))
    node.value = values[index] ?? ""
    node.addEventListener("change", () => {
      draw([...new Set(chosen())])
      selects()[Math.min(index, selects().length - 1)].focus()
    })
    return el("li", { class: "labelled" }, el("label", { for: id }, index ? text.next : text.first), node)
  }

  draw(use.filter((name) => name in names))
  return {
    node: el("div", {}, rows, line),
    focus: () => selects()[0].focus(),
    read: () => {
      const found = chosen()
      line.textContent = found.length ? "" : text.problems.use
      return found.length ? found : undefined
    }
  }
}
