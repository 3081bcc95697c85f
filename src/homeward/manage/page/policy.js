/* The policy page: the rules in force, and a draft of them that counts once it is saved. */
import { Refusal, askPolicy, askPolicyWords, savePolicy, tellConsent } from "./api.js"
import { showProblem } from "./controls.js"
import { setText, show } from "./dom.js"
import { budgetSection } from "./policy-budget.js"
import { cloudsSection } from "./policy-clouds.js"
import { copyOf, differ } from "./policy-draft.js"
import { presetsSection } from "./policy-presets.js"
import { privacySection } from "./policy-privacy.js"
import { rulesSection } from "./policy-rules.js"
import { savingBar } from "./policy-saving.js"
import { whySection } from "./policy-why.js"
import { fillPage, setSentence, words } from "./words.js"

const at = (id) => document.getElementById(id)

fillPage(words.policy.title)

let state = null
let draft = null
let problems = []
let drawings = []

/** What sections can do. */
const page = {
  change(how) {
    how(draft)
    problems = []
    draw()
  },
  async agree(backend, given) {
    state = await tellConsent(backend, given)
    draw()
  },
  async save() {
    problems = []
    try {
      taken(await savePolicy(draft))
      say(words.policy.saving.saved(state.file))
    } catch (error) {
      if (error instanceof Refusal) problems = error.fields
      throw error
    } finally {
      draw()
      document.querySelector("main .problem:not(:empty)")?.scrollIntoView({ block: "center" })
    }
  },
  discard() {
    problems = []
    taken(state)
    draw()
    say(words.policy.saving.discarded)
  }
}

function say(sentence) {
  setText(at("announcer"), sentence)
}

function taken(newest) {
  state = newest
  draft = copyOf(state)
}

function draw() {
  const changed = differ(draft, state)
  for (const drawing of drawings) drawing({ state, draft, changed, problems })
  at("form").disabled = !state.editable
  lock()
}

function lock() {
  const reason = document.createElement("span")
  setSentence(reason, state.locked)
  at("locked").replaceChildren(reason, " ", words.policy.locked(state.file))
  show(at("locked"), !state.editable)
}

/** The newest state; what the user is changing stays. */
async function look() {
  const newest = await askPolicy()
  if (draft === null || !differ(draft, state)) taken(newest)
  else state = newest
  show(at("trouble"), false)
}

async function begin() {
  const [said] = await Promise.all([askPolicyWords(), look()])
  drawings = [
    cloudsSection(at("clouds"), page, said),
    presetsSection(at("presets"), page, said),
    rulesSection(at("rules"), page, said),
    privacySection(at("privacy"), page, said),
    budgetSection(at("budget"), page),
    whySection(at("why"), said),
    savingBar(at("saving"), page)
  ]
  draw()
  show(at("sections"), true)
}

function tell(error) {
  showProblem(at("trouble"), error)
  show(at("trouble"), true)
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && draft !== null) look().then(draw, tell)
})
window.addEventListener("beforeunload", (event) => {
  if (draft !== null && differ(draft, state)) event.preventDefault()
})

begin().catch(tell)
