// A network's layers as an editable table. Edits apply at once and are sent to the server as the whole list; it returns
// shapes, costs and the row that does not fit. Requires network/layer_edits.js.
const kept = new Map() // edits by table; they outlive a switch of views
const ICONS = {
  add: "M8 3v10M3 8h10", remove: "M3.5 4.5h9M6.5 4V2.8h3V4M4.8 4.5l.6 8.7h5.2l.6-8.7",
  up: "M8 13V3.5M4 7l4-4 4 4", down: "M8 3v9.5M4 9l4 4 4-4",
  undo: "M6 3 3 6l3 3M3.2 6H10a3.2 3.2 0 0 1 0 6.4H6", redo: "m10 3 3 3-3 3M12.8 6H6a3.2 3.2 0 0 0 0 6.4h4",
}
const COSTS = ["shape", "parameters", "flops", "memory"]
const write = (node, text) => { if (node.textContent !== text) node.textContent = text }
const clamp = (value, { min, max }) => Math.min(max, Math.max(min, value))

function create(tag, name, parent, attributes = {}) {
  const node = document.createElement(tag)
  node.className = name
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value)
  parent?.append(node)
  return node
}

function stepped(field, value, up, fast) {
  if (fast) return clamp(up ? value * 2 || field.step || 1 : field.whole ? Math.floor(value / 2) : value / 2, field)
  const near = up ? value : value - 1e-9
  const step = field.step ?? (near < 16 ? 1 : 2 ** (Math.floor(Math.log2(near)) - 3)) // a round step of about a tenth
  const next = field.step
    ? value + (up ? step : -step)
    : (up ? Math.floor(value / step) + 1 : Math.ceil(value / step) - 1) * step
  return clamp(Number(next.toFixed(4)), field)
}

function read(field, text) {
  const value = Number(text.trim().replace(",", "."))
  const good = text.trim() && value >= field.min && value <= field.max && (!field.whole || Number.isInteger(value))
  return good ? value : null
}

class Table {
  constructor(root) {
    this.root = root
    this.at = 1
    this.rows = []
    this.frame = create("div", "editor", null)
    const bar = create("div", "bar", this.frame)
    this.hint = create("span", "hint", bar)
    this.tools = create("span", "tools", bar, { role: "toolbar" })
    this.grid = create("div", "grid", this.frame, { role: "grid" })
    root.append(this.frame)
    this.frame.addEventListener("keydown", (event) => this.key(event))
    this.frame.addEventListener("focusin", (event) => this.focused(event.target))
    this.frame.addEventListener("input", (event) => this.typed(event.target))
    this.frame.addEventListener("change", (event) => event.target.tagName === "SELECT" && this.picked(event.target))
    this.frame.addEventListener("focusout", () => requestAnimationFrame(() => this.paint()))
  }

  show(data, tell) {
    this.data = data
    this.fields = Object.fromEntries([...data.fields, data.code].map((field) => [field.name, field]))
    if (!kept.has(data.key)) kept.set(data.key, new Edits())
    this.edits = kept.get(data.key)
    this.edits.receive(data, tell)
    this.head()
    this.paint()
  }

  // ---- edits, and the focus after them
  add(name) {
    this.go(this.edits.add(this.at), name)
  }

  remove() {
    this.go(this.edits.remove(this.at))
  }

  move(by, name) {
    this.go(this.edits.move(this.at, by), name)
  }

  go(at, name) {
    if (at !== null) this.focus(at, name)
  }

  travel(from, to) {
    if (!this.edits.travel(from, to)) return
    this.paint(true)
    this.focus(Math.min(this.at, this.edits.own.layers.length + 1))
  }

  change(at, name, value, typed) {
    if (this.edits.change(at, name, value, typed)) this.paint()
  }

  // ---- input
  place(node) {
    return { at: Number(node.closest?.(".row")?.dataset.at ?? -1), name: node.dataset?.name }
  }

  focused(node) {
    const { at } = this.place(node)
    if (at < 0 || at === this.at) return
    this.at = at
    this.paint()
  }

  focus(at, name) {
    this.at = at
    this.paint()
    const cell = name && this.rows[at]?.inputs[name]
    const node = cell && !cell.closest(".cell").hidden ? cell : this.rows[at]?.node
    node?.focus({ preventScroll: false })
    if (node?.select) node.select()
  }

