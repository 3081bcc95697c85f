/* The page's words in the language of the browser, and the server's sentences in it as far as they are known. */
import { english } from "./english.js"
import { korean } from "./korean.js"
import { sentences } from "./korean-sentences.js"
import { setAttribute, setText } from "./dom.js"

const isKorean = navigator.language.startsWith("ko")

export const words = isKorean ? korean : english

const patterns = Object.entries(sentences).map(([template, translation]) => {
  const pattern = template.split("{}").map((part) => part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&")).join("(.+?)")
  return [new RegExp(`^${pattern}$`), translation]
})

function translated(sentence) {
  for (const [pattern, translation] of patterns) {
    const found = sentence.match(pattern)
    if (found) return translation.replace(/\{(\d)\}/g, (_, index) => found[Number(index) + 1])
  }
  return null
}

/** What the server says, in the page's language; null where only the English is known. */
function inPageLanguage(text) {
  if (!isKorean || text === "") return text
  const parts = text.split(/(?<=[.!?]) (?=[A-Z“])/).map(translated)
  return parts.includes(null) ? translated(text) : parts.join(" ")
}

/** Words of the page's own as the text of a node that may also show what the server says. */
export function setWords(node, text) {
  setText(node, text)
  setAttribute(node, "lang", null)
}

/** What the server says as the text of a node, marked where it is in another language than the page. */
export function setSentence(node, text) {
  const own = inPageLanguage(text)
  setText(node, own ?? text)
  setAttribute(node, "lang", own === null ? "en" : null)
}

/** The static texts of a page with this title. */
export function fillPage(title) {
  document.documentElement.lang = words.language
  document.title = `${title} · Homeward`
  for (const node of document.querySelectorAll("[data-text]")) {
    node.textContent = node.dataset.text.split(".").reduce((found, key) => found[key], words)
  }
}
