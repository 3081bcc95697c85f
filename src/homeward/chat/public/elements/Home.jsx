/* The line that says, once in a thread, why all of it stays on this device. Props: `sentence`. */
import { House } from "lucide-react"

export default function Home() {
  return (
    <p className="homeward-home" role="note"><House aria-hidden="true" /> {props.sentence}</p>
  )
}
