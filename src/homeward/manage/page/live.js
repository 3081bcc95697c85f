/* The state as it is now: asked for often while something moves, not at all while nobody looks. */
import { askFor, askState } from "./api.js"

const MOVING_MILLISECONDS = 1000
const CALM_MILLISECONDS = 4000

function moves(state) {
  return (
    state.searching ||
    state.in_use?.state === "loading" ||
    state.models.some((model) => model.state === "loading" || model.check === "checking") ||
    state.downloads.some((download) => ["downloading", "checking"].includes(download.state))
  )
}

/** `apply` gets each new state, `tell` whether the server answers. */
export function watch(apply, tell) {
  let timer = null
  let polling = false
  let age = 0 // counts the actions' answers: a look that began before one of them shows what was before it

  function taken(state) {
    tell(true)
    apply(state)
    return moves(state) ? MOVING_MILLISECONDS : CALM_MILLISECONDS
  }

  function plan(milliseconds) {
    clearTimeout(timer)
    if (!document.hidden) timer = setTimeout(look, milliseconds)
  }

  async function look() {
    if (polling) return
    polling = true
    const begun = age
    let state = null
    try {
      state = await askState()
    } catch {
      tell(false)
    }
    polling = false
    plan(state !== null && begun === age ? taken(state) : MOVING_MILLISECONDS)
  }

  document.addEventListener("visibilitychange", () => plan(0))
  look()

  return async function act(action, body) {
    const asking = askFor(action, body)
    plan(MOVING_MILLISECONDS) // it may take long, and be seen in the state meanwhile
    const state = await asking
    age += 1
    taken(state)
    plan(MOVING_MILLISECONDS) // what it began may show a moment later
  }
}
