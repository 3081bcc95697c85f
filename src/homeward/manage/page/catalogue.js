/* What can be downloaded: looked at only when the user asks for it. */
import { askCatalogue } from "./api.js"
import { problemLine, whilePending } from "./controls.js"
import { el, list, setAttribute, setText, show } from "./dom.js"
import { offerRow } from "./offer.js"
import { setSentence, words } from "./words.js"

/** Returns the section's update, and `look(word)` that opens the catalogue with this word as its filter. */
export function catalogueSection(section, page) {
  const text = words.catalogue
  const line = problemLine()
  const open = el("button", { type: "button", class: "button primary", "aria-describedby": "catalogue-hint" }, text.look)
  const hint = el("p", { class: "muted", id: "catalogue-hint" }, `${text.hint} ${text.sent}`)
  const shelf = offers(page)
  const body = el("div", { class: "card" }, hint, el("div", { class: "actions" }, open), line, shelf.node)
  section.append(body)

  async function fetchOffers() {
    setAttribute(section, "aria-busy", "true")
    setText(open, text.looking)
    try {
      shelf.fill(await askCatalogue())
    } finally {
      setAttribute(section, "aria-busy", null)
      setText(open, shelf.isFilled() ? text.lookAgain : text.look)
      setAttribute(open, "class", shelf.isFilled() ? "button" : "button primary")
    }
  }

  open.addEventListener("click", () => whilePending(open, line, fetchOffers))

  return {
    update: shelf.update,
    async look(word) {
      shelf.filterBy(word)
      section.scrollIntoView()
      if (!shelf.isFilled()) await whilePending(open, line, fetchOffers)
      if (shelf.isFilled()) shelf.focus()
    }
  }
}

/** The filter and the table. */
function offers(page) {
  const text = words.catalogue
  const filter = el("input", { type: "search", id: "filter", autocomplete: "off", spellcheck: "false" })
  const fitting = el("input", { type: "checkbox", id: "fitting" })
  const count = el("p", { class: "muted", role: "status" })
  const sentence = el("p", { class: "warning" })
  const rows = el("tbody", { role: "rowgroup" })
  const table = el("table", { role: "table", "aria-labelledby": "catalogue-title" }, tableHead(), rows)
  const update = list(rows, (offer) => offerRow(offer, page), ({ variant }) => variant)
  const node = el("div", { class: "offers" },
    el("div", { class: "filters" },
      el("label", { for: "filter" }, text.filter), filter,
      el("label", { class: "check" }, fitting, " ", text.onlyFitting)),
    count, sentence, table)
  let catalogue = null
  let state = null

  function draw() {
    show(node, catalogue !== null)
    if (catalogue === null) return
    const terms = filter.value.toLowerCase().split(/\s+/)
    const shown = catalogue.offers.filter((offer) => matches(offer, terms) && (offer.fits || !fitting.checked))
    setText(count, text.count(shown.length, catalogue.offers.length))
    setSentence(sentence, catalogue.sentence)
    show(sentence, Boolean(catalogue.sentence))
    show(count, catalogue.offers.length > 0)
    show(table, shown.length > 0)
    update(shown.map((offer) => ({ ...offer, progress: progressOf(offer, state) })))
  }

  filter.addEventListener("input", draw)
  fitting.addEventListener("change", draw)
  show(node, false)
  return {
    node,
    isFilled: () => catalogue !== null,
    fill(given) {
      catalogue = given
      draw()
    },
    update(given) {
      state = given
      draw()
    },
    filterBy(word) {
      filter.value = word
      fitting.checked = false
      draw()
    },
    focus: () => filter.focus({ preventScroll: true })
  }
}

function tableHead() {
  const cells = Object.entries(words.catalogue.columns).map(([key, name]) =>
    el("th", { scope: "col", role: "columnheader" }, el("span", { class: key === "action" ? "unseen" : "" }, name)))
  return el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...cells))
}

function matches(offer, terms) {
  const text = [offer.title, offer.alias, offer.variant, offer.publisher, offer.license].join(" ").toLowerCase()
  return terms.every((term) => text.includes(term))
}

/** `moving`, `here` or empty. */
function progressOf(offer, state) {
  const download = state.downloads.find(({ variant }) => variant === offer.variant)
  if (download && ["downloading", "checking"].includes(download.state)) return "moving"
  const isListed = state.models.some(({ source, name }) => source === "catalogue" && name === offer.alias)
  return isListed && (offer.downloaded || download?.state === "done") ? "here" : ""
}
