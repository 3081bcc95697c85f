/* Buttons that say beside them what went wrong, and the question before something that can't be taken back. */
import { Problem, Refusal } from "./api.js"
import { el, setAttribute } from "./dom.js"
import { setSentence, words } from "./words.js"

/** A place for errors; empty it takes no room. */
export function problemLine(id = null) {
  const node = el("p", { class: "problem", role: "alert" })
  setAttribute(node, "id", id)
  return node
}

/** Show an error; null clears the line. */
export function showProblem(line, error) {
  line.replaceChildren()
  if (error instanceof Refusal) {
    for (const sentence of error.sentences) {
      const node = el("span")
      setSentence(node, sentence)
      line.append(node, " ")
    }
  } else if (error instanceof Problem) {
    line.append(error.message)
  } else if (error !== null) {
    line.append(words.problems.internal)
    console.error(error)
  }
}

/** Do `run` once at a time; the control is marked meanwhile, but keeps the focus. True if it went well. */
export async function whilePending(control, line, run) {
  if (control.getAttribute("aria-disabled") === "true") return false
  setAttribute(control, "aria-disabled", "true")
  showProblem(line, null)
  try {
    await run()
    return true
  } catch (error) {
    showProblem(line, error)
    return false
  } finally {
    setAttribute(control, "aria-disabled", null)
  }
}

/** `about` tells screen readers which of many it is. `run` may be asynchronous; its errors go to `line`. */
export function button(text, line, run, { about = "", style = "" } = {}) {
  const node = el("button", { type: "button", class: `button ${style}`.trim() }, text)
  if (about) setAttribute(node, "aria-label", `${text}: ${about}`)
  node.addEventListener("click", () => whilePending(node, line, run))
  return node
}

/** Ask before something is done: true if the user wants it. `facts` are [name, value] pairs. */
export function confirmed({ title, facts = [], sentences = [], warning = "", yes, dangerous = false }) {
  const dialog = el("dialog", { class: "question", "aria-labelledby": "question", "aria-describedby": "question-text" })
  const text = el("div", { id: "question-text" })
  if (facts.length) {
    const rows = facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))
    text.append(el("dl", { class: "rows" }, ...rows))
  }
  if (warning) text.append(el("p", { class: "warning" }, warning))
  text.append(...sentences.map((sentence) => el("p", {}, sentence)))
  const no = el("button", { class: "button", value: "", autofocus: "" }, words.no)
  const go = el("button", { class: `button ${dangerous ? "dangerous" : "primary"}`, value: "yes" }, yes)
  dialog.append(
    el("h2", { id: "question" }, title), text, el("form", { method: "dialog", class: "actions" }, no, go)
  )
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove()
      resolve(dialog.returnValue === "yes")
    })
  })
}
