/* A model of the user's own. */
import { problemLine, showProblem, whilePending } from "./controls.js"
import { el, setAttribute } from "./dom.js"
import { words } from "./words.js"
import { Problem } from "./api.js"

export function addForm(section, { act }) {
  const text = words.here.adding
  const line = problemLine("add-problem")
  const field = el("input", {
    type: "text", id: "add-path", name: "path", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    "aria-describedby": "add-hint add-problem", placeholder: text.example
  })
  const add = el("button", { class: "button primary" }, text.add)
  const form = el("form", { class: "card add" },
    el("h3", {}, el("label", { for: "add-path" }, text.title)),
    el("p", { class: "muted", id: "add-hint" }, text.hint),
    el("div", { class: "field" }, field, add), line)
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const path = field.value.trim()
    if (!path) {
      showProblem(line, new Problem(text.empty))
    } else if (await whilePending(add, line, () => act("add", { path }))) {
      field.value = ""
    }
    setAttribute(field, "aria-invalid", line.hasChildNodes() ? "true" : null)
    field.focus()
  })
  section.append(form)
}