  typed(node) {
    const { at, name } = this.place(node)
    if (node.tagName !== "INPUT" || !name) return
    const value = read(this.fields[name], node.value)
    node.toggleAttribute("aria-invalid", value === null)
    write(this.rows[at].problem, value === null ? this.complaint(this.fields[name]) : "")
    if (value !== null) this.change(at, name, value, true)
  }

  complaint({ label, min, max, whole }) {
    const template = this.data.words[whole ? "whole" : "number"]
    return template.replace("{label}", label).replace("{min}", min.toLocaleString("en")).replace("{max}", max.toLocaleString("en"))
  }

  // Ends editing a number and focuses its row, unless the number is invalid.
  finish(input, at) {
    if (!input.hasAttribute("aria-invalid")) this.focus(at)
  }

  picked(node) {
    const { at, name } = this.place(node)
    this.change(at, name, node.value)
  }

  key(event) {
    const { at, name } = this.place(event.target)
    const number = event.target.tagName === "INPUT" ? this.fields[name] : null
    const command = event.ctrlKey || event.metaKey
    const upward = event.key === "ArrowUp"
    const vertical = upward || event.key === "ArrowDown"
    let done = true
    if (command && event.key.toLowerCase() === "z") this.travel(...(event.shiftKey ? ["future", "past"] : ["past", "future"]))
    else if (command && event.key.toLowerCase() === "y") this.travel("future", "past")
    else if (at < 0 || command) done = false
    else if (event.key === "Enter" && number) this.finish(event.target, at)
    else if (event.key === "Enter") this.add(name)
    else if (event.key === "Delete" && !number) this.remove()
    else if (vertical && event.altKey) this.move(upward ? -1 : 1, name)
    else if (vertical && number) {
      this.change(at, name, stepped(number, this.edits.value(at, name), upward, event.shiftKey), true)
      event.target.value = this.edits.value(at, name)
      event.target.select()
    } else if (vertical && !name) this.focus(Math.max(0, Math.min(this.rows.length - 1, at + (upward ? -1 : 1))))
    else if (event.key === "ArrowRight" && !name) this.rows[at].node.querySelector(".cell:not([hidden]) [data-name]")?.focus()
    else if (event.key === "Escape" && name) this.focus(at)
    else if (/^\d$/.test(event.key) && !name) {
      this.focus(at, at > this.edits.own.layers.length ? "latent" : "size") // the digit itself lands in the number
      done = false
    } else done = false
    if (!done) return
    event.preventDefault()
    event.stopPropagation() // Streamlit has its own shortcuts
  }

