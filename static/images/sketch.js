// A drawing canvas for mouse, pen or touch; sends the drawing to the server as PNG after each stroke.
const CSS = `
.sketch { display: flex; flex-direction: column; gap: 6px; font: 13px var(--st-font); color: var(--st-text-color) }
canvas { width: 100%; max-width: 300px; align-self: center; display: block; border-radius: var(--st-base-radius); border: 1px solid var(--st-border-color); touch-action: none;
  cursor: crosshair; outline: none; box-sizing: border-box }
canvas:focus-visible { border-color: var(--st-primary-color) }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 2px }
button { width: 30px; height: 34px; padding: 0; border: 0; border-radius: var(--st-base-radius); background: none; color: inherit; cursor: pointer; flex: none }
button:hover:not(:disabled), button[aria-pressed=true] { background: var(--st-secondary-background-color); color: var(--st-primary-color) }
button:disabled { opacity: .3; cursor: default }
button:focus-visible, input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px }
svg { width: 19px; height: 19px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; vertical-align: middle }
input[type=range] { flex: 1; width: 0; min-width: 22px; margin: 0 5px; accent-color: var(--st-primary-color) }
.coloured input[type=range] { flex: 1 0 90%; order: 1; height: 24px }
input[type=color] { flex: none; width: 26px; height: 30px; padding: 0; border: 0; background: none; cursor: pointer }
@media (pointer: coarse) { button { width: 42px; height: 42px } }`
const ICONS = {
  brush: "M4 20c3 0 5-1 5-4a2.5 2.5 0 0 0-5 0c0 2-1 3-1 4zM9 14l9-10 2 2-10 9",
  eraser: "M8 20h12M5 13l8-8 6 6-9 9H8l-3-3a2 2 0 0 1 0-4zM9 9l6 6",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 10",
  clear: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  next: "M12 5v14M5 12h14",
}
const LONG = 448 // pixels of the canvas's longer side
const PIXELS = 1.5, SHARE = 8 // brush width in network pixels, and its minimum in percent of the canvas
const DELAY = 250 // milliseconds after a stroke before the drawing is sent
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))
const kept = new Map() // drawings by key; they outlive the component

class Sketch {
  constructor(parent) {
    make("style", "", parent).textContent = CSS
    const root = make("div", "sketch", parent)
    this.canvas = Object.assign(make("canvas", "", root), { tabIndex: 0 })
    const tools = make("div", "tools", root)
    this.buttons = {}
    for (const name of ["brush", "eraser"]) this.button(tools, name, () => { this.tool = name; this.refresh() })
    this.width = Object.assign(make("input", "", tools), { type: "range", step: "any" })
    this.colour = Object.assign(make("input", "", tools), { type: "color" })
    this.button(tools, "undo", () => this.undo())
    this.button(tools, "clear", () => { if (this.isMarked()) this.add({ clear: true }) })
    this.button(tools, "next", () => this.next())
    this.tool = "brush"
    this.listen()
  }

  button(parent, name, act) {
    const button = Object.assign(make("button", name, parent), { type: "button", onclick: act })
    button.innerHTML = `<svg viewBox="0 0 24 24"><path d="${ICONS[name]}"/></svg>`
    this.buttons[name] = button
  }

