/* Marks an answer that stands beside the conversation's own one; homeward.css puts the two side by side.
   Props: `answer` (id of its step), `sentence`, and `use`, the button's label, empty while it can't be used. */
import { Button } from "@/components/ui/button"
import { Check } from "lucide-react"

export default function Beside() {
  const { answer, sentence, use } = props
  return (
    <div className="homeward-beside">
      <p>{sentence}</p>
      {use ? (
        <Button size="sm" variant="outline" className="homeward-use"
          onClick={() => callAction({ name: "use_answer", payload: { answer } })}>
          <Check aria-hidden="true" /> {use}
        </Button>
      ) : null}
    </div>
  )
}