  // ---- drawing
  head() {
    const mark = JSON.stringify([this.data.fields, this.data.words])
    if (mark === this.mark) return
    this.mark = mark
    this.rows = []
    this.grid.replaceChildren()
    this.tools.replaceChildren()
    this.hint.textContent = this.data.words.hint
    const acts = {
      add: () => this.add(), remove: () => this.remove(), up: () => this.move(-1), down: () => this.move(1),
      undo: () => this.travel("past", "future"), redo: () => this.travel("future", "past"),
    }
    for (const [name, act] of Object.entries(acts)) {
      const title = this.data.words[name]
      const button = create("button", `tool ${name}`, this.tools, { type: "button", title, "aria-label": title })
      button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`
      button.onmousedown = (event) => event.preventDefault() // the row keeps the focus
      button.onclick = act
    }
    const head = create("div", "head", this.grid, { role: "row" })
    create("span", "number", head, { role: "columnheader", "aria-label": "#" })
    for (const field of this.data.fields)
      create("span", `title ${field.name}`, head, { role: "columnheader", title: field.help }).textContent = field.label
    for (const name of COSTS)
      create("span", `title cost ${name}`, head, { role: "columnheader", title: this.data.words[`${name}_help`] })
        .textContent = this.data.words[name]
    const foot = create("div", "row end foot", this.grid, { role: "row" })
    create("span", "name", foot, { role: "rowheader" }).textContent = this.data.words.decoder
    create("span", "mirrors", foot, { role: "gridcell" }).textContent = this.data.words.mirrors
    this.foot = this.costs(foot)
  }

  row(at) {
    if (this.rows[at]) return this.rows[at]
    const node = create("div", "row", this.grid, { role: "row", "data-at": at })
    const row = { node, inputs: {}, cells: {} }
    row.number = create("span", "number", node, { role: "rowheader" })
    for (const field of [...this.data.fields, this.data.code]) {
      const cell = create("span", `cell ${field.name}`, node, { role: "gridcell", "data-label": field.label })
      const input = create(field.options ? "select" : "input", "", cell, { "data-name": field.name })
      for (const [value, label] of field.options ?? []) input.append(new Option(label, value))
      if (!field.options) Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off" })
      if (!field.options) input.setAttribute("role", "spinbutton")
      row.inputs[field.name] = input
      row.cells[field.name] = cell
    }
    row.name = create("span", "name", node, { role: "gridcell" })
    row.costs = this.costs(node)
    row.problem = create("div", "problem", node, { role: "alert" })
    return (this.rows[at] = row)
  }

  costs(node) {
    const labelled = (name) => create("span", `cost ${name}`, node, { role: "gridcell", "data-label": this.data.words[name] })
    return Object.fromEntries(COSTS.map((name) => [name, labelled(name)]))
  }

  paint(force = false) {
    if (!this.edits?.own) return
    const { layers } = this.edits.own
    const last = layers.length + 1
    for (const row of this.rows.splice(last + 1)) row.node.remove()
    for (let at = 0; at <= last; at++) this.paintRow(this.row(at), at, last, force)
    const off = {
      add: layers.length >= this.data.most, remove: !this.edits.isLayer(this.at), undo: !this.edits.past.length,
      up: !this.edits.isLayer(this.at) || this.at === 1, down: !this.edits.isLayer(this.at) || this.at === layers.length,
      redo: !this.edits.future.length,
    }
    for (const button of this.tools.children) button.disabled = off[button.classList[1]]
  }

  paintRow(row, at, last, force) {
    const layer = this.edits.own.layers[at - 1]
    const { data, root } = this
    const here = at === this.at
    row.node.tabIndex = here ? 0 : -1
    row.node.classList.toggle("here", here)
    row.node.classList.toggle("end", !layer)
    write(row.number, layer ? String(at) : "")
    write(row.name, at === 0 ? data.words.image : at === last ? data.words.code : "")
    for (const [name, cell] of Object.entries(row.cells)) {
      const applies = layer ? name === "kind" || data.applies[layer.kind].includes(name) : name === "latent" && at === last
      cell.hidden = !applies
      if (!applies) continue
      const input = row.inputs[name]
      const value = this.edits.value(at, name)
      input.tabIndex = here ? 0 : -1
      input.setAttribute("aria-label", `${this.fields[name].label}, ${layer ? `${data.words.layer} ${at}` : data.words.code}`)
      cell.classList.toggle("usual", Boolean(layer) && name in data.usual && layer[name] == null)
      const typing = root.activeElement === input && input.tagName === "INPUT" && !force
      if (typing && (input.hasAttribute("aria-invalid") || read(this.fields[name], input.value) === value)) continue
      input.removeAttribute("aria-invalid")
      if (input.value !== String(value)) input.value = value
    }
    this.paintCosts(row, at, last)
  }

  paintCosts(row, at, last) {
    const fresh = this.data.costs.length === last + 2
    const costs = fresh ? this.data.costs[at] : null
    if (!fresh) return // keep the previous costs until those of the edited layers arrive
    for (const name of COSTS) write(row.costs[name], costs[name] ?? "")
    for (const name of COSTS) write(this.foot[name], this.data.costs[last + 1][name] ?? "")
    const broken = this.data.broken === at
    row.node.classList.toggle("broken", broken)
    row.node.classList.toggle("after", this.data.broken !== null && at > this.data.broken)
    const complains = row.node.querySelector("[aria-invalid]") // an invalid number being typed keeps its message
    if (!complains) write(row.problem, broken ? this.data.problem : "")
  }
}

const tables = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  if (!tables.has(parentElement)) tables.set(parentElement, new Table(parentElement))
  const table = tables.get(parentElement)
  table.show(data, setTriggerValue)
  return () => {
    table.edits.cancel()
    tables.delete(parentElement)
    table.frame.remove()
  }
}
