/* Elements that change only where something is new: so that focus, selection and screen readers are left in peace. */

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.append(...children)
  return node
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** An attribute's new value; null takes it away. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name)
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
}

export function show(node, visible) {
  if (!visible && !node.hidden) leave(node)
  if (node.hidden === visible) node.hidden = !visible
}

/** Before a node goes: the focus in it moves to the heading of what stays around it, instead of to nowhere. */
function leave(node) {
  if (!node.contains(document.activeElement)) return
  node.parentElement?.closest("[data-home]")?.querySelector("[tabindex='-1']")?.focus({ preventScroll: true })
}

/** Parts in `parent`, one for each item: `make()` gives {node, update(item)}. Returns the list's own update. */
export function list(parent, make, keyOf) {
  const parts = new Map()
  return (items) => {
    const focused = document.activeElement
    const wanted = new Set(items.map(keyOf))
    for (const [key, part] of parts) {
      if (wanted.has(key)) continue
      leave(part.node)
      part.node.remove()
      parts.delete(key)
    }
    items.forEach((item, index) => {
      const key = keyOf(item, index)
      if (!parts.has(key)) parts.set(key, make(item))
      const part = parts.get(key)
      if (parent.children[index] !== part.node) parent.insertBefore(part.node, parent.children[index] ?? null)
      part.update(item)
    })
    // A node that was moved has lost it.
    if (focused !== document.activeElement && focused?.isConnected && parent.contains(focused)) focused.focus()
  }
}

/** Names and values; those without a value are left out. Returns the node and its update with the values by name. */
export function facts(names) {
  const node = el("dl", { class: "facts" })
  const rows = Object.entries(names).map(([key, name]) => {
    const value = el("dd")
    const row = el("div", {}, el("dt", {}, name), value)
    node.append(row)
    return { key, row, value }
  })
  return {
    node,
    update(values) {
      for (const { key, row, value } of rows) {
        setText(value, values[key] ?? "")
        show(row, Boolean(values[key]))
      }
    }
  }
}

/** A bar that fills; `update(part, text)` with a part from 0 to 1, or null where nobody knows. */
export function progressBar(label) {
  const node = el("progress", { max: "1", "aria-label": label })
  return {
    node,
    update(part, text) {
      setAttribute(node, "value", part === null ? null : Math.min(1, part))
      setAttribute(node, "aria-valuetext", text)
    }
  }
}
