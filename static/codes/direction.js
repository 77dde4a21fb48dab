// Moves an image's code along a direction: z + amount * vector, decoded in the browser while the slider moves. Below
// it, a row of previews over the whole range.
const CSS = `
.direction { color: var(--st-text-color); font: 13px var(--st-font); display: flex; flex-direction: column; gap: 10px; user-select: none; -webkit-user-select: none }
.line { display: flex; justify-content: center; align-items: center; gap: 12px }
.line figure { margin: 0; display: flex; flex-direction: column; gap: 5px; align-items: center; min-width: 0 }
.line canvas, .line img { border-radius: 6px; display: block; image-rendering: pixelated; object-fit: contain }
.line figcaption { opacity: .75; white-space: nowrap; font-variant-numeric: tabular-nums; max-width: 100%; overflow: hidden; text-overflow: ellipsis }
.line em { font-style: normal; font-size: 20px; opacity: .5; padding-bottom: 20px }
.amount { display: grid; grid-template-columns: 1fr auto; align-items: center; column-gap: 14px }
.amount input { width: 100%; margin: 0; accent-color: var(--st-primary-color) }
.amount output { min-width: 62px; text-align: right; font-weight: 600; font-variant-numeric: tabular-nums }
.marks { position: relative; height: 16px; opacity: .65; font-size: 12px; margin-right: 76px } .marks span { position: absolute; white-space: nowrap }
.way { display: flex; gap: 2px; justify-content: space-between } .way canvas { cursor: pointer; border-radius: 3px }
.way canvas.near { outline: 2px solid var(--st-primary-color) }`
const { make } = MapBase
const LARGE = 230, SMALL = 150, KNOB = 8
const amounts = new Map() // slider position by name, until the page is closed

class Direction {
  constructor(parent) {
    this.root = Sheets.begin(parent, CSS, "direction")
    this.line = make("div", "line", this.root)
    const amount = make("div", "amount", this.root)
    this.slider = Object.assign(make("input", "", amount), { type: "range", step: 0.01 })
    this.output = make("output", "", amount)
    this.marks = make("div", "marks", this.root)
    this.way = make("div", "way", this.root)
    this.slider.oninput = () => this.at(Number(this.slider.value))
    this.slider.ondblclick = () => this.at(this.data.start)
    this.watcher = new ResizeObserver(() => { if (this.data) this.draw() })
    this.watcher.observe(this.root)
  }

  show(data) {
    const before = this.data
    this.data = data
    if (JSON.stringify(before?.decode) !== JSON.stringify(data.decode)) this.decoder = new MapDecode.Decoder(data.decode)
    Object.assign(this.slider, { min: data.low, max: data.high, ariaLabel: data.label })
    this.build()
    this.draw()
  }

  build() {
    const { pictures, signs, label } = this.data
    this.line.replaceChildren()
    this.images = pictures.map(({ source, caption }, place) => {
      const figure = make("figure", "", this.line)
      const image = Object.assign(make("img", "", figure), { src: source, alt: caption })
      make("figcaption", "", figure).textContent = caption
      make("em", "", this.line).textContent = signs[place]
      return image
    })
    const figure = make("figure", "moved", this.line)
    this.canvas = make("canvas", "", figure)
    make("figcaption", "", figure).textContent = label
    this.marks.replaceChildren(...this.data.marks.map(({ at, text }) => {
      const mark = document.createElement("span")
      const part = (at - this.data.low) / (this.data.high - this.data.low)
      mark.textContent = text
      mark.style.left = `calc(${part * 100}% + ${KNOB * (1 - 2 * part)}px)`
      mark.style.transform = `translateX(${part === 0 ? -KNOB : 0}px) translateX(${part === 0 ? 0 : part === 1 ? -100 : -50}%)`
      return mark
    }))
    this.stops = Array.from({ length: this.data.steps }, (_, step) => this.data.low + (step / (this.data.steps - 1)) * (this.data.high - this.data.low))
    this.way.replaceChildren(...this.stops.map((amount) => {
      const canvas = document.createElement("canvas")
      canvas.onclick = () => this.at(amount)
      return canvas
    }))
  }

  code(amount) { return Float32Array.from(this.data.z, (value, d) => value + amount * this.data.vector[d]) }

  // The condition of a conditional decoder, which changes along with the code.
  condition(amount) {
    const { turn } = this.data
    return turn && Float32Array.from(turn[0], (share, place) => share + amount * turn[1][place])
  }

  draw() {
    const width = this.root.clientWidth, count = this.images.length + 1
    if (!width) return
    const [, tall, wide] = this.data.decode.shape
    const most = (width - 40 * (count - 1)) / count
    const size = (limit) => Sheets.sized(wide, tall, Math.max(30, Math.min(limit, most)))
    this.large = size(LARGE)
    const small = size(SMALL)
    Sheets.fit(this.canvas, ...this.large)
    for (const image of this.images) Object.assign(image.style, { width: `${small[0]}px`, height: `${small[1]}px` })
    this.at(amounts.get(this.data.name) ?? this.data.start)
    this.drawWay()
  }

  put(canvas, values, [width, height]) {
    const { shape } = this.decoder.about
    const pen = Sheets.fit(canvas, width, height)
    pen.imageSmoothingEnabled = width < shape[2]
    pen.drawImage(MapDecode.onCanvas(values, shape), 0, 0, width, height)
  }

  at(amount) {
    const { low, high, name } = this.data
    this.amount = Math.max(low, Math.min(high, amount))
    amounts.set(name, this.amount)
    this.slider.value = this.amount
    this.output.textContent = `${this.amount < 0 ? "−" : "+"}${Math.abs(this.amount).toFixed(2)}`
    const near = Math.round(((this.amount - low) / (high - low)) * (this.stops.length - 1))
    ;[...this.way.children].forEach((canvas, step) => canvas.classList.toggle("near", step === near))
    const asked = this.amount, { canvas } = this
    this.decoder.of(this.code(asked), (values) => {
      this.put(canvas, values, this.large)
      this.root.dataset.amount = asked
    }, this.condition(asked))
  }

  async drawWay() {
    const [, tall, wide] = this.data.decode.shape
    const side = Math.min(88, this.root.clientWidth / this.stops.length - 3)
    const size = [side * Math.min(1, wide / tall), side * Math.min(1, tall / wide)]
    const { data } = this, canvases = [...this.way.children]
    const codes = this.stops.map((amount) => ({ z: this.code(amount), condition: this.condition(amount) }))
    for (const canvas of canvases) Sheets.fit(canvas, ...size)
    if (this.decoder.local) return codes.forEach(({ z, condition }, step) => this.put(canvases[step], this.decoder.decoder.decode(z, condition), size))
    const values = await this.decoder.fetch(MapDecode.concatenate(codes)).catch(() => null)
    if (!values || data !== this.data) return
    const each = values.length / codes.length
    canvases.forEach((canvas, step) => this.put(canvas, values.subarray(step * each, (step + 1) * each), size))
  }

  close() { this.watcher.disconnect() }
}

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement }) {
  parentElement.aeviz ??= new Direction(parentElement)
  const direction = parentElement.aeviz
  clearTimeout(direction.closing)
  direction.show(data)
  return () => { direction.closing = setTimeout(() => { if (!parentElement.isConnected) direction.close() }, 1000) }
}
