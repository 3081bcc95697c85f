/* What changed, in words for those who don't see it: states only, never each percent. */
import { setText } from "./dom.js"
import { words } from "./words.js"

export function announcer(node) {
  let before = null
  return (state) => {
    const sentences = before === null ? [] : changes(before, state)
    before = state
    if (sentences.length) setText(node, sentences.join(" "))
  }
}

export function changes(before, after) {
  return [...answering(before, after), ...downloads(before, after), ...models(before, after), ...search(before, after)]
}

function answering({ in_use: before }, { in_use: after }) {
  if (after === null || (before?.model === after.model && before.state === after.state)) return []
  const say = words.announced[after.state]
  return say ? [say(after.model)] : []
}

function downloads(before, after) {
  const states = new Map(before.downloads.map(({ variant, state }) => [variant, state]))
  return after.downloads
    .filter(({ variant, state }) => states.get(variant) !== state)
    .map(({ title, state }) => words.announced.downloads[state](title))
}

function models(before, after) {
  const known = new Map(before.models.map((model) => [model.name, model]))
  const names = new Set(after.models.map(({ name }) => name))
  const said = before.models.filter(({ name }) => !names.has(name)).map(({ title }) => words.announced.removed(title))
  for (const { name, title, check } of after.models) {
    const earlier = known.get(name)
    if (!earlier) said.push(words.announced.added(title))
    else if (earlier.check === "checking" && check !== "checking") said.push(words.announced.checks[check](title))
  }
  return said
}

function search(before, after) {
  return before.searching && !after.searching ? [words.announced.searched(after.services.length)] : []
}
