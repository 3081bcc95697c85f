/* What may leave this device, kind by kind; the user's own words and patterns; and what can't be seen. */
import { button, problemLine } from "./controls.js"
import { el, list, setAttribute, show } from "./dom.js"
import { problemAt } from "./policy-draft.js"
import { setSentence, words } from "./words.js"

const text = words.policy.privacy

export function privacySection(section, page, said) {
  const parts = [kinds(page, said), denied(page), patterns(page, said)]
  section.append(
    el("div", { class: "card" }, el("p", { class: "muted" }, text.hint), parts[0].node),
    el("div", { class: "card" }, parts[1].node),
    el("div", { class: "card" }, parts[2].node),
    el("div", { class: "card seen" },
      el("h3", {}, text.notSeen), el("ul", { class: "problems" }, ...said.not_seen.map((sentence) => el("li", {}, sentence))),
      el("details", {}, el("summary", {}, text.seen), el("p", { class: "muted" }, said.seen))))
  return (given) => parts.forEach(({ update }) => update(given))
}

function options(choices, first = null) {
  const own = Object.entries(choices).map(([value, name]) => el("option", { value }, name))
  return first === null ? own : [el("option", { value: "" }, first), ...own]
}

/** The choice for one kind; the empty one stands for that of the rest. */
function choiceOf(kind, page, said) {
  const select = el("select", {}, ...options(said.choices, text.same))
  select.addEventListener("change", () => page.change(({ privacy }) => {
    if (select.value) privacy.kinds[kind()] = select.value
    else delete privacy.kinds[kind()]
  }))
  return select
}

function kinds(page, said) {
  const rest = el("select", { id: "privacy-default" }, ...options(said.choices))
  rest.addEventListener("change", () => page.change(({ privacy }) => {
    privacy.default = rest.value
  }))
  const selects = Object.keys(said.kinds).map((kind) => [kind, choiceOf(() => kind, page, said)])
  const rows = selects.map(([kind, select]) => {
    setAttribute(select, "id", `kind-${kind}`)
    return el("div", { class: "kind" }, el("label", { for: `kind-${kind}` }, said.kinds[kind]), select)
  })
  const details = el("details", {}, el("summary", {}, text.kinds), el("div", { class: "kinds" }, ...rows))
  let isFirst = true
  return {
    node: el("div", { class: "fields" },
      el("div", { class: "labelled" }, el("label", { class: "name", for: "privacy-default" }, text.default), rest), details),
    update({ draft: { privacy } }) {
      rest.value = privacy.default
      for (const [kind, select] of selects) {
        select.value = privacy.kinds[kind] ?? ""
        setAttribute(select, "data-set", Boolean(select.value))
      }
      if (isFirst && selects.some(([, select]) => select.value)) details.open = true
      isFirst = false
    }
  }
}

function denied(page) {
  const line = problemLine("deny-problem")
  const area = el("textarea", {
    id: "deny", rows: "3", spellcheck: "false", autocomplete: "off", "aria-describedby": "deny-hint deny-problem"
  })
  const listed = () => area.value.split("\n").map((word) => word.trim()).filter(Boolean)
  area.addEventListener("input", () => page.change(({ privacy }) => {
    privacy.deny = listed()
  }))
  return {
    node: el("div", { class: "labelled" }, el("h3", {}, el("label", { for: "deny" }, text.deny)),
      el("p", { class: "muted", id: "deny-hint" }, text.denyHint), area, line),
    update({ draft: { privacy }, problems }) {
      if (JSON.stringify(listed()) !== JSON.stringify(privacy.deny)) area.value = privacy.deny.join("\n")
      const problem = problemAt(problems, "privacy", "deny")
      setSentence(line, problem ?? "")
      setAttribute(area, "aria-invalid", problem === null ? null : "true")
    }
  }
}

/** Rows of a name and an expression; those without a name are not there yet. */
function patterns(page, said) {
  let rows = []
  let next = 0
  const line = problemLine()
  const items = el("ul", { class: "patterns" })
  const problem = (row, given) => {
    if (row.name === "") return row.expression === "" ? null : text.unnamed
    const isTwice = rows.some((each) => each !== row && each.name === row.name)
    return isTwice ? text.twice : problemAt(given.problems, "privacy", "patterns", row.name)
  }
  const change = (how) => page.change(({ privacy }) => {
    how(privacy)
    const known = rows.filter(({ name }) => name !== "").map(({ name, expression }) => [name, expression])
    privacy.patterns = Object.fromEntries(known)
  })
  const update = list(items, ({ row }) => patternRow(row, said, {
    page,
    change,
    remove: () => change((privacy) => {
      rows = rows.filter((each) => each !== row)
      delete privacy.kinds[`custom:${row.name}`]
    })
  }), ({ row }) => row.number)
  const add = button(text.add, line, () => {
    rows.push({ number: next++, name: "", expression: "" })
    change(() => {})
    items.lastElementChild.querySelector("input").focus()
  })
  return {
    node: el("div", { class: "fields" }, el("h3", { tabindex: "-1" }, text.patterns), el("p", { class: "muted" }, text.patternsHint),
      items, el("div", { class: "actions" }, add), line),
    update(given) {
      const known = Object.fromEntries(rows.filter(({ name }) => name).map(({ name, expression }) => [name, expression]))
      const wanted = given.draft.privacy.patterns
      const isSame = JSON.stringify(Object.entries(known).sort()) === JSON.stringify(Object.entries(wanted).sort())
      if (!isSame) rows = Object.entries(wanted).map(([name, expression]) => ({ number: next++, name, expression }))
      update(rows.map((row) => ({ row, choice: given.draft.privacy.kinds[`custom:${row.name}`] ?? "", problem: problem(row, given) })))
      show(items, rows.length > 0)
    }
  }
}

function patternRow(row, said, { page, change, remove }) {
  const id = `pattern-${row.number}`
  const name = el("input", { type: "text", id, autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: "40" })
  const expression = el("input", { type: "text", id: `${id}-is`, class: "code", autocomplete: "off", spellcheck: "false" })
  name.value = row.name
  expression.value = row.expression
  name.addEventListener("input", () => change((privacy) => {
    const choice = privacy.kinds[`custom:${row.name}`]
    delete privacy.kinds[`custom:${row.name}`]
    row.name = name.value.trim()
    if (choice && row.name) privacy.kinds[`custom:${row.name}`] = choice
  }))
  expression.addEventListener("input", () => change(() => {
    row.expression = expression.value
  }))
  const choice = choiceOf(() => `custom:${row.name}`, page, said)
  const line = problemLine(`${id}-problem`)
  const gone = button(words.policy.remove, line, remove, { style: "small" })
  for (const input of [name, expression]) setAttribute(input, "aria-describedby", `${id}-problem`)
  return {
    node: el("li", {},
      el("div", { class: "labelled" }, el("label", { for: id }, text.patternName), name),
      el("div", { class: "labelled wide" }, el("label", { for: `${id}-is` }, text.expression), expression),
      choice, gone, line),
    update(given) {
      choice.value = given.choice
      setAttribute(choice, "disabled", row.name ? null : "")
      setAttribute(choice, "aria-label", text.choice(row.name))
      setAttribute(gone, "aria-label", `${words.policy.remove}: ${row.name}`)
      setSentence(line, given.problem ?? "")
      for (const input of [name, expression]) setAttribute(input, "aria-invalid", given.problem ? "true" : null)
    }
  }
}
