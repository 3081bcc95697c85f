/* The models page: one state, drawn again whenever it changes. */
import { addForm } from "./add.js"
import { announcer } from "./announce.js"
import { catalogueSection } from "./catalogue.js"
import { setText, show } from "./dom.js"
import { downloadsSection } from "./downloads.js"
import { hereSection } from "./here.js"
import { watch } from "./live.js"
import { machineSection } from "./machine.js"
import { nowSection } from "./now.js"
import { servicesSection } from "./services.js"
import { fillPage, words } from "./words.js"

const at = (id) => document.getElementById(id)

fillPage(words.title)

let state = null

/** What sections can do. */
const page = {
  act: (action, body) => act(action, body),
  diskFree: () => state.machine.disk_free_bytes,
  lookInCatalogue: (word) => catalogue.look(word),
  searchServices: () => services.search()
}

const catalogue = catalogueSection(at("catalogue"), page)
const services = servicesSection(at("services"), page)
const drawings = [
  nowSection(at("now"), page),
  downloadsSection(at("downloads"), page),
  hereSection(at("here"), page),
  catalogue.update,
  services.update,
  machineSection(at("machine"), page),
  announcer(at("announcer"))
]
addForm(at("here"), page)

function draw(newest) {
  state = newest
  for (const drawing of drawings) drawing(newest)
  show(at("sections"), true)
}

function tell(answers) {
  const trouble = at("trouble")
  if (answers !== trouble.hidden) setText(at("announcer"), answers ? words.problems.recovered : words.problems.silent)
  setText(trouble, answers ? "" : words.problems.silent)
  show(trouble, !answers)
}

const act = watch(draw, tell)
