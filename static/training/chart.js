// A live chart of named series on one canvas, redrawn in place: Streamlit replaces its own charts at every change,
// which flickers. Colours follow the theme; scale and hidden series are stored in the browser session.
const CSS = `
.chart { position: relative; display: flex; flex-direction: column; font: 13px var(--st-font); color: var(--st-text-color) }
.head { display: flex; align-items: center; gap: 4px; height: 30px; flex: none }
.legend { display: flex; gap: 2px; overflow-x: auto; flex: 1; scrollbar-width: none }
button { display: flex; align-items: center; gap: 6px; border: 0; background: none; color: inherit; font: inherit;
  padding: 3px 8px; border-radius: var(--st-button-radius); cursor: pointer; white-space: nowrap; opacity: .85 }
button:hover { background: var(--st-secondary-background-color) }
button[aria-pressed=false] { opacity: .4 }
.log[aria-pressed=true] { background: var(--st-secondary-background-color); opacity: 1 }
.key { width: 18px; height: 0; border-top: 2.5px solid }
.plot { position: relative; flex: 1; min-height: 0 }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: pan-y }
.tip { position: absolute; top: 8px; pointer-events: none; padding: 6px 10px; border-radius: var(--st-base-radius);
  background: var(--st-background-color); border: 1px solid var(--st-border-color); box-shadow: 0 2px 10px #0002;
  font-size: 12px; line-height: 1.5; white-space: nowrap; visibility: hidden; font-variant-numeric: tabular-nums }
.tip b { font-weight: 600 } .tip i { display: inline-block; width: 8px; height: 8px; border-radius: 4px; margin-right: 6px }
.empty { position: absolute; inset: 0; display: grid; place-items: center; opacity: .55; pointer-events: none }`

const EASE = 250 // milliseconds of the axis animation
const LEFT = 56, RIGHT = 14, TOP = 10, BOTTOM = 40, ROW = 18
const kept = (name, value) => {
  const key = `aeviz.chart.${name}`
  if (value !== undefined) sessionStorage.setItem(key, JSON.stringify(value))
  return JSON.parse(sessionStorage.getItem(key) ?? "null")
}
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))

const format = (value) => {
  const size = Math.abs(value)
  if (size && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace("e+", "e")
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 })
}

const linearTicks = (low, high, count, whole = false) => {
  const rough = (high - low) / count
  const size = 10 ** Math.floor(Math.log10(rough))
  let step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= rough * 0.999)
  if (whole) step = Math.max(1, step)
  const ticks = []
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) ticks.push(Number(at.toPrecision(12)))
  return ticks
}

const logTicks = (low, high) => {
  const ticks = []
  const factors = Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5]
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const factor of factors) ticks.push(factor * 10 ** power)
  const inside = ticks.filter((tick) => tick >= low && tick <= high)
  return inside.length > 1 ? inside : linearTicks(low, high, 4)
}

class Chart {
  constructor(parent) {
    make("style", "", parent).textContent = CSS
    this.root = make("div", "chart", parent)
    const head = make("div", "head", this.root)
    this.legend = make("div", "legend", head)
    this.switch = Object.assign(make("button", "log", head), { textContent: "log", title: "Logarithmic scale" })
    this.switch.onclick = () => { this.log = kept(`${this.data.name}.log`, !this.log); this.show(this.data) }
    const plot = make("div", "plot", this.root)
    this.canvas = make("canvas", "", plot)
    this.canvas.setAttribute("role", "img")
    this.empty = make("div", "empty", plot)
    this.tip = make("div", "tip", plot)
    this.canvas.onpointermove = (event) => { this.pointer = event.offsetX; this.draw() }
    this.canvas.onpointerleave = () => { this.pointer = null; this.draw() }
    new ResizeObserver(() => this.draw()).observe(plot)
  }

  show(data) {
    const other = !this.data || this.data.about !== data.about
    this.data = data
    this.log = kept(`${data.name}.log`) ?? data.log
    this.hidden = new Set(kept(`${data.name}.hidden`) ?? [])
    this.root.style.height = `${data.height}px`
    this.switch.setAttribute("aria-pressed", this.log)
    this.canvas.setAttribute("aria-label", data.alt)
    this.root.dataset.about = data.about
    this.root.dataset.points = data.series.reduce((sum, one) => sum + one.x.length, 0)
    this.root.dataset.events = data.events.length
    this.listSeries()
    this.visible = data.series.filter((one) => !this.hidden.has(one.name) && one.x.length)
    this.empty.textContent = this.visible.length ? "" : data.empty
    const target = this.range()
    const jump = other || !this.view || this.view.log !== target.log || matchMedia("(prefers-reduced-motion)").matches
    this.move(jump ? target : this.view, target)
  }

