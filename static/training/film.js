// The map during training: dots animated from frame to frame, with a timeline to scrub and play.
// Data format: header length (uint32), header (JSON), classes (int16 per dot), frames (int16 x and y per dot).
const CSS = `
.film { display: flex; flex-direction: column; font: 13px var(--st-font); color: var(--st-text-color) }
.plot { position: relative; flex: 1; min-height: 0 }
canvas { position: absolute; inset: 0; width: 100%; height: 100% }
.names { display: flex; flex-wrap: wrap; gap: 2px 12px; height: 22px; overflow: hidden; flex: none; opacity: .85 }
.names span { display: flex; align-items: center; gap: 5px } .names i { width: 9px; height: 9px; border-radius: 5px }
.time { display: flex; align-items: center; gap: 10px; height: 36px; flex: none }
.time input { flex: 1; min-width: 60px; accent-color: var(--st-primary-color) }
.time button { border: 1px solid var(--st-border-color); background: none; color: inherit; font: inherit; cursor: pointer;
  border-radius: var(--st-button-radius); padding: 3px 10px; min-width: 62px }
.time button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color) }
.time output { min-width: 150px; text-align: right; opacity: .75; font-variant-numeric: tabular-nums }
.empty { position: absolute; inset: 0; display: grid; place-items: center; opacity: .55; pointer-events: none }`
const GLIDE = 420 // milliseconds from frame to frame during training
const PACE = 110 // milliseconds from frame to frame in playback
const make = (tag, className, parent) => parent.appendChild(Object.assign(document.createElement(tag), { className }))

class Film {
  constructor(parent) {
    make("style", "", parent).textContent = CSS
    this.root = make("div", "film", parent)
    this.names = make("div", "names", this.root)
    const plot = make("div", "plot", this.root)
    this.canvas = make("canvas", "", plot)
    this.canvas.setAttribute("role", "img")
    this.canvas.setAttribute("aria-label", "The map of the codes while the network learned")
    this.empty = make("div", "empty", plot)
    const time = make("div", "time", this.root)
    this.button = make("button", "", time)
    this.slider = Object.assign(make("input", "", time), { type: "range", min: 0, step: 1, ariaLabel: "Moment of the training" })
    this.output = make("output", "", time)
    this.frames = new Map() // by step
    this.button.onclick = () => (this.playing ? this.stop() : this.play())
    this.slider.oninput = () => { this.stop(); this.follows = false; this.at(Number(this.slider.value)) }
    new ResizeObserver(() => this.draw()).observe(plot)
    this.follows = true
  }

  show(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const size = view.getUint32(0, true)
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)))
    const numbers = new Int16Array(bytes.slice(4 + size).buffer)
    if (head.about !== this.head?.about) { this.frames.clear(); this.follows = true; this.place = this.reach = null; this.stop() }
    this.head = head
    if (head.full) this.frames.clear()
    this.root.style.height = `${head.height}px`
    this.classes = numbers.subarray(0, head.points)
    head.frames.forEach(({ step, epoch, scale }, number) => {
      const start = head.points * (1 + 2 * number)
      this.frames.set(step, { step, epoch, scale: scale / 32767, places: numbers.subarray(start, start + 2 * head.points) })
    })
    this.order = [...this.frames.values()].sort((a, b) => a.step - b.step)
    this.slider.max = Math.max(0, this.order.length - 1)
    this.root.dataset.frames = this.order.length
    this.empty.textContent = this.order.length ? "" : head.empty
    this.names.replaceChildren(...head.names.map(([name, colour]) => {
      const span = document.createElement("span")
      make("i", "", span).style.background = colour
      span.append(name)
      return span
    }))
    this.label()
    if (!this.order.length) return this.draw()
    if (this.playing) return
    if (this.follows) this.glide(this.order.length - 1, this.place === null ? 0 : GLIDE)
    else this.glide(this.place, 0)
  }

  label() {
    this.button.textContent = this.playing ? "Pause" : this.head.live && !this.follows ? "Live" : "Play"
    this.button.disabled = this.order.length < 2
  }

  play() {
    if (this.head.live && !this.follows) { this.follows = true; this.label(); return this.glide(this.order.length - 1, GLIDE) }
    this.playing = true
    this.label()
    const start = this.place >= this.order.length - 1 ? 0 : this.place
    this.glide(this.order.length - 1, Math.max(PACE, (this.order.length - 1 - start) * PACE), start, () => { this.stop(); this.follows = true })
  }

  stop() {
    cancelAnimationFrame(this.frame)
    this.playing = false
    if (this.order) this.label()
  }

  glide(to, milliseconds, from = this.place ?? to, then = () => {}) {
    cancelAnimationFrame(this.frame)
    const began = performance.now()
    const reach = this.reach ?? this.head.reach
    const step = () => {
      const share = milliseconds ? Math.min(1, (performance.now() - began) / milliseconds) : 1
      this.reach = reach + (this.head.reach - reach) * share
      this.at(from + (to - from) * share)
      if (share < 1) this.frame = requestAnimationFrame(step)
      else then()
    }
    step()
  }

  at(place) {
    this.place = Math.max(0, Math.min(place, this.order.length - 1))
    const near = this.order[Math.round(this.place)]
    this.slider.value = Math.round(this.place)
    this.root.dataset.step = near.step
    this.output.textContent = `epoch ${near.epoch} · step ${near.step.toLocaleString("en-US")}`
    this.draw()
  }

  draw() {
    const { canvas, root } = this
    const width = canvas.clientWidth, height = canvas.clientHeight
    if (!this.head || !width || !height) return
    const ratio = devicePixelRatio || 1
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio))
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
    const paint = canvas.getContext("2d")
    paint.setTransform(ratio, 0, 0, ratio, 0, 0)
    paint.clearRect(0, 0, width, height)
    if (this.place === null || this.place === undefined || !this.order.length) return
    const first = this.order[Math.floor(this.place)], next = this.order[Math.ceil(this.place)]
    const share = this.place - Math.floor(this.place)
    const zoom = Math.min(width, height) / 2.1 / this.reach
    const radius = Math.max(1.4, Math.min(3.4, 110 / Math.sqrt(this.head.points)))
    const old = first.scale * (1 - share) * zoom, fresh = next.scale * share * zoom
    paint.globalAlpha = 0.82
    for (let colour = 0; colour < this.head.colours.length; colour++) {
      paint.fillStyle = this.head.colours[colour]
      paint.beginPath()
      for (let dot = 0; dot < this.head.points; dot++) {
        if (this.classes[dot] !== colour) continue
        const x = width / 2 + first.places[2 * dot] * old + next.places[2 * dot] * fresh
        const y = height / 2 - first.places[2 * dot + 1] * old - next.places[2 * dot + 1] * fresh
        paint.moveTo(x + radius, y)
        paint.arc(x, y, radius, 0, 7)
      }
      paint.fill()
    }
    paint.globalAlpha = 1
  }
}

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement }) {
  parentElement.aeviz ??= new Film(parentElement)
  parentElement.aeviz.show(data)
}
