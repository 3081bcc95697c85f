/* The bar that says that something is not saved yet. */
import { button, problemLine } from "./controls.js"
import { el, show } from "./dom.js"
import { words } from "./words.js"

const text = words.policy.saving

export function savingBar(bar, page) {
  const line = problemLine()
  const save = button(text.save, line, page.save, { style: "primary" })
  const discard = button(text.discard, line, page.discard)
  bar.append(el("section", { "aria-label": text.label, class: "inner" },
    el("p", {}, text.changed), el("div", { class: "actions" }, discard, save), line))
  return ({ changed }) => {
    if (!changed) line.replaceChildren()
    show(bar, changed)
  }
}
