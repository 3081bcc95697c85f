/* Where words may go: each backend outside this device, when it is asked, and whether the user agreed. */
import { button, confirmed, problemLine } from "./controls.js"
import { el, list, setAttribute, setText, show } from "./dom.js"
import { bytes, money } from "./format.js"
import { outside } from "./policy-draft.js"
import { whenTo, who } from "./policy-said.js"
import { setSentence, words } from "./words.js"

const text = words.policy.clouds

const EXAMPLE = `[clouds.azure]
kind = "azure"
url = "https://YOUR-NAME.openai.azure.com"
model = "YOUR-DEPLOYMENT"

# what a million tokens cost, for the budget
input_price = 0.4
output_price = 1.6

[budget]
month = 10
`

export function cloudsSection(section, page, said) {
  const none = nothing()
  const cards = el("ul", { class: "cards" })
  const update = list(cards, (item) => cloudCard(item, page, said), ({ backend }) => backend.name)
  const left = el("p", { class: "muted left" })
  section.append(none.node, cards, left)
  return ({ state, draft }) => {
    const clouds = outside(state.backends)
    none.update(state, clouds.length === 0)
    update(clouds.map((backend) => ({ backend, state, policy: draft.policy, currency: state.budget.currency })))
    setText(left, text.left(state.left.requests, bytes(state.left.bytes_out)))
    show(left, clouds.length > 0 || state.left.requests > 0)
  }
}

/** What is said where there is no cloud, and how to add one. */
function nothing() {
  const file = el("code")
  const node = el("div", { class: "none" },
    el("p", { class: "banner good calm" }, text.none),
    el("details", { class: "card", open: "" },
      el("summary", {}, text.how),
      el("p", {}, text.add),
      el("p", { class: "muted" }, `${text.file}: `, file),
      el("pre", { tabindex: "0", "aria-label": text.file }, EXAMPLE),
      el("p", { class: "muted" }, `${text.key}: `, el("code", {}, "HOMEWARD_KEY_AZURE=…")),
      el("p", { class: "muted" }, `${text.test}: `, el("code", {}, "homeward backends test azure")),
      el("p", { class: "muted" }, text.more)))
  return {
    node,
    update(state, visible) {
      setText(file, state.file)
      show(node, visible)
    }
  }
}

function cloudCard({ backend: { name, host, place } }, page, said) {
  const line = problemLine()
  const status = el("span", { class: "status" })
  const reason = el("p", { class: "warning" })
  const when = el("p", { class: "when" })
  const detail = el("p", { class: "muted" })
  const consent = el("p", { class: "consent" })
  const options = { about: name }
  const agree = button(text.agree, line, () => askForConsent(name, host, page), { ...options, style: "primary" })
  const withdraw = button(text.withdraw, line, () => page.agree(name, false), options)
  const node = el("li", { class: "card", "data-home": "" },
    el("div", { class: "head" },
      el("h3", { tabindex: "-1" }, name), el("span", { class: "badge", "data-place": place }, text.places[place]), status),
    when, detail, reason,
    el("div", { class: "line agreement" }, consent, agree, withdraw), line)
  return {
    node,
    update({ backend, state, policy, currency }) {
      setText(when, whenTo(backend, policy, state, said))
      setText(status, text.states[backend.state])
      setAttribute(status, "data-state", backend.state)
      setSentence(reason, backend.reason)
      show(reason, Boolean(backend.reason))
      setText(detail, [backend.model, price(backend, currency)].filter(Boolean).join(" · "))
      setText(consent, backend.consented ? text.given : text.missing)
      setAttribute(consent, "data-given", backend.consented)
      show(agree, !backend.consented)
      show(withdraw, backend.consented)
    }
  }
}

function price({ place, input_price: input, output_price: output }, currency) {
  if (input !== null && output !== null) return text.price(money(input, currency), money(output, currency))
  return place === "cloud" ? text.unknown : ""
}

async function askForConsent(name, host, page) {
  const asking = text.agreeing
  const wanted = await confirmed({
    title: asking.title(who({ name, host })), sentences: [asking.what(host || name), asking.kept, asking.back], yes: asking.yes
  })
  if (wanted) await page.agree(name, true)
}
