// A code as bars to drag: one for each number, from the first to the ninety-ninth percentile of the test images' codes.
// Up and down changes a number; a double click puts it back. Joined after map/base.js.
const CodeBars = (() => {
  const { make } = MapBase
  const STEPS = 50 // from end to end, by the arrow keys
  const said = (value) => Number(value.toPrecision(3)).toString().replace("-", "−")

  class Bars {
    // onChange(code) hears of every change, as it happens.
    constructor(parent, words, onChange) {
      this.words = words
      this.onChange = onChange
      this.root = make("div", "code", parent)
      const head = make("div", "head", this.root)
      this.title = make("b", "", head)
      this.hint = make("span", "hint", head)
      this.reset = Object.assign(make("button", "", head), { type: "button", textContent: words.reset, onclick: () => this.putBack() })
      this.line = make("div", "bars", this.root)
      this.line.onscroll = () => this.tellOfMore()
      new ResizeObserver(() => this.tellOfMore()).observe(this.line)
      this.bars = []
    }

    // about: {image, z: the image's code, low, high: of each number, order: numbers by variance, largest first}
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
      this.tell()
    }

    putBack() {
      this.code.set(this.about.z)
      this.refresh()
      this.tell()
    }

    tell() {
      this.root.classList.toggle("changed", this.changed)
      this.reset.disabled = !this.changed
      this.onChange(this.code)
    }

    refresh() {
      this.bars.forEach((_, place) => this.paint(place))
      this.root.classList.toggle("changed", this.changed)
      this.reset.disabled = !this.changed
    }

    // Beside the title: what a changed code is worth, or how one changes it.
    say(text) {
      this.said = text
      const scrolls = this.line.scrollWidth > this.line.clientWidth
      this.hint.textContent = text || [this.words.hint, ...(scrolls ? [this.words.more] : [])].join(" ")
    }

    // Bars that do not fit fade away at the edge, as long as there are some behind it.
    tellOfMore() {
      const { scrollLeft, scrollWidth, clientWidth } = this.line
      this.line.classList.toggle("more", scrollLeft + clientWidth < scrollWidth - 2)
      this.say(this.said)
    }

    // A bar reaches from the middle of its range to its value; a line stays where the image has it.
    paint(place) {
      const slot = this.bars[place], number = this.number(place), { low, high } = this.range(place)
      const share = (value) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)))
      const value = this.code[number], was = this.about.z[number], here = share(value)
      const [mark, bar] = slot.children
      mark.style.bottom = `${100 * share(was)}%`
      Object.assign(bar.style, { bottom: `${100 * Math.min(0.5, here)}%`, height: `${100 * Math.abs(here - 0.5)}%` })
      slot.classList.toggle("up", here >= 0.5)
      slot.classList.toggle("changed", value !== was)
      slot.title = `z${number + 1} = ${said(value)}` + (value === was ? "" : ` (${this.words.was} ${said(was)})`)
      slot.setAttribute("aria-label", `z${number + 1}`)
      slot.setAttribute("aria-valuenow", said(value))
      slot.setAttribute("aria-valuemin", said(low))
      slot.setAttribute("aria-valuemax", said(high))
    }
  }
  return { Bars }
})()
