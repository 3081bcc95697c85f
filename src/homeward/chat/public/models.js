/* Which model answers, in the page's header, and what there is to know about it. Asks this Homeward alone. */
import { look as lookAtPolicy, mayLeave } from "/public/policy.js"

const korean = navigator.language.startsWith("ko")
const words = korean
  ? {
      models: "모델", ready: "준비됨", loading: "불러오는 중", stopped: "쉬는 중", failed: "문제 있음", absent: "모델 없음",
      service: "서비스", of: (a, b) => `${a} / 약 ${b}`,
      promise: "답변은 이 기기의 모델이 만듭니다. 여러분의 글은 이 컴퓨터를 떠나지 않습니다.",
      promiseService: (name) => `이 컴퓨터의 ${name}이(가) 답합니다. Homeward는 여러분의 글을 그곳에만 보냅니다.`,
      small: "지금은 함께 제공되는 작은 모델이라 자주 틀립니다.", better: "더 나은 모델 고르기",
      switchable: (name) => `${name}을(를) 쓸 준비가 되었습니다.`, use: "사용하기", later: "나중에", look: "모델 보기",
      missing: (name) => `${name}이(가) 답해야 하지만 이 컴퓨터에 없습니다. 그동안 다른 모델이 답합니다.`,
      nobody: "답할 수 있는 모델이 없습니다.", policy: "정책 보기",
      orInTab: "글이 이 탭도 떠나지 않게 하려면:", inTab: "브라우저 안의 비공개 채팅"
    }
  : {
      models: "Models", ready: "ready", loading: "loading", stopped: "at rest", failed: "has a problem",
      absent: "no model", service: "service", of: (a, b) => `${a} of about ${b}`,
      promise: "A model on this device answers. Your words do not leave this computer.",
      promiseService: (name) => `${name} on this computer answers. Homeward sends your words there and nowhere else.`,
      small: "It is the small one that Homeward comes with, and often wrong.", better: "Choose a better model",
      switchable: (name) => `${name} is ready to answer.`, use: "Use it", later: "Not now", look: "See models",
      missing: (name) => `${name} should answer, but is not on this computer. Another model answers meanwhile.`,
      nobody: "There is no model that can answer.", policy: "Your policy",
      orInTab: "For words that don’t even leave this tab:", inTab: "Private chat in the browser"
    }

const SLOW = 4000
const FAST = 1000
let state = null
let dismissed = ""

function size(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}

/** The words of the state: while loading, how much is in memory. */
function stateWords(used) {
  if (used.state === "loading" && used.memory_bytes && used.expected_bytes) {
    return `${words.loading} (${words.of(size(used.memory_bytes), size(used.expected_bytes))})`
  }
  return words[used.state] ?? used.state
}

function showChip() {
  const anchor = document.querySelector("#readme-button") ?? document.querySelector("#theme-toggle")
  if (!anchor) return
  let chip = document.querySelector(".homeward-model")
  if (!chip) {
    chip = element("a", "homeward-model")
    chip.href = "/models"
    chip.append(element("span", "homeward-model-dot"), element("span", "homeward-hidden", `${words.models}: `),
      element("span", "homeward-model-name"), element("span", "homeward-model-state"))
    anchor.parentElement.insertBefore(chip, anchor)
  }
  const used = state.in_use ?? { model: words.models, state: "absent" }
  const said = stateWords(used)
  if (chip.dataset.said === `${used.model} ${said}`) return
  chip.dataset.said = `${used.model} ${said}`
  chip.dataset.state = used.state
  chip.title = used.sentence ?? ""
  chip.querySelector(".homeward-model-name").textContent = used.model
  chip.querySelector(".homeward-model-state").textContent = said
}

/** What the user may want to know or decide: [key, sentence, offers]; null for nothing. */
function news() {
  if (state.ready_to_switch) return [`switch ${state.ready_to_switch}`, words.switchable(state.ready_to_switch), true]
  if (state.missing) return [`missing ${state.missing}`, words.missing(state.missing), false]
  if (!state.in_use) return ["nobody", words.nobody, false]
  return state.notice ? [state.notice, state.notice, false] : null
}

function showNews() {
  const [key, sentence, offers] = news() ?? []
  let bar = document.querySelector(".homeward-news")
  if (!key || key === dismissed) {
    bar?.remove()
    return
  }
  if (bar?.dataset.key === key) return
  bar?.remove()
  bar = element("div", "homeward-news")
  bar.dataset.key = key
  bar.setAttribute("role", "status")
  bar.append(element("span", "", sentence))
  const button = (label, act) => {
    const made = element("button", "", label)
    made.type = "button"
    made.addEventListener("click", act)
    bar.append(made)
  }
  if (offers) button(words.use, () => post("use", { name: state.ready_to_switch }))
  else {
    const link = element("a", "", words.look)
    link.href = "/models"
    bar.append(link)
  }
  button(words.later, () => {
    dismissed = key
    post("later", {})
  })
  document.body.append(bar)
}

/** The lines under the welcome's heading; homeward.js makes the place. */
function showPromise() {
  const place = document.querySelector(".homeward-promise")
  if (!place) return
  const used = state.in_use
  const policy = mayLeave()
  const starter = state.models.some((model) => model.in_use && model.source === "starter")
  const key = `${used?.state === "service" ? used.backend : ""} ${starter} ${policy}`
  if (place.dataset.key === key) return
  place.dataset.key = key
  const title = state.services.find((service) => service.kind === used?.backend)?.title ?? used?.backend
  const here = used?.state === "service" ? words.promiseService(title) : words.promise
  const lines = [element("p", "", policy || here)]
  if (policy) {
    const link = element("a", "", words.policy)
    link.href = "/policy"
    lines[0].append(" ", link)
  }
  if (starter) {
    const line = element("p", "", `${words.small} `)
    const link = element("a", "", words.better)
    link.href = "/models"
    line.append(link)
    lines.push(line)
  }
  const inTab = element("a", "", words.inTab)
  inTab.href = "/browser/chat/"
  const last = element("p", "", `${words.orInTab} `)
  last.append(inTab)
  place.replaceChildren(...lines, last)
}

/** Called by homeward.js whenever the page has changed. */
export function look() {
  lookAtPolicy()
  if (!state) return
  showChip()
  showNews()
  showPromise()
}

async function post(what, body) {
  const response = await fetch(`/models/${what}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body)
  })
  if (response.ok) {
    state = await response.json()
    look()
  }
}

async function ask() {
  try {
    if (!document.hidden) {
      const response = await fetch("/models/state")
      if (response.ok) {
        state = await response.json()
        look()
      }
    }
  } catch {
    // Homeward is away; Chainlit's page says so
  }
  const busy = state?.in_use?.state === "loading" || state?.downloads.some((each) => each.state !== "done")
  setTimeout(ask, busy ? FAST : SLOW)
}
ask()
