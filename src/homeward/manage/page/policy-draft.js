/* What the user is changing, and what it amounts to. */

/** The three tables that are saved, to be changed. */
export function copyOf({ policy, privacy, budget }) {
  return structuredClone({ policy, privacy, budget })
}

export function differ(draft, state) {
  return ["policy", "privacy", "budget"].some((table) => canonical(draft[table]) !== canonical(state[table]))
}

/** The same for tables that say the same, whatever the order of their keys. */
function canonical(value) {
  return JSON.stringify(value, (_key, each) =>
    each && typeof each === "object" && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort()) : each)
}

/** Where answers may be made, best first. */
export function placesOf(policy, state) {
  return policy.places ?? state.orders[policy.preset]
}

export function outside(backends) {
  return backends.filter(({ place }) => place === "cloud" || place === "network")
}

/** What is wrong under this path, as a sentence; null where nothing is. */
export function problemAt(problems, ...path) {
  const found = problems.find((problem) => path.every((key, index) => problem.path[index] === key))
  return found?.message ?? null
}

/**
 * When words go to a backend under a policy, as pairs of a kind and what belongs to it: `never`, `always`, or any of
 * `complex`, `tasks`, `fallback` (with the places before it), `rule` (with its name), `chosen`.
 */
export function occasions(backend, policy, state) {
  const places = placesOf(policy, state)
  const rank = places.indexOf(backend.place)
  if (rank < 0) return [["never"]]
  const rules = policy.rules.filter(({ use }) => use.includes(backend.name) || use.includes(backend.place))
  const inhabited = places.slice(0, rank).filter((place) => state.backends.some((each) => each.place === place))
  if (inhabited.length === 0) return [["always"]]
  const found = []
  if (policy.preset === "local-first" && policy.complex_from !== "never") found.push(["complex", policy.complex_from])
  if (policy.preset === "by-task" && backend.place === "cloud") found.push(["tasks"])
  found.push(["fallback", inhabited], ...rules.map(({ name }) => ["rule", name]))
  return [...found, ["chosen"]]
}
