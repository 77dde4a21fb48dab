// From a point on the map to an image: the inverse transform to a code, then the decoder, in the browser or on
// the server.
const MapDecode = (() => {
  // about: {kind: "linear", origin (D), across (2 D)} or {kind: "grid", codes}; both with a grid of distances to the
  // data and, for conditional decoders, a grid of classes.
  class Inverse {
    constructor(about) {
      this.about = about
      this.dim = about.dim
      this.z = new Float32Array(this.dim)
      this.condition = about.told ? new Float32Array(about.classes + 1) : null
    }

    // The code at (x, y), the class weights to condition the decoder on, and the distance to the data in units of the
    // typical distance between neighbours. The distance is null outside the grid, and so is the result of a "grid" map.
    at(x, y) {
      const { about, z } = this
      const weights = this.weights(x, y)
      if (about.kind === "linear") {
        for (let d = 0; d < this.dim; d++) z[d] = about.origin[d] + x * about.across[d] + y * about.across[this.dim + d]
      } else {
        if (!weights) return null
        z.fill(0)
        for (const [cell, share] of weights)
          for (let d = 0, from = cell * this.dim; d < this.dim; d++) z[d] += share * about.codes[from + d]
      }
      const far = weights ? weights.reduce((sum, [cell, share]) => sum + share * about.distance[cell], 0) : null
      if (this.condition) this.setCondition(weights)
      return { z, condition: this.condition, far }
    }

    // Outside the grid the class is "unknown".
    setCondition(weights) {
      const { classes, told } = this.about
      this.condition.fill(0)
      for (const [cell, share] of weights ?? []) this.condition[told[cell]] += share
      if (!weights) this.condition[classes] = 1
    }

    // Bilinear weights of the four grid cells around (x, y); null outside the grid.
    weights(x, y) {
      const { x0, x1, y0, y1, size } = this.about
      const across = ((x - x0) / (x1 - x0)) * (size - 1), up = ((y - y0) / (y1 - y0)) * (size - 1)
      if (!(across >= 0 && across <= size - 1 && up >= 0 && up <= size - 1)) return null
      const left = Math.min(Math.floor(across), size - 2), low = Math.min(Math.floor(up), size - 2)
      const right = across - left, high = up - low
      const cell = low * size + left
      return [
        [cell, (1 - right) * (1 - high)], [cell + 1, right * (1 - high)],
        [cell + size, (1 - right) * high], [cell + size + 1, right * high],
      ]
    }
  }

  // Concatenates codes, each followed by its condition, in the format that the server expects.
  const concatenate = (codes) => {
    const each = codes[0].z.length + (codes[0].condition?.length ?? 0), all = new Float32Array(codes.length * each)
    codes.forEach(({ z, condition }, at) => {
      all.set(z, at * each)
      if (condition) all.set(condition, at * each + z.length)
    })
    return all
  }

  // Decodes codes to values in [0, 1]: in the browser once the decoder is fetched, before that (or if there is none) on
  // the server. about: {shape, decoder: address or null, server: address}
  class Decoder {
    constructor(about) {
      this.about = about
      this.waiting = null
      this.busy = false
      if (about.decoder) MapBase.shelf.get(about.decoder).then((bytes) => { this.decoder = readDecoder(bytes) }, () => {})
    }

    get local() { return Boolean(this.decoder) }
    get ready() { return Boolean(this.decoder || !this.about.decoder) }

    // Decodes z and calls `use(values)`: synchronously with a local decoder, otherwise for the latest request only.
    // `condition` holds class weights, for conditional decoders.
    of(z, use, condition = null) {
      if (this.local) use(this.decoder.decode(z, condition))
      else this.request(concatenate([{ z, condition }]), use)
    }

    request(codes, use) {
      this.waiting = { codes, use }
      if (this.busy) return
      this.busy = true
      const next = () => {
        const asked = this.waiting
        this.waiting = null
        if (!asked) { this.busy = false; return }
        this.fetch(asked.codes).then(asked.use, () => {}).then(next)
      }
      next()
    }

    // Decodes concatenated codes on the server; returns values (n C H W).
    async fetch(codes) {
      const answer = await fetch(this.about.server, { method: "POST", body: codes })
      if (!answer.ok) throw new Error(String(answer.status))
      return Float32Array.from(new Uint8Array(await answer.arrayBuffer()), (value) => value / 255)
    }
  }

  // Decodes points of a map. about: as above, and {inverse: address}
  class Decoding extends Decoder {
    constructor(about) {
      super(about)
      MapBase.packed(about.inverse).then((inverse) => { this.inverse = new Inverse(inverse) }, () => {})
    }

    get ready() { return Boolean(this.inverse && super.ready) }
    get exact() { return this.inverse?.about.kind === "linear" }

    // Decodes the point (x, y) and calls `use(values, far)`; returns false if it cannot be decoded.
    at(x, y, use) {
      const found = this.ready && this.inverse.at(x, y)
      if (found) this.of(found.z, (values) => use(values, found.far), found.condition)
      return Boolean(found)
    }
  }

  // Paints values on a new canvas, one canvas pixel per image pixel.
  const onCanvas = (values, shape) => {
    const canvas = document.createElement("canvas")
    Object.assign(canvas, { width: shape[2], height: shape[1] })
    paintSample(canvas.getContext("2d"), values, shape)
    return canvas
  }

  return { Decoder, Decoding, onCanvas, concatenate }
})()
