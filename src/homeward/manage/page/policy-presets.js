/* Who answers: the preset, how demanding a request must look for the cloud, and the order of places. */
import { button, problemLine } from "./controls.js"
import { el, list, setAttribute, setText, show } from "./dom.js"
import { outside, placesOf } from "./policy-draft.js"
import { meaningOf } from "./policy-said.js"
import { words } from "./words.js"

const text = words.policy.presets
const PLACES = ["device", "network", "cloud"]

export function presetsSection(section, page, said) {
  const cards = el("div", { class: "presets", role: "radiogroup", "aria-labelledby": "presets-title" })
  const presets = Object.keys(said.presets).map((name) => presetCard(name, page, said))
  cards.append(...presets.map(({ node }) => node))
  const parts = [complexity(page), order(page, said), hedge(page)]
  section.append(cards, el("div", { class: "card more" }, ...parts.map(({ node }) => node)))
  return (given) => [...presets, ...parts].forEach(({ update }) => update(given))
}

function presetCard(name, page, said) {
  const radio = el("input", {
    type: "radio", name: "preset", value: name, "aria-label": text.names[name], "aria-describedby": `preset-${name}`
  })
  const clouds = el("ul", { class: "meaning" })
  const meanings = list(clouds, meaningItem, (_meaning, index) => index)
  radio.addEventListener("change", () => page.change(({ policy }) => {
    policy.preset = name
  }))
  return {
    node: el("label", { class: "card preset" },
      el("span", { class: "choice" }, radio, el("span", { class: "name" }, text.names[name])),
      el("span", { id: `preset-${name}` }, said.presets[name]), clouds),
    update({ state, draft: { policy } }) {
      radio.checked = policy.preset === name
      const backends = outside(state.backends)
      meanings(meaningOf(backends, { ...policy, preset: name }, state, said))
      show(clouds, backends.length > 0)
    }
  }
}

function meaningItem() {
  const names = el("b")
  const phrase = el("span")
  return {
    node: el("li", {}, names, ": ", phrase),
    update([backends, meaning]) {
      setText(names, backends)
      setText(phrase, meaning)
    }
  }
}

function complexity(page) {
  const options = Object.entries(text.complexities).map(([value, name]) => el("option", { value }, name))
  const select = el("select", { id: "complex" }, ...options)
  select.addEventListener("change", () => page.change(({ policy }) => {
    policy.complex_from = select.value
  }))
  const node = el("div", { class: "field" }, el("label", { for: "complex" }, text.complex), select)
  return {
    node,
    update({ draft: { policy } }) {
      select.value = policy.complex_from
      show(node, policy.preset === "local-first")
    }
  }
}

function order(page, said) {
  const line = problemLine()
  const rows = el("ol", { class: "order" })
  const update = list(rows, ({ place }) => placeRow(place, page, said, line), ({ place }) => place)
  const reset = button(text.asPreset, line, () => page.change(({ policy }) => {
    policy.places = null
  }))
  const node = el("details", { class: "places" },
    el("summary", {}, text.more), el("p", { class: "muted" }, text.order), rows, el("div", { class: "actions" }, reset), line)
  return {
    node,
    update({ state, draft: { policy } }) {
      const places = placesOf(policy, state)
      const rest = PLACES.filter((place) => !places.includes(place))
      update([...places, ...rest].map((place) => ({ place, places, preset: state.orders[policy.preset] })))
      show(reset, policy.places !== null)
    }
  }
}

function placeRow(place, page, said, line) {
  let places = []
  let preset = []
  const change = (wanted) => page.change(({ policy }) => {
    policy.places = String(wanted) === String(preset) ? null : wanted
  })
  const may = el("input", { type: "checkbox", "aria-label": text.may(said.places[place]) })
  may.addEventListener("change", () => change(may.checked ? [...places, place] : places.filter((each) => each !== place)))
  const move = (by) => {
    const wanted = places.filter((each) => each !== place)
    wanted.splice(places.indexOf(place) + by, 0, place)
    change(wanted)
  }
  const up = button("↑", line, () => move(-1), { style: "small" })
  const down = button("↓", line, () => move(1), { style: "small" })
  setAttribute(up, "aria-label", `${words.policy.up}: ${said.places[place]}`)
  setAttribute(down, "aria-label", `${words.policy.down}: ${said.places[place]}`)
  return {
    node: el("li", { class: "row" }, el("label", { class: "check" }, may, said.places[place]), up, down),
    update(given) {
      ({ places, preset } = given)
      const rank = places.indexOf(place)
      may.checked = rank >= 0
      may.disabled = rank >= 0 && places.length === 1
      setAttribute(up, "disabled", rank <= 0 ? "" : null)
      setAttribute(down, "disabled", rank < 0 || rank === places.length - 1 ? "" : null)
    }
  }
}

function hedge(page) {
  const box = el("input", { type: "checkbox", id: "hedge", "aria-describedby": "hedge-hint" })
  box.addEventListener("change", () => page.change(({ policy }) => {
    policy.hedge = box.checked
  }))
  return {
    node: el("div", {}, el("label", { class: "check" }, box, text.hedge), el("p", { class: "muted", id: "hedge-hint" }, text.hedgeHint)),
    update({ draft }) {
      box.checked = draft.policy.hedge
    }
  }
}
