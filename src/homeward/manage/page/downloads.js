/* Downloads: how far they are, and how they ended. */
import { button, problemLine } from "./controls.js"
import { el, list, progressBar, setAttribute, setText, show } from "./dom.js"
import { percent, size, speed, timeLeft } from "./format.js"
import { setSentence, words } from "./words.js"

export function downloadsSection(section, page) {
  const rows = el("ul", { class: "cards" })
  const update = list(rows, (download) => downloadCard(download, page), ({ variant }) => variant)
  section.append(rows)
  return (state) => {
    show(section, state.downloads.length > 0)
    update(state.downloads.map((download) => ({ ...download, inUse: state.in_use?.model === download.name })))
  }
}

function downloadCard({ variant, title, alias }, { act }) {
  const line = problemLine()
  const options = { about: title }
  const body = { variant }
  let name = ""
  const bar = progressBar(title)
  const status = el("p", { class: "line" })
  const repaired = el("p", { class: "warning" }, words.downloads.repaired)
  const problem = el("p", { class: "warning" })
  const use = button(words.use, line, () => act("use", { name }), { ...options, style: "primary" })
  const goOn = button(words.downloads.goOn, line, () => act("download", body), { ...options, style: "primary" })
  const cancel = button(words.cancel, line, () => act("cancel", body), options)
  const dismiss = button(words.dismiss, line, () => act("dismiss", body), options)
  const node = el("li", { class: "card", "data-home": "" },
    el("div", { class: "head" },
      el("h3", { tabindex: "-1" }, title, " ", el("span", { class: "muted" }, title === alias ? "" : alias)),
      el("div", { class: "actions" }, use, goOn, cancel, dismiss)),
    bar.node, status, repaired, problem, line)
  return {
    node,
    update(download) {
      const { state } = download
      name = download.name
      const moving = state === "downloading" || state === "checking"
      const over = state === "cancelled" || state === "failed"
      setAttribute(node, "data-state", state)
      setText(status, statusWords(download))
      show(bar.node, moving || (over && download.arrived_bytes > 0))
      bar.update(...progress(download))
      show(repaired, download.repaired && moving)
      setSentence(problem, download.problem)
      show(problem, Boolean(download.problem))
      show(use, state === "done" && !download.inUse)
      show(goOn, over)
      show(cancel, moving)
      show(dismiss, !moving)
    }
  }
}

function progress({ state, checked, arrived_bytes: arrived, size_bytes: whole }) {
  if (state === "checking") return [checked, percent(checked)]
  if (!whole) return [null, words.downloads.states.downloading]
  return [arrived / whole, `${percent(Math.min(1, arrived / whole))}, ${words.of(size(arrived), size(whole))}`]
}

function statusWords(download) {
  const { state, arrived_bytes: arrived, size_bytes: whole } = download
  const text = words.downloads.states
  if (state === "checking") return `${text.checking} ${percent(download.checked)}`
  if (state === "done") return text.done(download.name)
  if (state === "cancelled") return [text.cancelled, arrived ? words.downloads.kept(size(arrived)) : ""].join(" ").trim()
  if (state === "failed") return text.failed
  if (!whole) return text.downloading
  const parts = [words.of(size(arrived), size(whole))]
  if (download.bytes_per_second) parts.push(speed(download.bytes_per_second))
  if (download.seconds_left !== null) parts.push(timeLeft(download.seconds_left))
  return parts.join(" · ")
}