  listSeries() {
    const wanted = JSON.stringify([this.data.series.map((one) => [one.name, one.colour, one.dash]), [...this.hidden]])
    if (wanted === this.listed) return
    this.listed = wanted
    this.legend.replaceChildren(...this.data.series.map((one) => {
      const button = Object.assign(document.createElement("button"), { title: "Show or hide" })
      button.setAttribute("aria-pressed", !this.hidden.has(one.name))
      const key = make("span", "key", button)
      key.style.borderTopColor = one.colour
      if (one.dash) key.style.borderTopStyle = "dashed"
      button.append(one.name)
      button.onclick = () => {
        if (!this.hidden.delete(one.name)) this.hidden.add(one.name)
        kept(`${this.data.name}.hidden`, [...this.hidden])
        this.show(this.data)
      }
      return button
    }))
  }

  range() {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity
    for (const { x, y } of this.visible) {
      x0 = Math.min(x0, x[0])
      x1 = Math.max(x1, x[x.length - 1])
      for (const value of y) if (value !== null && (!this.log || value > 0)) { y0 = Math.min(y0, value); y1 = Math.max(y1, value) }
    }
    if (!isFinite(x0)) [x0, x1] = [0, 1]
    if (!isFinite(y0)) [y0, y1] = this.log ? [1, 10] : [0, 1]
    if (x0 > 0 && x0 < 0.1 * x1) x0 = 0
    if (x1 <= x0) x1 = x0 + 1
    if (this.log) {
      const pad = Math.max(0.03 * Math.log10(y1 / y0), 0.02)
      return { log: true, x0, x1, y0: Math.log10(y0) - pad, y1: Math.log10(y1) + pad }
    }
    const pad = 0.05 * (y1 - y0) || Math.abs(y1) * 0.1 || 1
    return { log: false, x0, x1, y0: y0 >= 0 ? Math.max(0, y0 - pad) : y0 - pad, y1: y1 + pad }
  }

  move(from, to) {
    cancelAnimationFrame(this.frame)
    const began = performance.now()
    const step = () => {
      const share = from === to ? 1 : Math.min(1, (performance.now() - began) / EASE)
      const eased = 1 - (1 - share) ** 3
      this.view = { log: to.log }
      for (const end of ["x0", "x1", "y0", "y1"]) this.view[end] = from[end] + (to[end] - from[end]) * eased
      this.draw()
      if (share < 1) this.frame = requestAnimationFrame(step)
    }
    step()
  }

