// A code as draggable bars, one per latent dimension, each from the 1st to the 99th percentile of the test codes.
// Drag up or down to change a value, double-click to reset it. Requires map/base.js.
const CodeBars = (() => {
  const { make } = MapBase
  const STEPS = 50 // arrow-key steps across the range
  const format = (value) => Number(value.toPrecision(3)).toString().replace("-", "−")

  class Bars {
    // onChange(code) is called on every change.
    constructor(parent, words, onChange) {
      this.words = words
      this.onChange = onChange
      this.root = make("div", "code", parent)
      const head = make("div", "head", this.root)
      this.title = make("b", "", head)
      this.hint = make("span", "hint", head)
      this.reset = Object.assign(make("button", "", head), { type: "button", textContent: words.reset, onclick: () => this.restore() })
      this.line = make("div", "bars", this.root)
      this.line.onscroll = () => this.hintAtMore()
      new ResizeObserver(() => this.hintAtMore()).observe(this.line)
      this.bars = []
    }

    // about: {image, z: the image's code, low, high: range per dimension, order: dimensions by descending variance}
    show(about) {
      const other = this.about?.image !== about.image
      this.about = about
      if (other) this.code = Float32Array.from(about.z)
      this.title.textContent = this.words.title.replace("{count}", about.z.length)
      if (this.bars.length !== about.order.length) {
        this.line.replaceChildren()
        this.bars = Array.from(about.order, (_, place) => this.bar(place))
      }
      this.line.style.setProperty("--count", about.order.length)
      this.refresh()
    }

    get changed() { return this.code.some((value, number) => value !== this.about.z[number]) }

    bar(place) {
      const slot = Object.assign(make("div", "slot", this.line), { tabIndex: 0, role: "slider" })
      make("div", "was", slot)
      make("div", "bar", slot)
      const at = (event) => {
        const box = slot.getBoundingClientRect(), { low, high } = this.range(place)
        return high - Math.min(1, Math.max(0, (event.clientY - box.top) / box.height)) * (high - low)
      }
      slot.onpointerdown = (event) => {
        if (event.button !== 0) return
        slot.setPointerCapture(event.pointerId)
        this.dragged = { pointer: event.pointerId, y: event.clientY, moves: false }
      }
      slot.onpointermove = (event) => {
        const { dragged } = this
        if (dragged?.pointer !== event.pointerId) return
        dragged.moves ||= Math.abs(event.clientY - dragged.y) > 2
        if (dragged.moves) this.set(place, at(event))
      }
      slot.onpointerup = slot.onpointercancel = () => { this.dragged = null }
      slot.ondblclick = () => this.set(place, this.about.z[this.number(place)])
      slot.onkeydown = (event) => {
        const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key]
        if (event.key === "Delete" || event.key === "Backspace") return slot.ondblclick()
        if (!step) return
        event.preventDefault()
        const { low, high } = this.range(place)
        this.set(place, Math.min(high, Math.max(low, this.code[this.number(place)] + (step * (high - low)) / STEPS)))
      }
      return slot
    }

    number(place) { return this.about.order[place] }
    range(place) { return { low: this.about.low[this.number(place)], high: this.about.high[this.number(place)] } }

    set(place, value) {
      this.code[this.number(place)] = value
      this.paint(place)
      this.changedByUser()
    }

    restore() {
      this.code.set(this.about.z)
      this.refresh()
      this.changedByUser()
    }

    changedByUser() {
      this.root.classList.toggle("changed", this.changed)
      this.reset.disabled = !this.changed
      this.onChange(this.code)
    }

    refresh() {
      this.bars.forEach((_, place) => this.paint(place))
      this.root.classList.toggle("changed", this.changed)
      this.reset.disabled = !this.changed
    }

    // Text beside the title: the error of the changed code, or instructions.
    say(text) {
      this.text = text
      const scrolls = this.line.scrollWidth > this.line.clientWidth
      this.hint.textContent = text || [this.words.hint, ...(scrolls ? [this.words.more] : [])].join(" ")
    }

    // Fades the right edge while there are more bars to scroll to.
    hintAtMore() {
      const { scrollLeft, scrollWidth, clientWidth } = this.line
      this.line.classList.toggle("more", scrollLeft + clientWidth < scrollWidth - 2)
      this.say(this.text)
    }

    // A bar extends from the middle of its range to its value; a line marks the image's original value.
    paint(place) {
      const slot = this.bars[place], number = this.number(place), { low, high } = this.range(place)
      const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)))
      const value = this.code[number], was = this.about.z[number], here = share(value)
      const [mark, bar] = slot.children
      mark.style.bottom = `${100 * share(was)}%`
      Object.assign(bar.style, { bottom: `${100 * Math.min(0.5, here)}%`, height: `${100 * Math.abs(here - 0.5)}%` })
      slot.classList.toggle("up", here >= 0.5)
      slot.classList.toggle("changed", value !== was)
      slot.title = `z${number + 1} = ${format(value)}` + (value === was ? "" : ` (${this.words.was} ${format(was)})`)
      slot.setAttribute("aria-label", `z${number + 1}`)
      slot.setAttribute("aria-valuenow", format(value))
      slot.setAttribute("aria-valuemin", format(low))
      slot.setAttribute("aria-valuemax", format(high))
    }
  }
  return { Bars }
})()
