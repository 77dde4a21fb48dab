// Paths through the latent space, side by side: a stage that shows and plays one step of each, and strips with the
// distance to the data below. Stage, strips and map follow the window's "aeviz-step" event, so they stay in sync
// without the server.
const CSS = `
.roads { color: var(--st-text-color); font: 13px var(--st-font); position: relative; user-select: none; -webkit-user-select: none }
.stage { display: flex; flex-direction: column; justify-content: space-between }
.screens { display: flex; gap: 14px; justify-content: center; align-items: center; flex: 1; min-height: 0 }
.screen { display: flex; flex-direction: column; align-items: center; gap: 3px; min-width: 0; text-align: center }
.screen canvas { border-radius: 6px; display: block }
.name { font-weight: 600; display: flex; gap: 6px; align-items: center; white-space: nowrap; margin-top: 3px }
.name i { width: 9px; height: 9px; border-radius: 5px; background: var(--colour); flex: none }
.far { opacity: .7; font-variant-numeric: tabular-nums; white-space: nowrap }
.time { display: flex; align-items: center; gap: 10px; height: 40px; flex: none }
.time input { flex: 1; min-width: 60px; accent-color: var(--st-primary-color) }
.time button { border: 1px solid var(--st-border-color); background: none; color: inherit; font: inherit; cursor: pointer;
  border-radius: var(--st-button-radius); padding: 5px 12px; min-width: 68px }
.time button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color) }
.time output { min-width: 84px; text-align: right; opacity: .75; font-variant-numeric: tabular-nums }
.row { display: grid; grid-template-columns: 112px 1fr; align-items: center; column-gap: 8px }
.row .name { margin: 0; white-space: normal; align-items: baseline }
.row .words span { opacity: .65; padding-left: 15px; font-variant-numeric: tabular-nums }
.row canvas { display: block; border-radius: 4px; cursor: ew-resize; touch-action: pan-y }
.head { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: var(--st-primary-color); pointer-events: none; border-radius: 1px }
.narrow .row { grid-template-columns: 1fr }
.narrow .row .words { display: flex; gap: 8px; height: 20px } .narrow .row .words span { padding: 0 }
.narrow .screens { gap: 8px }`
const { make } = MapBase
const THUMB = 50, LEAST = 42, CHART = 30, STOPS = 46
const SMALL = 130 // image sizes in pixels below which the caption is shortened
const ROUND = 3200 // milliseconds from one end to the other, for paths with few steps
const FASTEST = 70 // least milliseconds per frame
const steps = new Map() // current step by name of the walk, until the page is closed

const stepTo = (name, step) => {
  steps.set(name, step)
  window.dispatchEvent(new CustomEvent("aeviz-step", { detail: { name, step } }))
}

// Base of stage and strips: fetches the frames once and follows the current step.
class Part {
  constructor(parent, className) {
    this.root = Sheets.begin(parent, CSS, `roads ${className}`)
    this.onStep = ({ detail }) => { if (detail.name === this.data?.name && this.frames) this.at(detail.step) }
    window.addEventListener("aeviz-step", this.onStep)
    this.watcher = new ResizeObserver(() => { if (this.frames) this.draw() })
    this.watcher.observe(this.root)
  }

  // The previous frames stay visible until the new ones have loaded.
  async show(data, tell) {
    const { address } = data
    this.wanted = address
    this.root.style.height = `${data.height}px`
    this.root.classList.toggle("narrow", data.narrow)
    try {
      const packed = await MapBase.packed(address)
      const [frames, stops] = await Promise.all([Sheets.read(packed.frames), Sheets.read(packed.stops)])
      if (address !== this.wanted) return
      const before = this.data
      Object.assign(this, { data, frames, stops, distance: packed.distance, places: packed.places, count: frames.count / data.roads.length })
      if (JSON.stringify(before) !== JSON.stringify(data)) this.build()
      this.draw()
    } catch (error) {
      if (address === this.wanted) tell("missing", Date.now()) // the server may have evicted the bytes
    }
  }

  get step() { return Math.min(steps.get(this.data.name) ?? Math.floor(this.count / 2), this.count - 1) }
  far(path, step) { return this.distance?.[path * this.count + step] }
  close() { window.removeEventListener("aeviz-step", this.onStep); this.watcher.disconnect() }
}

class Stage extends Part {
  constructor(parent) {
    super(parent, "stage")
    this.screens = make("div", "screens", this.root)
    const time = make("div", "time", this.root)
    this.button = make("button", "", time)
    this.slider = Object.assign(make("input", "", time), { type: "range", min: 0, step: 1 })
    this.output = make("output", "", time)
    this.button.onclick = () => (this.timer ? this.stop() : this.play())
    this.slider.oninput = () => { this.stop(); stepTo(this.data.name, Number(this.slider.value)) }
  }

  build() {
    this.stop()
    this.slider.max = this.count - 1
    this.slider.ariaLabel = this.data.said.place
    this.parts = this.data.roads.map(({ label, colour }) => {
      const screen = document.createElement("div")
      screen.className = "screen"
      const canvas = make("canvas", "", screen), name = make("div", "name", screen)
      make("i", "", name)
      name.style.setProperty("--colour", colour)
      name.append(label)
      return { screen, canvas, far: make("div", "far", screen) }
    })
    this.screens.replaceChildren(...this.parts.map(({ screen }) => screen))
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.screens, { narrow } = this.data
    const count = this.parts.length, gap = narrow ? 8 : 14
    this.most = Math.max(40, Math.min(height - 48, (width - gap * (count - 1)) / count))
    this.at(this.step)
  }