  draw() {
    const { canvas, view, data } = this
    const width = canvas.clientWidth, height = canvas.clientHeight
    if (!data || !view || !width || !height) return
    const scale = devicePixelRatio || 1
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale))
      Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) })
    const paint = canvas.getContext("2d")
    const style = getComputedStyle(this.root)
    this.ink = style.color
    paint.setTransform(scale, 0, 0, scale, 0, 0)
    paint.clearRect(0, 0, width, height)
    paint.font = `12px ${style.fontFamily}`
    this.box = { left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM }
    this.toX = (x) => LEFT + ((x - view.x0) / (view.x1 - view.x0)) * (this.box.right - LEFT)
    this.toY = (y) => this.box.bottom - (((view.log ? Math.log10(y) : y) - view.y0) / (view.y1 - view.y0)) * (this.box.bottom - TOP)
    if (this.visible.length) this.drawAxes(paint, style)
    paint.save()
    paint.beginPath()
    paint.rect(LEFT - 4, 0, width - LEFT, this.box.bottom + 4)
    paint.clip()
    this.drawEvents(paint, style)
    for (const one of this.visible) this.drawLine(paint, one)
    this.drawHover(paint)
    paint.restore()
  }

  drawAxes(paint, style) {
    const { view, box } = this
    const low = view.log ? 10 ** view.y0 : view.y0, high = view.log ? 10 ** view.y1 : view.y1
    Object.assign(paint, { fillStyle: this.ink, strokeStyle: this.ink, lineWidth: 1, textBaseline: "middle", textAlign: "right" })
    for (const tick of view.log ? logTicks(low, high) : linearTicks(low, high, Math.max(2, (box.bottom - box.top) / 48))) {
      const y = Math.round(this.toY(tick)) + 0.5
      paint.globalAlpha = 0.12
      paint.beginPath(); paint.moveTo(box.left, y); paint.lineTo(box.right, y); paint.stroke()
      paint.globalAlpha = 0.6
      paint.fillText(format(tick), box.left - 8, y)
    }
    paint.textAlign = "center"
    const wide = Math.max(2, Math.floor((box.right - box.left) / 90))
    for (const tick of linearTicks(view.x0, view.x1, wide, view.x1 - view.x0 >= 3)) paint.fillText(format(tick), this.toX(tick), box.bottom + 13)
    paint.fillText(this.data.x_label, (box.left + box.right) / 2, box.bottom + 31)
    paint.save()
    paint.translate(9, (box.top + box.bottom) / 2)
    paint.rotate(-Math.PI / 2)
    paint.fillText(this.data.y_label, 0, 0)
    paint.restore()
    paint.globalAlpha = 1
  }

  drawEvents(paint, style) {
    const ends = [-Infinity, -Infinity, -Infinity]
    Object.assign(paint, { textAlign: "left", textBaseline: "middle", strokeStyle: style.getPropertyValue("--st-primary-color") })
    for (const { x, words } of this.data.events) {
      const at = Math.round(this.toX(x)) + 0.5
      const size = paint.measureText(words).width + 12
      const left = Math.min(at + 3, this.box.right - size)
      const row = ends.findIndex((end) => end < left)
      paint.globalAlpha = 0.75
      paint.setLineDash([3, 3])
      paint.beginPath(); paint.moveTo(at, TOP); paint.lineTo(at, this.box.bottom); paint.stroke()
      paint.setLineDash([])
      if (row < 0) continue
      ends[row] = left + size
      paint.globalAlpha = 0.92
      paint.fillStyle = style.getPropertyValue("--st-secondary-background-color")
      paint.beginPath(); paint.roundRect(left, TOP + row * ROW, size, ROW - 2, 4); paint.fill()
      paint.globalAlpha = 0.9
      paint.fillStyle = this.ink
      paint.fillText(words, left + 6, TOP + row * ROW + (ROW - 2) / 2)
    }
    paint.globalAlpha = 1
  }

  drawLine(paint, { x, y, colour, dash }) {
    Object.assign(paint, { strokeStyle: colour, fillStyle: colour, lineWidth: 2, lineJoin: "round" })
    paint.setLineDash(dash ? [5, 4] : [])
    paint.beginPath()
    let down = false
    let last = -1
    for (let i = 0; i < x.length; i++) {
      if (y[i] === null || (this.view.log && y[i] <= 0)) { down = false; continue }
      if (down) paint.lineTo(this.toX(x[i]), this.toY(y[i]))
      else paint.moveTo(this.toX(x[i]), this.toY(y[i]))
      down = true
      last = i
    }
    paint.stroke()
    paint.setLineDash([])
    for (let i = x.length > 12 ? Math.max(last, 0) : 0; i <= last; i++) {
      if (y[i] === null || (this.view.log && y[i] <= 0)) continue
      paint.beginPath(); paint.arc(this.toX(x[i]), this.toY(y[i]), 3, 0, 7); paint.fill()
    }
  }

  drawHover(paint) {
    const inside = this.pointer != null && this.pointer >= LEFT - 4 && this.pointer <= this.box.right + 4 && this.visible.length
    this.tip.style.visibility = inside ? "visible" : "hidden"
    if (!inside) return
    const wanted = this.view.x0 + ((this.pointer - LEFT) / (this.box.right - LEFT)) * (this.view.x1 - this.view.x0)
    const lines = []
    let nearest = null
    for (const one of this.visible) {
      let low = 0, high = one.x.length - 1
      while (low < high) { const middle = (low + high) >> 1; if (one.x[middle] < wanted) low = middle + 1; else high = middle }
      if (low && wanted - one.x[low - 1] < one.x[low] - wanted) low--
      if (one.y[low] === null) continue
      if (nearest === null || Math.abs(one.x[low] - wanted) < Math.abs(nearest - wanted)) nearest = one.x[low]
      lines.push([one, low])
    }
    if (nearest === null) return
    const at = Math.round(this.toX(nearest)) + 0.5
    Object.assign(paint, { strokeStyle: this.ink, globalAlpha: 0.35, lineWidth: 1 })
    paint.beginPath(); paint.moveTo(at, TOP); paint.lineTo(at, this.box.bottom); paint.stroke()
    paint.globalAlpha = 1
    const words = this.data.events.filter((event) => Math.abs(this.toX(event.x) - at) < 5).map((event) => event.words)
    this.tip.replaceChildren(...[`${this.data.x_label} ${format(nearest)}`, ...words].map((text) => {
      const line = document.createElement("div"); make("b", "", line).textContent = text; return line
    }), ...lines.map(([one, i]) => {
      const line = document.createElement("div")
      make("i", "", line).style.background = one.colour
      line.append(`${one.name}  ${format(one.y[i])}`)
      paint.fillStyle = one.colour
      paint.beginPath(); paint.arc(this.toX(one.x[i]), this.toY(one.y[i]), 4, 0, 7); paint.fill()
      return line
    }))
    const size = this.tip.offsetWidth
    this.tip.style.left = `${at + 14 + size > this.box.right ? Math.max(0, at - 14 - size) : at + 14}px`
  }
}

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement }) {
  parentElement.aeviz ??= new Chart(parentElement)
  parentElement.aeviz.show(data)
}