  show(data, tell) {
    this.data = data
    this.tell = tell
    if (!kept.has(data.key)) kept.set(data.key, { number: 1, strokes: [] })
    this.drawing = kept.get(data.key)
    const [channels, height, width] = data.shape, scale = LONG / Math.max(width, height)
    this.resetBrush(Math.max(SHARE, (100 * PIXELS) / Math.max(width, height)))
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) })
    this.canvas.setAttribute("aria-label", data.said.sheet)
    for (const [name, button] of Object.entries(this.buttons)) button.title = button.ariaLabel = data.said[name]
    this.width.title = this.width.ariaLabel = data.said.width
    this.colour.title = this.colour.ariaLabel = data.said.colour
    this.colour.hidden = channels === 1
    this.colour.parentElement.classList.toggle("coloured", channels > 1)
    if (this.ink !== data.ink) this.ink = this.colour.value = data.ink
    this.refresh()
  }

  // Sets the brush's default width and range; the user's choice is kept while the default stays the same.
  resetBrush(usual) {
    if (this.usual === usual) return
    this.usual = usual
    Object.assign(this.width, { min: usual / 4, max: 2.5 * usual })
    this.width.value = usual
  }

  listen() {
    const { canvas } = this
    const at = (event) => {
      const box = canvas.getBoundingClientRect()
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
    }
    canvas.onpointerdown = (event) => {
      if (event.button !== 0 || this.stroke) return
      event.preventDefault()
      canvas.focus({ preventScroll: true })
      canvas.setPointerCapture(event.pointerId)
      clearTimeout(this.waiting)
      const erases = this.tool === "eraser"
      this.stroke = { pointer: event.pointerId, colour: erases ? this.data.paper : this.colour.value, width: this.width.value / 100 * (erases ? 1.6 : 1), points: [at(event)] }
      this.paint(this.stroke)
    }
    canvas.onpointermove = (event) => {
      if (event.pointerId !== this.stroke?.pointer) return
      const from = this.stroke.points.length - 1
      const events = event.getCoalescedEvents?.() ?? []
      for (const one of events.length ? events : [event]) this.stroke.points.push(at(one))
      this.paint({ ...this.stroke, points: this.stroke.points.slice(from) })
    }
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId !== this.stroke?.pointer) return
      const { stroke } = this
      this.stroke = null
      this.add(stroke)
    }
    canvas.onkeydown = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") { event.preventDefault(); this.undo() }
    }
  }

  isMarked() { return this.drawing.strokes.length > 0 && !this.drawing.strokes.at(-1).clear }

  add(stroke) {
    this.drawing.strokes.push(stroke)
    this.changed()
  }

  undo() {
    if (this.drawing.strokes.pop()) this.changed()
  }

  // Starts a new drawing; the current one stays among the user's images.
  next() {
    kept.set(this.data.key, (this.drawing = { number: this.drawing.number + 1, strokes: [] }))
    this.refresh()
  }

  changed() {
    this.refresh()
    clearTimeout(this.waiting)
    this.waiting = setTimeout(() => this.send(), DELAY)
  }

  send() {
    const address = this.canvas.toDataURL("image/png")
    this.tell({ number: this.drawing.number, content: this.isMarked() ? address.slice(address.indexOf(",") + 1) : null })
  }

  refresh() {
    const context = this.canvas.getContext("2d")
    const { strokes } = this.drawing
    context.fillStyle = this.data.paper
    context.fillRect(0, 0, this.canvas.width, this.canvas.height)
    const from = strokes.findLastIndex((stroke) => stroke.clear)
    for (const stroke of strokes.slice(from + 1)) this.paint(stroke)
    for (const name of ["brush", "eraser"]) this.buttons[name].ariaPressed = String(this.tool === name)
    this.buttons.undo.disabled = !strokes.length
    this.buttons.clear.disabled = this.buttons.next.disabled = !this.isMarked()
  }

  paint({ colour, width, points }) {
    const { canvas } = this, context = canvas.getContext("2d")
    Object.assign(context, { strokeStyle: colour, lineWidth: width * Math.max(canvas.width, canvas.height), lineCap: "round", lineJoin: "round" })
    context.beginPath()
    points.forEach(([x, y], number) => context[number ? "lineTo" : "moveTo"](x * canvas.width, y * canvas.height))
    if (points.length > 1) return context.stroke()
    context.arc(points[0][0] * canvas.width, points[0][1] * canvas.height, context.lineWidth / 2, 0, 2 * Math.PI)
    context.fillStyle = colour
    context.fill()
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.aeviz ??= new Sketch(parentElement)
  parentElement.aeviz.show(data, (drawing) => setTriggerValue("drawn", drawing))
}
