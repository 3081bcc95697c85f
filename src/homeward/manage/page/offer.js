/* One variant of a model in the catalogue. */
import { button, confirmed, problemLine } from "./controls.js"
import { el, setText, show } from "./dom.js"
import { size, tokens } from "./format.js"
import { setSentence, words } from "./words.js"

export function offerRow(offer, { act, diskFree }) {
  const line = problemLine()
  const columns = words.catalogue.columns
  const fit = el("span", { class: "fit", "data-fits": offer.fits }, words.fits[offer.fits])
  const place = el("span", { class: "muted" })
  const download = button(words.catalogue.download, line, () => begin(offer, act, diskFree), { about: offer.variant })
  const name = el("th", { scope: "row", role: "rowheader" },
    el("span", { class: "name" }, offer.title), el("span", { class: "muted" }, `${offer.publisher} · ${offer.variant}`))
  const node = el("tr", { role: "row" }, name,
    cell(columns.license, offer.license || words.unknown),
    cell(columns.size, sizeWords(offer)),
    cell(columns.context, tokens(offer.context_tokens) || words.unknown),
    cell(columns.device, ...deviceWords(offer)),
    cell(columns.tools, words.tools[offer.calls_tools]),
    cell(columns.memory, el("span", {}, words.about(size(offer.memory_bytes))), fit),
    cell("", download, place, line))
  return {
    node,
    update({ progress }) {
      show(download, progress === "")
      setText(place, words.catalogue.progress[progress] ?? "")
    }
  }
}

function cell(column, ...content) {
  return el("td", { role: "cell", "data-column": column }, ...content)
}

function sizeWords(offer) {
  return offer.size_bytes ? size(offer.size_bytes) : words.unknown
}

function deviceWords({ device, provider }) {
  const name = el("span", {}, words.devices[device] ?? device)
  return device === "cpu" ? [name] : [name, el("span", { class: "muted" }, provider.replace(/ExecutionProvider$/, ""))]
}

async function begin(offer, act, diskFree) {
  const text = words.catalogue.downloading
  const free = diskFree()
  const facts = words.facts
  const fit = el("span")
  setSentence(fit, offer.fits_sentence)
  const wanted = await confirmed({
    title: text.title(offer.title),
    facts: [
      [facts.size, sizeWords(offer)],
      [facts.license, offer.license || words.unknown],
      [facts.memory, fit],
      [text.disk, size(free)]
    ],
    warning: offer.size_bytes > free ? text.noRoom : offer.fits ? "" : text.tooLarge,
    sentences: [text.what, words.catalogue.sent],
    yes: words.catalogue.download
  })
  if (wanted) await act("download", { variant: offer.variant })
}
