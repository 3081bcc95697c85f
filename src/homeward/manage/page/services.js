/* Model services that run on this machine beside Homeward. */
import { button, problemLine, whilePending } from "./controls.js"
import { el, list, setAttribute, setText, show } from "./dom.js"
import { tokens } from "./format.js"
import { setSentence, words } from "./words.js"

/** Returns the section's update, and `search()`. */
export function servicesSection(section, page) {
  const text = words.services
  const line = problemLine()
  const search = el("button", { type: "button", class: "button", "aria-describedby": "services-hint" }, text.search)
  const nothing = el("p", {}, text.nothing)
  const cards = el("ul", { class: "cards" })
  const services = list(cards, (service) => serviceCard(service, page), ({ url }) => url)
  const reasons = el("dl", { class: "rows" })
  const missing = list(reasons, missingRow, (_missing, index) => index)
  const why = el("details", { class: "why" }, el("summary", {}, text.why), reasons)
  section.append(
    el("div", { class: "card" }, el("p", { class: "muted", id: "services-hint" }, text.hint),
      el("div", { class: "actions" }, search), line, nothing, why),
    cards)

  const begin = () => whilePending(search, line, () => page.act("search"))
  search.addEventListener("click", begin)

  return {
    update(state) {
      setText(search, state.searching ? text.searching : state.searched ? text.again : text.search)
      setAttribute(section, "aria-busy", state.searching ? "true" : null)
      show(nothing, state.searched && !state.searching && state.services.length === 0)
      show(why, state.not_found.length > 0)
      services(state.services)
      missing(state.not_found)
    },
    search() {
      section.scrollIntoView()
      search.focus({ preventScroll: true })
      return begin()
    }
  }
}

function missingRow() {
  const title = el("dt")
  const reason = el("dd")
  return {
    node: el("div", {}, title, reason),
    update(missing) {
      setText(title, missing.title)
      setSentence(reason, missing.reason)
    }
  }
}

function serviceCard({ url }, page) {
  const title = el("h3", { tabindex: "-1" })
  const version = el("span", { class: "muted" })
  const nothing = el("p", { class: "muted" }, words.services.noModels)
  const rows = el("ul", { class: "models" })
  const models = list(rows, (model) => modelRow(model, page), ({ name }) => name)
  return {
    node: el("li", { class: "card", "data-home": "" },
      el("div", { class: "head" }, title, version), el("p", {}, el("code", {}, url)), nothing, rows),
    update(service) {
      setText(title, service.title)
      setText(version, service.version)
      show(nothing, service.models.length === 0)
      models(service.models)
    }
  }
}

function modelRow({ name, id }, { act }) {
  const line = problemLine()
  const badge = el("span", { class: "badge" }, words.here.answers)
  const detail = el("span", { class: "muted" })
  const use = button(words.use, line, () => act("use", { name }), { about: id })
  return {
    node: el("li", {}, el("div", { class: "row" }, el("span", { class: "name" }, id), badge, detail, use), line),
    update(model) {
      show(badge, model.in_use)
      show(use, !model.in_use)
      setText(detail, [words.services.loaded[model.loaded], tokens(model.context_tokens)].filter(Boolean).join(" · "))
    }
  }
}
