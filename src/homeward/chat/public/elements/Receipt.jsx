/* The line under an answer: where it was made, by what and how fast; opened, why there and the rest of its receipt.
   Props: `receipt` (homeward.protocol.receipt.Receipt as JSON), `answer` (id of its step), `writing` (there is more
   to come), `problem` (sentences for an answer that failed or broke off), `offers` (names of actions), and what the
   server says in the reader's language: `why`, `attempts`, `findings` (lists), `cost`. Compiled in the page by
   Chainlit; what may be imported is fixed there. */
import { Button } from "@/components/ui/button"
import {
  DropdownMenu, DropdownMenuContent, DropdownMenuItem, DropdownMenuTrigger
} from "@/components/ui/dropdown-menu"
import { ArrowDown, ChevronDown, CircleSlash, Cloud, Globe, Laptop, Network, RotateCcw } from "lucide-react"
import { useState } from "react"

const WORDS = {
  en: {
    place: { device: "This device", network: "Your network", cloud: "Cloud", browser: "This browser" },
    nowhere: "No answer", first: "to first word", speed: "tokens/s", why: "Why?",
    masked: (n) => `${n} masked`,
    outcome: { stopped: "Stopped", interrupted: "Interrupted", failed: "Failed" }, length: "Cut at the length limit",
    leftOut: (n) => `${n} older ${n === 1 ? "message was" : "messages were"} left out: the model’s window is full`,
    continue_answer: "Continue", try_again: "Try again", continue_with: "Continue with …", try_with: "Try again with …",
    asking: "Looking …", nobody: "There is no other model.",
    rows: { model: "Model", place: "Place", attempts: "Attempts", findings: "Found in the request",
      masked: "Replaced by placeholders", prompt: "Tokens read", cached: "of these kept from before",
      written: "Tokens written", time: "Whole time", bytes: "Bytes that left this machine", cost: "Cost",
      id: "Receipt number" }
  },
  ko: {
    place: { device: "이 기기", network: "내 네트워크", cloud: "클라우드", browser: "이 브라우저" },
    nowhere: "답변 없음", first: "후 첫 단어", speed: "토큰/초", why: "이유",
    masked: (n) => `${n}개 가림`,
    outcome: { stopped: "중지됨", interrupted: "중단됨", failed: "실패" }, length: "길이 제한에서 잘림",
    leftOut: (n) => `이전 메시지 ${n}개는 모델의 문맥 창이 가득 차서 빠졌습니다`,
    continue_answer: "계속", try_again: "다시 시도", continue_with: "다른 모델로 계속 …",
    try_with: "다른 모델로 다시 …", asking: "찾는 중 …", nobody: "다른 모델이 없습니다.",
    rows: { model: "모델", place: "장소", attempts: "시도", findings: "요청에서 발견된 것", masked: "가린 것",
      prompt: "읽은 토큰", cached: "그중 이전 것 재사용", written: "쓴 토큰", time: "전체 시간",
      bytes: "이 기기를 떠난 바이트", cost: "비용", id: "영수증 번호" }
  }
}
const ICONS = { device: Laptop, network: Network, cloud: Cloud, browser: Globe }

function number(value, digits) {
  return new Intl.NumberFormat(navigator.language, { maximumFractionDigits: digits }).format(value)
}

function seconds(value) {
  const shown = value < 10 ? number(value, value < 1 ? 2 : 1) : number(value, 0)
  return `${shown} s`
}

function Badge({ place, words }) {
  const Icon = ICONS[place] ?? CircleSlash
  return (
    <span className="homeward-badge" data-place={place ?? "none"}>
      <Icon aria-hidden="true" />{words.place[place] ?? words.nowhere}
    </span>
  )
}

/** What stands behind the badge. */
function summary(receipt, cost, writing, words) {
  const parts = []
  if (receipt.place === "network" || receipt.place === "cloud") parts.push(receipt.backend)
  if (receipt.model) parts.push(receipt.model)
  if (writing) return parts
  if (receipt.first_token_seconds != null) parts.push(`${seconds(receipt.first_token_seconds)} ${words.first}`)
  if (receipt.tokens_per_second != null) parts.push(`${number(receipt.tokens_per_second, 1)} ${words.speed}`)
  if (receipt.masked) parts.push(words.masked(receipt.masked))
  if (cost) parts.push(cost)
  return parts
}

