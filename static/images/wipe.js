// Three panels with hard pixel edges: original, reconstruction with a slider that wipes it away, and signed error with
// its colour scale. They zoom and pan together. Requires map/base.js and codes/decoder.js.
const Wipe = (() => {
  const { make } = MapBase
  const MOST_ZOOM = 32, NEAR = 26, STEP = 0.05
  const NAMES = ["original", "reconstruction", "error"]

  const format = (value) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(2)
  const signed = (value) => (value > 0 ? "+" : "") + format(value)

  // Colour at `place` in [0, 1] of a scale of evenly spaced colours, each [red, green, blue].
  const shade = (colours, place) => {
    const at = Math.min(1, Math.max(0, place)) * (colours.length - 1), low = Math.min(colours.length - 2, Math.floor(at)), part = at - low
    return colours[low].map((value, channel) => value * (1 - part) + colours[low + 1][channel] * part)
  }
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))

  class Pictures {
    constructor(parent, words) {
      this.root = make("div", "pictures", parent)
      this.words = words
      this.panels = NAMES.map((name) => this.panel(name))
      const buttons = make("div", "zoom", this.panels[2].canvas.parentElement)
      const button = (text, title, act) => Object.assign(make("button", "", buttons), { textContent: text, title, ariaLabel: title, type: "button", onclick: act })
      button("−", words.out, () => this.zoomBy(1 / 1.6))
      button("+", words.in, () => this.zoomBy(1.6))
      this.grip = Object.assign(make("div", "grip", this.panels[1].canvas.parentElement), { tabIndex: 0, role: "slider", title: words.wipe })
      this.grip.setAttribute("aria-label", words.wipe)
      this.scale = make("div", "scale", this.panels[2].note)
      this.scale.title = words.minus
      for (const part of ["low", "bar", "high"]) this[part] = make("span", part, this.scale)
      this.view = { zoom: 1, x: 0.5, y: 0.5 } // centre of the view, as fractions of the image
      this.wiped = 0
      this.pointers = new Map()
      this.listen()
      this.watcher = new ResizeObserver(() => this.fit())
      this.watcher.observe(this.panels[0].canvas.parentElement)
    }

    panel(name) {
      const figure = make("figure", name, this.root), stage = make("div", "stage", figure), canvas = make("canvas", "", stage)
      const caption = make("figcaption", "", figure)
      make("b", "", caption).textContent = this.words[name]
      const note = make("span", "note", caption)
      canvas.setAttribute("role", "img")
      canvas.setAttribute("aria-label", this.words[name])
      return { canvas, note, sheet: document.createElement("canvas") }
    }

    // about: {image, shape, x: values in [0, 1], colours: of the error, hex}; a new `image` resets the view.
    show(about) {
      const other = this.about?.image !== about.image
      this.about = about
      this.colours = about.colours.map(rgb)
      this.bar.style.background = `linear-gradient(90deg, ${about.colours})`
      if (other) Object.assign(this.view, { zoom: 1, x: 0.5, y: 0.5 })
      const [, height, width] = about.shape
      for (const { sheet } of this.panels) Object.assign(sheet, { width, height })
      paintSample(this.panels[0].sheet.getContext("2d"), about.x, about.shape)
      this.panels[0].note.textContent = `${width} × ${height}`
      this.fit()
    }

    // Sets the reconstruction, values in [0, 1].
    setReconstruction(values) {
      this.values = values
      paintSample(this.panels[1].sheet.getContext("2d"), values, this.about.shape)
      this.paintError()
      this.draw()
    }

    // Reconstruction minus original, averaged over the channels.
    errorAt(pixel) {
      const { shape: [channels, height, width], x } = this.about
      let sum = 0
      for (let at = pixel; at < channels * height * width; at += height * width) sum += this.values[at] - x[at]
      return sum / channels
    }

    paintError() {
      const [, height, width] = this.about.shape
      const errors = Float32Array.from({ length: height * width }, (_, pixel) => this.errorAt(pixel))
      const most = errors.reduce((high, error) => Math.max(high, Math.abs(error)), 0)
      const pixels = new ImageData(width, height)
      errors.forEach((error, pixel) => pixels.data.set([...shade(this.colours, 0.5 + error / (2 * most || 1)), 255], 4 * pixel))
      this.panels[2].sheet.getContext("2d").putImageData(pixels, 0, 0)
      this.low.textContent = signed(-most)
      this.high.textContent = signed(most)
      this.most = most
    }

    // Resizes the panels to the available width, if possible by a whole number of CSS pixels per image pixel.
    fit() {
      if (!this.about) return
      const [, height, width] = this.about.shape
      const available = this.panels[0].canvas.parentElement.clientWidth
      if (!available) return
      const across = Math.min(available, (this.about.most * width) / height)
      const wide = across >= width ? Math.floor(across / width) * width : across
      for (const { canvas } of this.panels) {
        const dots = Math.round(wide * devicePixelRatio), tall = Math.round((wide * height * devicePixelRatio) / width)
        if (canvas.width !== dots || canvas.height !== tall) Object.assign(canvas, { width: dots, height: tall })
        Object.assign(canvas.style, { width: `${wide}px`, height: `${(wide * height) / width}px` })
      }
      this.root.style.setProperty("--side", `${wide}px`)
      if (this.values) this.draw()
    }

    draw() {
      const { zoom, x, y } = this.view, [, height, width] = this.about.shape
      const left = (x - 0.5 / zoom) * width, top = (y - 0.5 / zoom) * height
      this.panels.forEach(({ canvas, sheet }, number) => {
        const context = canvas.getContext("2d"), size = [canvas.width, canvas.height]
        const put = (source, to) => {
          context.save()
          context.beginPath()
          context.rect(0, 0, to, size[1])
          context.clip()
          context.drawImage(source, left, top, width / zoom, height / zoom, 0, 0, ...size)
          context.restore()
        }
        context.imageSmoothingEnabled = false
        put(sheet, size[0])
        if (number === 1 && this.wiped > 0) put(this.panels[0].sheet, this.wiped * size[0])
        if (this.pixel) this.outline(context, canvas.width / width * zoom, left, top)
      })
      this.root.classList.toggle("near", zoom > 1)
      this.grip.style.left = `${this.wiped * 100}%`
      this.grip.setAttribute("aria-valuenow", String(Math.round(this.wiped * 100)))
    }

    outline(context, scale, left, top) {
      const [column, row] = this.pixel, place = [(column - left) * scale, (row - top) * scale, scale, scale]
      for (const [colour, line] of [["#000", 3], ["#fff", 1]]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: line })
        context.strokeRect(...place)
      }
    }

    // Zooms around a fixed point, given as fractions of the panel.
    zoomBy(factor, across = 0.5, down = 0.5) {
      const before = this.view.zoom, zoom = Math.min(MOST_ZOOM, Math.max(1, before * factor))
      this.moveTo(zoom, this.view.x + (across - 0.5) * (1 / before - 1 / zoom), this.view.y + (down - 0.5) * (1 / before - 1 / zoom))
    }

    moveTo(zoom, x, y) {
      const inside = (value) => Math.min(1 - 0.5 / zoom, Math.max(0.5 / zoom, value))
      this.view = { zoom, x: inside(x), y: inside(y) }
      this.draw()
    }

    wipeTo(share) {
      this.wiped = Math.min(1, Math.max(0, share))
      this.draw()
    }

    listen() {
      this.panels.forEach(({ canvas }, number) => {
        const stage = canvas.parentElement
        const at = (event) => {
          const box = canvas.getBoundingClientRect()
          return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
        }
        stage.addEventListener("wheel", (event) => {
          if (event.deltaY > 0 && this.view.zoom === 1) return // fully zoomed out: let the page scroll
          event.preventDefault()
          this.zoomBy(Math.exp(-event.deltaY / 300), ...at(event))
        }, { passive: false })
        stage.onpointerdown = (event) => {
          if (event.target.closest("button")) return
          stage.setPointerCapture(event.pointerId)
          this.pointers.set(event.pointerId, at(event))
          const close = Math.abs(at(event)[0] - this.wiped) * canvas.clientWidth < NEAR
          this.wiping = number === 1 && (this.view.zoom === 1 || close)
          if (this.wiping) this.wipeTo(at(event)[0])
        }
        stage.onpointermove = (event) => (this.pointers.has(event.pointerId) ? this.drag(event.pointerId, at(event)) : this.look(at(event)))
        stage.onpointerup = stage.onpointercancel = (event) => this.pointers.delete(event.pointerId)
        stage.onpointerleave = () => this.look(null)
        stage.ondblclick = () => this.moveTo(1, 0.5, 0.5)
      })
      this.grip.onkeydown = (event) => {
        const step = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -1, End: 1 }[event.key]
        if (step) { event.preventDefault(); this.wipeTo(this.wiped + step) }
      }
    }

    drag(pointer, place) {
      const before = this.pointers.get(pointer)
      const [other] = [...this.pointers].filter(([id]) => id !== pointer).map(([, at]) => at)
      this.pointers.set(pointer, place)
      if (other) {
        const apart = (at) => Math.hypot(at[0] - other[0], at[1] - other[1])
        return this.zoomBy(apart(place) / Math.max(apart(before), 1e-3), (place[0] + other[0]) / 2, (place[1] + other[1]) / 2)
      }
      if (this.wiping) return this.wipeTo(place[0])
      const { zoom, x, y } = this.view
      this.moveTo(zoom, x - (place[0] - before[0]) / zoom, y - (place[1] - before[1]) / zoom)
    }

    // Outlines the pixel under the pointer in all panels and reports its values.
    look(place) {
      if (!this.values) return
      const { zoom, x, y } = this.view, [, height, width] = this.about.shape
      const found = place && [x + (place[0] - 0.5) / zoom, y + (place[1] - 0.5) / zoom]
      const inside = found?.every((share) => share >= 0 && share < 1)
      this.pixel = inside ? [Math.floor(found[0] * width), Math.floor(found[1] * height)] : null
      this.onLook?.(this.pixel && this.valuesAt(...this.pixel))
      this.draw()
    }

    valuesAt(column, row) {
      const { shape: [channels, height, width], x } = this.about, pixel = row * width + column
      const of = (values) => Array.from({ length: channels }, (_, channel) => format(values[channel * height * width + pixel])).join(" ")
      return { column, row, original: of(x), reconstruction: of(this.values), error: signed(this.errorAt(pixel)) }
    }

    close() { this.watcher.disconnect() }
  }
  return { Pictures }
})()
