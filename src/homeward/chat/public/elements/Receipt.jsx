/* The line under an answer: where it was made and how fast; opened, the rest of its receipt.
   Props: `receipt` (homeward.protocol.receipt.Receipt as JSON), `answer` (id of its step), `problem`
   (sentences for an answer that failed or broke off), `offers` (names of actions). Compiled in the page by
   Chainlit; what may be imported is fixed there. */
import { Button } from "@/components/ui/button"
import { ArrowDown, RotateCcw } from "lucide-react"

const WORDS = {
  en: {
    place: { device: "This device", network: "Your network", cloud: "Cloud", browser: "This browser" },
    nowhere: "No answer", first: "to first word", speed: "tokens/s",
    outcome: { stopped: "Stopped", interrupted: "Interrupted", failed: "Failed" }, length: "Cut at the length limit",
    leftOut: (n) => `${n} older ${n === 1 ? "message was" : "messages were"} left out: the model’s window is full`,
    continue_answer: "Continue", try_again: "Try again", details: "Receipt",
    rows: { model: "Model", place: "Place", reason: "Why here", attempts: "Attempts", dropped: "Not asked",
      prompt: "Tokens read", cached: "of these kept from before", written: "Tokens written", time: "Whole time",
      bytes: "Bytes that left this machine", id: "Receipt number" },
    reason: { place_order: "first in your order of places", chosen: "you chose it" },
    answered: "answered"
  },
  ko: {
    place: { device: "이 기기", network: "내 네트워크", cloud: "클라우드", browser: "이 브라우저" },
    nowhere: "답변 없음", first: "후 첫 단어", speed: "토큰/초",
    outcome: { stopped: "중지됨", interrupted: "중단됨", failed: "실패" }, length: "길이 제한에서 잘림",
    leftOut: (n) => `이전 메시지 ${n}개는 모델의 문맥 창이 가득 차서 빠졌습니다`,
    continue_answer: "계속", try_again: "다시 시도", details: "영수증",
    rows: { model: "모델", place: "장소", reason: "이곳인 이유", attempts: "시도", dropped: "묻지 않음",
      prompt: "읽은 토큰", cached: "그중 이전 것 재사용", written: "쓴 토큰", time: "전체 시간",
      bytes: "이 기기를 떠난 바이트", id: "영수증 번호" },
    reason: { place_order: "장소 순서에서 첫 번째", chosen: "직접 선택함" },
    answered: "응답함"
  }
}

function number(value, digits) {
  return new Intl.NumberFormat(navigator.language, { maximumFractionDigits: digits }).format(value)
}

function seconds(value) {
  const shown = value < 10 ? number(value, value < 1 ? 2 : 1) : number(value, 0)
  return `${shown} s`
}

function summary(receipt, words) {
  const parts = [receipt.place ? words.place[receipt.place] : words.nowhere]
  if (receipt.model) parts.push(receipt.model)
  if (receipt.first_token_seconds != null) parts.push(`${seconds(receipt.first_token_seconds)} ${words.first}`)
  if (receipt.tokens_per_second != null) parts.push(`${number(receipt.tokens_per_second, 1)} ${words.speed}`)
  return parts.join(" · ")
}

function rows(receipt, words) {
  const attempts = receipt.attempts.map(
    (a) => `${a.backend} (${words.place[a.place]}): ${a.error || words.answered}, ${seconds(a.seconds)}`)
  return [
    [words.rows.place, receipt.place && words.place[receipt.place]],
    [words.rows.model, receipt.model],
    [words.rows.reason, words.reason[receipt.reason] || receipt.reason],
    [words.rows.attempts, attempts.join("; ")],
    [words.rows.dropped, receipt.dropped.map((d) => `${d.backend}: ${d.reason}`).join("; ")],
    [words.rows.prompt, receipt.prompt_tokens],
    [words.rows.cached, receipt.cached_tokens || null],
    [words.rows.written, receipt.completion_tokens],
    [words.rows.time, receipt.total_seconds ? seconds(receipt.total_seconds) : null],
    [words.rows.bytes, number(receipt.bytes_out, 0)],
    [words.rows.id, receipt.id]
  ].filter(([, value]) => value != null && value !== "")
}

export default function Receipt() {
  const words = navigator.language.startsWith("ko") ? WORDS.ko : WORDS.en
  const { receipt, answer, problem, offers } = props
  const marks = []
  if (words.outcome[receipt.outcome]) marks.push(words.outcome[receipt.outcome])
  if (receipt.finish_reason === "length") marks.push(words.length)
  if (receipt.left_out_messages) marks.push(words.leftOut(receipt.left_out_messages))
  const icons = { continue_answer: ArrowDown, try_again: RotateCcw }
  return (
    <div className="homeward-receipt" data-outcome={receipt.outcome}>
      {problem ? <p className="homeward-problem" role="alert">{problem}</p> : null}
      {marks.length ? <p className="homeward-marks">{marks.join(" · ")}</p> : null}
      <div className="homeward-receipt-line">
        <details>
          <summary title={words.details}>{summary(receipt, words)}</summary>
          <dl>
            {rows(receipt, words).map(([name, value]) => (
              <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
            ))}
          </dl>
        </details>
        {offers.map((name) => {
          const Icon = icons[name]
          return (
            <Button key={name} size="sm" variant="outline" className={`homeward-offer ${name}`}
              onClick={() => callAction({ name, payload: { answer } })}>
              <Icon aria-hidden="true" /> {words[name]}
            </Button>
          )
        })}
      </div>
    </div>
  )
}
