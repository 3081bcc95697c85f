/* What the user's policy means for the page: what the welcome may promise, and this month's spend in the header.
   Asks this Homeward alone. */
const korean = navigator.language.startsWith("ko")
const words = korean
  ? {
      homeFirst: (names) => `답변은 이 기기에서 만듭니다. ${names}에는 정책이 정한 때에만 묻습니다.`,
      byPolicy: (names) => `정책에 따라 이 기기나 ${names}에서 답합니다.`,
      unknown: "정책이 정한 곳에서 답하며, 각 답변에 그곳이 표시됩니다.",
      spent: (spent, month) => (month ? `${spent} / ${month}` : spent),
      label: "이번 달 클라우드 비용", all: "예산을 모두 써서 클라우드에 묻지 않습니다."
    }
  : {
      homeFirst: (names) => `Answers come from this device. ${names} is asked only as your policy says.`,
      byPolicy: (names) => `Answers come from this device or from ${names}, as your policy says.`,
      unknown: "Answers come from where your policy says; each one says where.",
      spent: (spent, month) => (month ? `${spent} of ${month}` : spent),
      label: "Spent on clouds this month", all: "The budget is spent: no cloud is asked."
    }

const SECONDS = 15
const PRESETS = {
  "local-only": ["device"], "local-first": ["device", "network", "cloud"], "by-task": ["device", "network", "cloud"],
  "cloud-first": ["cloud", "network", "device"]
}
let state = null

/** The sentence about where answers come from; empty where nothing may leave this device. */
export function mayLeave() {
  if (!state) return document.querySelector("#mode-picker-trigger-mode") ? words.unknown : ""
  const { policy } = state
  const places = policy.places ?? PRESETS[policy.preset] ?? []
  const away = state.backends.filter((each) => each.place !== "device" && places.includes(each.place))
  if (!away.length) return ""
  const names = new Intl.ListFormat(navigator.language, { type: "disjunction" }).format(away.map((each) => each.name))
  const homeFirst = places[0] === "device" && policy.preset !== "by-task" && !policy.rules?.length &&
    policy.complex_from === "never"
  return homeFirst ? words.homeFirst(names) : words.byPolicy(names)
}

function money(amount, currency) {
  try {
    return new Intl.NumberFormat(navigator.language, { style: "currency", currency }).format(amount)
  } catch {
    return `${amount.toFixed(2)} ${currency}` // not a currency that the browser knows
  }
}

function showSpend() {
  const anchor = document.querySelector("#readme-button") ?? document.querySelector("#theme-toggle")
  const { month, currency } = state?.budget ?? {}
  const shown = state && (month != null || state.spent > 0)
  let chip = document.querySelector(".homeward-spend")
  if (!anchor || !shown) {
    chip?.remove()
    return
  }
  const left = month == null || state.spent < month
  const text = words.spent(money(state.spent, currency), month == null ? "" : money(month, currency))
  const key = `${text} ${left}`
  if (chip?.dataset.key === key) return
  chip?.remove()
  chip = document.createElement("a")
  chip.className = "homeward-spend"
  chip.href = "/policy"
  chip.title = left ? words.label : words.all
  chip.setAttribute("aria-label", `${words.label}: ${text}. ${left ? "" : words.all}`)
  chip.dataset.key = key
  chip.dataset.spent = left ? "some" : "all"
  if (month) {
    const bar = Object.assign(document.createElement("span"), { className: "homeward-bar" })
    const part = document.createElement("span")
    part.style.width = `${Math.min(100, (100 * state.spent) / month)}%`
    bar.append(part)
    chip.append(bar)
  }
  chip.append(Object.assign(document.createElement("span"), { className: "homeward-spend-words", textContent: text }))
  anchor.parentElement.insertBefore(chip, anchor.parentElement.querySelector(".homeward-model") ?? anchor)
}

/** Called by models.js whenever the page has changed. */
export function look() {
  if (state) showSpend()
}

async function ask() {
  try {
    if (!document.hidden) {
      const response = await fetch("/policy/state")
      if (response.ok && response.headers.get("content-type")?.startsWith("application/json")) {
        state = await response.json()
        look()
      }
    }
  } catch {
    // Homeward is away; Chainlit's page says so
  }
  setTimeout(ask, SECONDS * 1000)
}
ask()
