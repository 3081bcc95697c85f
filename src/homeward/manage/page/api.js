/* The server as the page asks it. */
import { words } from "./words.js"

const STATE_MILLISECONDS = 10_000

/** What went wrong: the server's sentences for the user. */
export class Refusal extends Error {
  constructor({ message, next_step: nextStep }) {
    super(message)
    this.sentences = [message, nextStep].filter(Boolean)
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

export function askState() {
  return ask("/models/state", { signal: AbortSignal.timeout(STATE_MILLISECONDS) })
}

export function askCatalogue() {
  return ask("/models/catalogue")
}

/** The state after an action. */
export function askFor(action, body = {}) {
  const headers = { "content-type": "application/json" }
  return ask(`/models/${action}`, { method: "POST", headers, body: JSON.stringify(body) })
}