  at(step) {
    this.slider.value = step
    this.root.dataset.step = step
    this.output.textContent = `${this.data.said.step} ${step + 1} ${this.data.said.of} ${this.count}`
    this.button.textContent = this.timer ? this.data.said.pause : this.data.said.play
    this.parts.forEach(({ canvas, far }, path) => {
      Sheets.paint(canvas, this.frames, path * this.count + step, this.most)
      far.textContent = this.words(this.far(path, step))
    })
  }

  words(far) {
    if (far === undefined) return ""
    const times = `${far.toFixed(1)}×`
    return this.most < SMALL ? times : `${times} · ${distanceText(far, this.data.said)}`
  }

  // Plays back and forth until stopped.
  play() {
    let towards = this.step >= this.count - 1 ? -1 : 1
    const each = Math.max(FASTEST, ROUND / this.count)
    this.timer = setInterval(() => {
      if (!this.root.isConnected) return this.stop()
      if (this.step + towards < 0 || this.step + towards >= this.count) towards = -towards
      stepTo(this.data.name, this.step + towards)
    }, each)
    this.at(this.step)
  }

  stop() {
    clearInterval(this.timer)
    this.timer = null
    this.button.textContent = this.data.said.play
  }

  close() { this.stop(); super.close() }
}

class Strips extends Part {
  constructor(parent) {
    super(parent, "strips")
    this.rows = make("div", "", this.root)
    this.head = make("div", "head", this.root)
  }

  build() {
    const row = (label, colour, more) => {
      const root = document.createElement("div")
      root.className = "row"
      const words = make("div", "words", root), name = make("div", "name", words)
      if (colour) make("i", "", name)
      name.style.setProperty("--colour", colour)
      name.append(label)
      make("span", "", words).textContent = more
      const canvas = make("canvas", "", root)
      const scrub = (event) => {
        const part = event.offsetX / canvas.clientWidth
        stepTo(this.data.name, Math.max(0, Math.min(this.count - 1, Math.floor(part * this.count))))
      }
      canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); scrub(event) }
      canvas.onpointermove = (event) => { if (event.buttons) scrub(event) }
      return { root, canvas }
    }
    this.stopsRow = row(this.data.said.stops, "", "")
    this.parts = this.data.roads.map(({ label, colour }, path) => {
      const farthest = this.distance && Math.max(...this.distance.subarray(path * this.count, (path + 1) * this.count))
      return row(label, colour, farthest ? `${this.data.said.most} ${farthest.toFixed(1)}×` : "")
    })
    this.rows.replaceChildren(this.stopsRow.root, ...this.parts.map(({ root }) => root))
    this.high = this.distance ? Math.max(2, ...this.distance) * 1.06 : 0
  }

  get width() { return this.root.clientWidth - (this.data.narrow ? 0 : 120) }
  x(step) { return ((step + 0.5) / this.count) * this.width }

  draw() {
    if (this.width <= 0) return
    this.drawStops()
    this.parts.forEach(({ canvas }, path) => {
      const pen = Sheets.fit(canvas, this.width, THUMB + 2 + (this.distance ? CHART + 8 : 4))
      this.strip(pen, path)
      if (this.distance) this.chart(pen, path, this.data.roads[path].colour)
    })
    this.at(this.step)
  }

  drawStops() {
    const pen = Sheets.fit(this.stopsRow.canvas, this.width, STOPS)
    const [width, height] = Sheets.sized(this.stops.width, this.stops.height, STOPS - 4)
    this.places.forEach((step, number) => {
      const left = Math.max(0, Math.min(this.width - width, this.x(step) - width / 2))
      this.stops.draw(pen, number, left, 0, width, height)
    })
  }

  // As many frames as fit, each at its step.
  strip(pen, path) {
    const shown = Math.min(this.count, Math.floor(this.width / LEAST)), slot = this.width / shown
    const [width, height] = Sheets.sized(this.frames.width, this.frames.height, Math.min(THUMB, slot - 2))
    for (let number = 0; number < shown; number++) {
      const step = Math.round(((number + 0.5) / shown) * this.count - 0.5)
      this.frames.draw(pen, path * this.count + step, (number + 0.5) * slot - width / 2, (THUMB - height) / 2, width, height)
    }
  }

  // Distance to the data at each step; the dashed line marks the typical distance between neighbours.
  chart(pen, path, colour) {
    const foot = THUMB + 4 + CHART, y = (far) => foot - (far / this.high) * CHART
    const trace = () => {
      pen.beginPath()
      for (let step = 0; step < this.count; step++) pen.lineTo(this.x(step), y(this.far(path, step)))
    }
    trace()
    pen.lineTo(this.x(this.count - 1), foot)
    pen.lineTo(this.x(0), foot)
    pen.globalAlpha = 0.18
    pen.fillStyle = pen.strokeStyle = colour
    pen.fill()
    pen.globalAlpha = 1
    pen.lineWidth = 2
    pen.lineJoin = "round"
    trace()
    pen.stroke()
    pen.strokeStyle = getComputedStyle(this.root).color
    pen.globalAlpha = 0.45
    pen.lineWidth = 1
    pen.setLineDash([3, 4])
    pen.beginPath()
    pen.moveTo(0, Math.round(y(1)) + 0.5)
    pen.lineTo(this.width, Math.round(y(1)) + 0.5)
    pen.stroke()
    pen.setLineDash([])
    pen.globalAlpha = 1
  }

  at(step) {
    this.root.dataset.step = step
    this.head.style.left = `${this.root.clientWidth - this.width + this.x(step)}px`
  }
}

const PARTS = { stage: Stage, strips: Strips }

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.aeviz ??= new PARTS[data.part](parentElement)
  const part = parentElement.aeviz
  clearTimeout(part.closing)
  part.show(data, (name, value) => setTriggerValue(name, value))
  return () => { part.closing = setTimeout(() => { if (!parentElement.isConnected) part.close() }, 1000) }
}
