// One image through the network: original, reconstruction and error, and its code as bars that update the
// reconstruction. Requires images/wipe.js and codes/code_bars.js.
class Reconstruction {
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

  // Decodes the latest code, at most once per frame.
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
    this.pictures.setReconstruction(values)
    this.bars.say(this.bars.changed ? this.errorText(values) : "")
  }

  // Error of the changed code's reconstruction; the metrics below are those of the image's original code.
  errorText(values) {
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

// The view is stored on its parent: Streamlit may clean up and call again without clearing the element.
export default function ({ data, parentElement }) {
  const about = MapBase.unpack(data.slice().buffer)
  parentElement.aeviz ??= new Reconstruction(parentElement, about.words)
  parentElement.aeviz.show(about)
}