function rows(words) {
  const { receipt, attempts, findings, cost } = props
  return [
    [words.rows.place, receipt.place && words.place[receipt.place]],
    [words.rows.model, receipt.model],
    [words.rows.attempts, attempts?.join("; ")],
    [words.rows.findings, findings?.join(", ")],
    [words.rows.masked, receipt.masked || null],
    [words.rows.prompt, receipt.prompt_tokens],
    [words.rows.cached, receipt.cached_tokens || null],
    [words.rows.written, receipt.completion_tokens],
    [words.rows.time, receipt.total_seconds ? seconds(receipt.total_seconds) : null],
    [words.rows.bytes, number(receipt.bytes_out, 0)],
    [words.rows.cost, cost],
    [words.rows.id, receipt.id]
  ].filter(([, value]) => value != null && value !== "")
}

/** A menu of the other backends, asked for when it is opened: what they can do changes. */
function Others({ name, words }) {
  const [items, setItems] = useState(null)
  const { answer } = props
  const purpose = name === "continue_with" ? "continue" : "try"
  const action = purpose === "continue" ? "continue_answer" : "try_with"
  async function opened(open) {
    if (!open) return
    setItems(null)
    const done = await callAction({ name: "others", payload: { answer, purpose } })
    setItems(done?.response ?? [])
  }
  return (
    <DropdownMenu onOpenChange={opened}>
      <DropdownMenuTrigger asChild>
        <Button size="sm" variant="ghost" className={`homeward-with ${name} ${purpose === "continue" ? "homeward-offer" : ""}`}>
          {words[name]} <ChevronDown aria-hidden="true" />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start" className="homeward-others">
        {items === null ? <p className="homeward-others-note" role="status">{words.asking}</p> : null}
        {items?.length === 0 ? <p className="homeward-others-note">{words.nobody}</p> : null}
        {items?.map((each) => {
          const Icon = ICONS[each.place] ?? Globe
          return (
            <DropdownMenuItem key={each.backend} disabled={each.state === "no"} data-backend={each.backend}
              onSelect={() => callAction({ name: action, payload: { answer, backend: each.backend } })}>
              <Icon aria-hidden="true" />
              <span>
                {each.label}{each.where ? <span className="homeward-others-where"> ({each.where})</span> : null}
                {each.note ? <span className="homeward-others-note">{each.note}</span> : null}
              </span>
            </DropdownMenuItem>
          )
        })}
      </DropdownMenuContent>
    </DropdownMenu>
  )
}

export default function Receipt() {
  const words = navigator.language.startsWith("ko") ? WORDS.ko : WORDS.en
  const { receipt, answer, writing, problem, offers, why, cost } = props
  const parts = summary(receipt, cost, writing, words)
  if (writing) {
    return (
      <div className="homeward-receipt">
        <div className="homeward-receipt-line"><Badge place={receipt.place} words={words} /> {parts.join(" · ")}</div>
      </div>
    )
  }
  const marks = []
  if (words.outcome[receipt.outcome]) marks.push(words.outcome[receipt.outcome])
  if (receipt.finish_reason === "length") marks.push(words.length)
  if (receipt.left_out_messages) marks.push(words.leftOut(receipt.left_out_messages))
  const icons = { continue_answer: ArrowDown, try_again: RotateCcw }
  return (
    <div className="homeward-receipt" data-outcome={receipt.outcome}>
      {problem ? <p className="homeward-problem" role="alert">{problem}</p> : null}
      {marks.length ? <p className="homeward-marks">{marks.join(" · ")}</p> : null}
      <details>
        <summary>
          <Badge place={receipt.place} words={words} /> {parts.join(" · ")}
          {" "}<span className="homeward-why">{words.why}</span>
        </summary>
        {why?.length ? <ul>{why.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul> : null}
        <dl>
          {rows(words).map(([name, value]) => (
            <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
          ))}
        </dl>
      </details>
      {offers.length ? (
        <div className="homeward-offers">
          {offers.map((name) => {
            if (name.endsWith("_with")) return <Others key={name} name={name} words={words} />
            const Icon = icons[name]
            return (
              <Button key={name} size="sm" variant="outline" className={`homeward-offer ${name}`}
                onClick={() => callAction({ name, payload: { answer } })}>
                <Icon aria-hidden="true" /> {words[name]}
              </Button>
            )
          })}
        </div>
      ) : null}
    </div>
  )
}
