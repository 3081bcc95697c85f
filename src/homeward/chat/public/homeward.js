/* What Chainlit's page lacks: names for its controls, announced answers, a welcome. */
(() => {
  "use strict"
  const korean = navigator.language.startsWith("ko")
  const words = korean
    ? {
        composer: "메시지", send: "보내기", stop: "답변 중지", edit: "메시지 수정", editor: "수정할 메시지",
        sidebar: "대화 목록 열기/닫기", search: "대화 검색", newChat: "새 대화", theme: "테마 선택", readme: "도움말",
        options: "대화 메뉴", copy: "복사", good: "도움이 됨", bad: "도움이 안 됨", messages: "대화",
        writing: "답변을 작성하고 있습니다.", done: "답변이 끝났습니다.", scroll: "맨 아래로",
        mode: "답할 곳", asked: "결정이 필요합니다.", welcome: "무엇을 도와드릴까요?"
      }
    : {
        composer: "Message", send: "Send message", stop: "Stop answer", edit: "Edit message",
        editor: "Message to edit", sidebar: "Toggle list of chats", search: "Search chats", newChat: "New chat",
        theme: "Choose theme", readme: "Help", options: "Chat options", copy: "Copy", good: "Helpful",
        bad: "Not helpful", messages: "Conversation", writing: "The answer is being written.",
        done: "The answer is complete.", scroll: "Scroll to the end",
        mode: "Where to answer", asked: "A decision is needed.", welcome: "What can I help with?"
      }
  document.documentElement.lang = korean ? "ko" : "en"

  const NAMES = {
    "#chat-input": words.composer, "#edit-chat-input": words.editor, "#chat-submit": words.send,
    "#stop-button": words.stop, ".edit-message": words.edit, "#sidebar-trigger-button": words.sidebar,
    "#search-chats-button": words.search, "#new-chat-button": words.newChat, "#theme-toggle": words.theme,
    "#readme-button": words.readme, "#thread-options": words.options,
    ".positive-feedback-off, .positive-feedback-on": words.good,
    ".negative-feedback-off, .negative-feedback-on": words.bad, "button:has(> .lucide-copy)": words.copy,
    "button:has(> .lucide-arrow-down):not(.homeward-offer)": words.scroll
  }

  function nameControls() {
    for (const [selector, name] of Object.entries(NAMES)) {
      for (const control of document.querySelectorAll(selector)) {
        if (!control.hasAttribute("aria-label")) control.setAttribute("aria-label", name)
      }
    }
    const mode = document.querySelector("#mode-picker-trigger-mode")
    mode?.setAttribute("aria-label", `${words.mode}: ${mode.textContent}`)
    // The menu of a chat is a div inside a button inside a link: neither announced nor reached by Tab.
    for (const menu of document.querySelectorAll("#thread-options")) {
      menu.setAttribute("role", "button")
      menu.tabIndex = 0
      const entry = menu.closest("button")
      entry.setAttribute("role", "group")
      entry.setAttribute("tabindex", "-1")
      entry.setAttribute("aria-label", entry.textContent.trim())
    }
    // A list around the lists of chats, whose only item is no list item.
    document.querySelector("#thread-history")?.parentElement.setAttribute("role", "presentation")
  }

  function welcome() {
    const screen = document.querySelector("#welcome-screen")
    if (!screen || screen.querySelector(".homeward-welcome")) return
    const text = document.createElement("div")
    text.className = "homeward-welcome"
    const heading = document.createElement("h1")
    heading.textContent = words.welcome
    const promise = document.createElement("div")
    promise.className = "homeward-promise" // models.js says what answers
    text.append(heading, promise)
    screen.insertBefore(text, screen.querySelector("#message-composer"))
  }

  /* Answers are announced by whole sentences: a region that changed with each token would stammer. */
  const announcer = document.createElement("div")
  announcer.className = "homeward-announcer"
  announcer.setAttribute("role", "log")
  announcer.setAttribute("aria-live", "polite")
  announcer.setAttribute("aria-label", words.messages)
  let current = null
  let announced = 0

  function announce(text) {
    const line = document.createElement("div")
    line.textContent = text
    announcer.append(line)
    while (announcer.childElementCount > 20) announcer.firstElementChild.remove()
  }

  function announceAnswer() {
    const writing = document.querySelector("#stop-button") !== null
    const answers = document.querySelectorAll("[data-step-type='assistant_message'] .message-content .prose")
    const last = answers[answers.length - 1]
    if (writing && last && last !== current) {
      current = last
      announced = 0
      announce(words.writing)
    }
    if (!current || !current.isConnected) return
    const text = current.textContent.replaceAll("\u200B", "")
    const rest = text.slice(announced)
    const end = writing ? Math.max(...[...rest.matchAll(/[.!?。]\s|\n/g)].map((m) => m.index + 1), 0) : rest.length
    if (end > 0 && rest.slice(0, end).trim()) announce(rest.slice(0, end).trim())
    announced += end
    if (!writing) {
      current = null
      announce(words.done)
    }
  }

  /* A card that asks something is read out as a whole; it takes no focus, or a keystroke could decide. */
  let asked = null
  function announceQuestion() {
    const card = document.querySelector(".homeward-question")
    if (card && card !== asked) announce(`${words.asked} ${card.innerText}`)
    asked = card
  }

  let models = null
  import("/public/models.js").then((module) => {
    models = module
  })

  /* For the card of an answer that this page writes itself. */
  window.homewardBridge = () => import("/browser/bridge.js")

  /* One look per half second at most, however fast the page changes: streaming must stay cheap. */
  let waiting = false
  function look() {
    waiting = false
    nameControls()
    welcome()
    models?.look()
    announceQuestion()
    announceAnswer()
    if (current) changed() // text that grows within a paragraph changes no nodes
  }
  function changed() {
    if (waiting) return
    waiting = true
    setTimeout(look, 400)
  }
  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(announcer)
    new MutationObserver(changed).observe(document.body, { childList: true, subtree: true })
    look()
  })
})()
