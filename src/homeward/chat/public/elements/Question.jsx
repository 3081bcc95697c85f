/* What the user is asked before anything leaves this device; it stands in place of the answer. All its words come
   from the server (homeward.chat.question): `title`, `lead`, `rows` of `label` and `sentences`, `limits` (the same, what
   can't be seen), `foot`, and the labels of its two buttons, `agree` and `device`. Neither button has the focus by itself: an Enter that was
   meant for the composer must not agree to anything. */
import { Button } from "@/components/ui/button"
import { Laptop, ShieldQuestion } from "lucide-react"
import { useState } from "react"

export default function Question() {
  const [sent, setSent] = useState(false)
  const { id, about, title, lead, rows, limits, agree, device, foot } = props
  async function decide(decision) {
    setSent(true)
    await callAction({ name: "decide", payload: { asking: id, decision } })
  }
  return (
    <section className="homeward-question" data-about={about} aria-labelledby={`question-${id}`}>
      <h3 id={`question-${id}`}><ShieldQuestion aria-hidden="true" /> {title}</h3>
      <p>{lead}</p>
      <dl>
        {rows.map(({ label, sentences }) => (
          <div key={label}><dt>{label}</dt><dd>{sentences.map((each) => <span key={each}>{each} </span>)}</dd></div>
        ))}
        <div><dt>{limits.label}</dt><dd className="homeward-limits">{limits.sentences.join(" ")}</dd></div>
      </dl>
      <div className="homeward-question-buttons">
        <Button size="sm" className="homeward-device" disabled={sent} onClick={() => decide("device")}>
          <Laptop aria-hidden="true" /> {device}
        </Button>
        <Button size="sm" variant="outline" className="homeward-agree" disabled={sent} onClick={() => decide("agree")}>
          {agree}
        </Button>
      </div>
      <p className="homeward-question-foot">{about === "consent" ? <a href="/policy">{foot}</a> : foot}</p>
    </section>
  )
}
