/* The server as the page asks it. */
import { words } from "./words.js"

const STATE_MILLISECONDS = 10_000

/** What went wrong: the server's sentences for the user. */
export class Refusal extends Error {
  constructor({ message, next_step: nextStep, fields = [] }) {
    super(message)
    this.sentences = [message, nextStep].filter(Boolean)
    this.fields = fields
  }
}

/** What went wrong, in the page's own words. */
export class Problem extends Error {}

async function ask(address, options = {}) {
  let response
  try {
    response = await fetch(address, { cache: "no-store", redirect: "error", ...options })
  } catch {
    throw new Problem(words.problems.unreachable)
  }
  let content
  try {
    content = await response.json()
  } catch {
    throw new Problem(response.ok ? words.problems.unreachable : words.problems.internal)
  }
  if (!response.ok) throw new Refusal(content.error)
  return content
}

function send(address, body, options = {}) {
  const headers = { "content-type": "application/json" }
  return ask(address, { method: "POST", headers, body: JSON.stringify(body), ...options })
}

export function askState() {
  return ask("/models/state", { signal: AbortSignal.timeout(STATE_MILLISECONDS) })
}

export function askCatalogue() {
  return ask("/models/catalogue")
}

/** The state after an action. */
export function askFor(action, body = {}) {
  return send(`/models/${action}`, body)
}

export function askPolicy() {
  return ask("/policy/state")
}

/** What the policy page says in the program's own words. */
export function askPolicyWords() {
  return ask(`/policy/words?language=${words.language}`)
}

/** The policy's state once it is saved. */
export function savePolicy({ policy, privacy, budget }) {
  return send("/policy", { policy, privacy, budget })
}

/** The policy's state once the user has agreed that words go to a backend, or no longer does. */
export function tellConsent(backend, given) {
  return send("/policy/consent", { backend, given })
}

/** Why a prompt would be answered where. */
export function askWhy(prompt, mode, signal) {
  return send("/policy/explain", { prompt, mode, language: words.language }, { signal })
}
