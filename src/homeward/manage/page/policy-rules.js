/* The user's own rules, in their order. */
import { button, problemLine } from "./controls.js"
import { el, list, setAttribute, setText, show } from "./dom.js"
import { problemAt } from "./policy-draft.js"
import { askForRule, emptyRule } from "./policy-rule.js"
import { conditions, target } from "./policy-said.js"
import { setSentence, words } from "./words.js"

const text = words.policy.rules

export function rulesSection(section, page, said) {
  let given = null
  const line = problemLine()
  const none = el("p", { class: "muted" }, text.none)
  const rows = el("tbody", { role: "rowgroup" })
  const table = el("table", { role: "table", class: "rules", "aria-labelledby": "rules-title" }, tableHead(), rows)
  const edit = (index) => editRule(index, given, page, said)
  const update = list(rows, () => ruleRow(page, said, edit), (_rule, index) => index)
  const add = button(text.add, line, async () => {
    const rule = emptyRule()
    const wanted = await askForRule({ title: text.adding, rule, ...around(given, rule), said })
    if (wanted) page.change(({ policy }) => policy.rules.push(wanted))
  })
  section.append(el("div", { class: "card" },
    el("p", { class: "muted" }, text.hint), none, table, el("div", { class: "actions" }, add), line))
  return (newest) => {
    given = newest
    const { rules } = given.draft.policy
    update(rules.map((rule, index) => ({
      rule, index, count: rules.length, currency: given.draft.budget.currency,
      problem: problemAt(given.problems, "policy", "rules", index)
    })))
    show(none, rules.length === 0)
    show(table, rules.length > 0)
  }
}

async function editRule(index, given, page, said) {
  const old = given.draft.policy.rules[index]
  const rule = await askForRule({ title: text.editing(old.name), rule: old, ...around(given, old), said })
  if (rule) page.change(({ policy }) => policy.rules.splice(index, 1, rule))
}

/** What this rule can name, or names already, and how the others are called. */
function around({ state, draft }, rule) {
  const own = Array.isArray(rule.when.findings) ? rule.when.findings : []
  return {
    targets: [...state.backends.map(({ name }) => name), ...rule.use, ...rule.when.failed],
    kinds: [...Object.keys(draft.privacy.patterns).map((name) => `custom:${name}`), ...own],
    taken: draft.policy.rules.filter((each) => each !== rule).map(({ name }) => name),
    currency: draft.budget.currency
  }
}

function tableHead() {
  const cells = Object.entries(text.columns).map(([key, name]) =>
    el("th", { scope: "col", role: "columnheader" }, el("span", { class: key === "action" ? "unseen" : "" }, name)))
  return el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...cells))
}

function ruleRow(page, said, edit) {
  let index = 0
  const move = (by) => page.change(({ policy }) => {
    const [rule] = policy.rules.splice(index, 1)
    policy.rules.splice(index + by, 0, rule)
  })
  const problem = problemLine()
  const name = el("span", { class: "name" })
  const when = el("span", { class: "phrases" })
  const use = el("span")
  const line = problemLine()
  const buttons = {
    edit: button(words.policy.edit, line, () => edit(index), { style: "small" }),
    up: button("↑", line, () => move(-1), { style: "small" }),
    down: button("↓", line, () => move(1), { style: "small" }),
    remove: button(words.policy.remove, line, () => page.change(({ policy }) => policy.rules.splice(index, 1)), { style: "small" })
  }
  const node = el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, name, problem),
    el("td", { role: "cell", "data-column": text.columns.when }, when),
    el("td", { role: "cell", "data-column": text.columns.use }, use),
    el("td", { role: "cell", "data-column": "" }, el("span", { class: "buttons" }, ...Object.values(buttons)), line))
  return {
    node,
    update(given) {
      index = given.index
      setText(name, given.rule.name)
      setText(when, conditions(given.rule.when, said, given.currency).join(" · ") || text.always)
      setText(use, words.policy.then(given.rule.use.map((each) => target(each, said))))
      setSentence(problem, given.problem ?? "")
      setAttribute(buttons.up, "disabled", index === 0 ? "" : null)
      setAttribute(buttons.down, "disabled", index === given.count - 1 ? "" : null)
      for (const [key, each] of Object.entries(buttons)) setAttribute(each, "aria-label", `${words.policy[key]}: ${given.rule.name}`)
    }
  }
}
