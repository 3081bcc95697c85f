/* Numbers for people: sizes as the engines' own sentences have them (1 GB is 1000 MB). */
import { words } from "./words.js"

function number(value, digits = 0) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return new Intl.NumberFormat(words.language, options).format(value)
}

export function size(bytes) {
  if (bytes >= 999.5e6) return `${number(bytes / 1e9, bytes < 99.95e9 ? 1 : 0)} GB`
  if (bytes >= 999.5e3) return `${number(bytes / 1e6)} MB`
  return `${number(bytes / 1e3)} KB`
}

/** The same where it may be little. */
export function bytes(count) {
  return count < 999.5 ? `${number(count)} B` : size(count)
}

export function money(sum, currency) {
  const digits = sum === 0 || sum >= 0.01 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumSignificantDigits: 2 }
  return `${new Intl.NumberFormat(words.language, digits).format(sum)} ${currency}`
}

export function speed(bytesPerSecond) {
  return `${size(bytesPerSecond)}/s`
}

export function percent(part) {
  return `${number(Math.floor(part * 100))} %`
}

export function tokens(count) {
  return count === null ? "" : words.tokens(number(count))
}

export function timeLeft(seconds) {
  if (seconds < 60) return words.timeLeft.soon
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return words.timeLeft.minutes(minutes)
  return words.timeLeft.hours(Math.floor(minutes / 60), minutes % 60)
}
