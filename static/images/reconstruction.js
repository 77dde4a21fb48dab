// One image through a network: its three pictures, and its code as bars that the reconstruction follows. Joined after
// wipe.js and code_bars.js.
class Rebuilt {
  constructor(parent, words) {
    this.root = MapBase.make("div", "rebuilt", parent)
    this.words = words
    const shown = MapBase.make("div", "shown", this.root)
    this.pictures = new Wipe.Pictures(shown, words)
    this.values = MapBase.make("div", "values", shown)
    this.pictures.onLook = (found) => this.say(found)
    this.bars = new CodeBars.Bars(this.root, words, (code) => this.follow(code))
    this.say(null)
  }

  show(data) {
    const other = this.data?.image !== data.image
    this.data = data
    if (JSON.stringify(this.decoder?.about) !== JSON.stringify(data.decode)) this.decoder = new MapDecode.Decoder(data.decode)
    this.pictures.show(data)
    this.bars.root.hidden = !data.order
    if (data.order) this.bars.show(data)
    if (other) this.paint(data.x_hat)
    this.root.dataset.drawn = data.image
  }

  // Once a frame at most, with the latest code.
  follow(code) {
    this.code = code
    if (this.asked) return
    this.asked = true
    requestAnimationFrame(() => {
      this.asked = false
      if (!this.bars.changed) this.paint(this.data.x_hat)
      else if (this.decoder.ready) this.decoder.of(this.code, (values) => { if (this.bars.changed) this.paint(values) }, this.data.told)
      else setTimeout(() => this.follow(this.code), 100)
    })
  }

  paint(values) {
    this.pictures.rebuilt(values)
    this.bars.say(this.bars.changed ? this.worth(values) : "")
  }

  // What a changed code is worth; the numbers below are those of the image's own.
  worth(values) {
    const { x } = this.data
    let sum = 0
    for (let at = 0; at < x.length; at++) sum += (Math.min(1, Math.max(0, values[at])) - x[at]) ** 2
    const mse = sum / x.length
    return `${this.words.changed}: MSE ${Number(mse.toPrecision(3))} · ${(-10 * Math.log10(Math.max(mse, 1e-12))).toFixed(1)} dB`
  }

  say(found) {
    this.values.textContent = found
      ? `${this.words.pixel} ${found.column}, ${found.row} · ${this.words.original} ${found.original} · ${this.words.reconstruction} ${found.reconstruction} · ${this.words.error} ${found.error}`
      : this.words.looks
  }
}

// Kept on its place: Streamlit may clean up and call again without emptying it.
export default function ({ data, parentElement }) {
  const about = MapBase.unpack(data.slice().buffer)
  parentElement.aeviz ??= new Rebuilt(parentElement, about.words)
  parentElement.aeviz.show(about)
}
