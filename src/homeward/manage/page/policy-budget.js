/* What clouds may cost in a month, and what they have cost. */
import { problemLine } from "./controls.js"
import { el, progressBar, setAttribute, setText, show } from "./dom.js"
import { money } from "./format.js"
import { outside, problemAt } from "./policy-draft.js"
import { setSentence, words } from "./words.js"

const text = words.policy.budget

export function budgetSection(section, page) {
  const month = el("input", {
    type: "number", id: "month", min: "0", step: "any", inputmode: "decimal", placeholder: text.none, "aria-describedby": "month-problem"
  })
  const currency = el("input", {
    type: "text", id: "currency", maxlength: "8", autocomplete: "off", spellcheck: "false", "aria-describedby": "month-problem"
  })
  const line = problemLine("month-problem")
  const bar = progressBar(text.title)
  const spent = el("p", { class: "spent" })
  const warning = el("p", { class: "warning" })
  month.addEventListener("input", () => page.change(({ budget }) => {
    if (!month.validity.badInput) budget.month = month.value === "" ? null : Number(month.value)
  }))
  currency.addEventListener("input", () => page.change(({ budget }) => {
    budget.currency = currency.value.trim()
  }))
  section.append(el("div", { class: "card" },
    spent, bar.node,
    el("div", { class: "row" },
      el("div", { class: "labelled" }, el("label", { for: "month" }, text.month), month),
      el("div", { class: "labelled" }, el("label", { for: "currency" }, text.currency), currency)),
    line, warning, el("p", { class: "muted" }, text.hint)))
  return ({ state, draft: { budget }, problems }) => {
    if (Number(month.value || NaN) !== (budget.month ?? NaN) && !month.validity.badInput) month.value = budget.month ?? ""
    if (currency.value.trim() !== budget.currency) currency.value = budget.currency
    const sum = money(state.spent, budget.currency)
    const limit = budget.month
    setText(spent, limit === null ? text.spent(sum) : text.of(sum, money(limit, budget.currency)))
    show(bar.node, limit !== null)
    bar.update(limit ? state.spent / limit : 1, spent.textContent)
    setAttribute(bar.node, "data-full", limit !== null && state.spent >= limit)
    const problem = problemAt(problems, "budget")
    setSentence(line, problem ?? "")
    setAttribute(month, "aria-invalid", problem === null ? null : "true")
    setText(warning, budgetWarning(state, limit))
    show(warning, Boolean(warning.textContent))
  }
}

function budgetWarning(state, limit) {
  if (limit === null) return ""
  if (state.spent >= limit) return text.stopped
  const unpriced = outside(state.backends).filter((each) =>
    each.place === "cloud" && (each.input_price === null || each.output_price === null))
  return unpriced.length ? text.unpriced(words.policy.list(unpriced.map(({ name }) => name))) : ""
}
