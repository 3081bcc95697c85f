/* A policy in sentences. */
import { money, tokens } from "./format.js"
import { occasions } from "./policy-draft.js"
import { words } from "./words.js"

const text = words.policy

export function who({ name, host }) {
  return host ? `${name} (${host})` : name
}

/** When words go to a backend. */
export function whenTo(backend, policy, state, said) {
  const found = occasions(backend, policy, state)
  const [[kind]] = found
  if (kind === "never" || kind === "always") return text.clouds[kind](who(backend))
  return text.clouds.only(who(backend), phrases(found, said))
}

/** When words go to each of these backends under a preset alone, as pairs of their names and a phrase. */
export function meaningOf(backends, policy, state, said) {
  const names = new Map()
  for (const backend of backends) {
    const found = occasions(backend, policy, state).filter(([kind]) => kind !== "rule" && kind !== "chosen")
    const [[kind]] = found
    const always = { never: text.presets.never, always: text.presets.always }
    const meaning = always[kind] ?? text.presets.only(phrases(found, said))
    names.set(meaning, [...(names.get(meaning) ?? []), backend.name])
  }
  return [...names].map(([meaning, found]) => [text.list(found), meaning])
}

function phrases(found, said) {
  return text.clouds.occasions(found.map(([occasion, about]) => phrase(occasion, about, said)))
}

function phrase(occasion, about, said) {
  const when = text.clouds.when
  if (occasion === "complex") return when[about]
  if (occasion === "fallback") return when.fallback(text.list(about.map((place) => said.places[place])))
  if (occasion === "rule") return when.rule(about)
  return when[occasion]
}

/** The conditions of a rule, each as a phrase. */
export function conditions(when, said, currency) {
  const told = text.rules.said
  const named = (names, table) => text.list(names.map((name) => table[name] ?? name), true)
  const phrases = []
  if (when.task.length) phrases.push(told.task(named(when.task, said.tasks)))
  if (when.complexity.length) phrases.push(told.complexity(named(when.complexity, said.difficulties)))
  if (when.tokens_over !== null) phrases.push(told.tokens(tokens(when.tokens_over)))
  if (when.findings === true) phrases.push(told.found)
  else if (when.findings === false) phrases.push(told.foundNothing)
  else if (when.findings !== null) phrases.push(told.kinds(text.list(when.findings.map((kind) => kindName(kind, said)), true)))
  if (when.attachments !== null) phrases.push(when.attachments ? told.attached : told.notAttached)
  if (when.failed.length) phrases.push(told.failed(text.list(when.failed.map((name) => target(name, said)))))
  if (when.hours !== null) phrases.push(told.hours(...when.hours.split("-")))
  if (when.days.length) phrases.push(told.days(named(when.days, text.rules.weekdays)))
  if (when.spent_over !== null) phrases.push(told.spent(money(when.spent_over, currency)))
  return phrases
}

/** A place by its name, a backend as it is called. */
export function target(name, said) {
  return said.places[name] ?? name
}

/** A kind of finding; the user's own pattern by its name. */
export function kindName(kind, said) {
  return said.kinds[kind] ?? kind.replace(/^custom:/, "")
}
