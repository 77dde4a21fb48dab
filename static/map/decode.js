// From a place on the map to a picture: the way back to a code, and the decoder, here or on the server.
const MapDecode = (() => {
  // about: {kind: "linear", origin (D), across (2 D)} or {kind: "grid", codes}; both with a grid of distances to the data, and
  // where the decoder is told classes, of these.
  class Inverse {
    constructor(about) {
      this.about = about
      this.dim = about.dim
      this.z = new Float32Array(this.dim)
      this.told = about.told ? new Float32Array(about.classes + 1) : null
    }

    // The code at a place, the shares of classes to tell the decoder, and how far from the data that is, in distances
    // between neighbours; null outside the grid.
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
      if (this.told) this.tell(weights)
      return { z, told: this.told, far }
    }

    // "Unknown" outside the grid.
    tell(weights) {
      const { classes, told } = this.about
      this.told.fill(0)
      for (const [cell, share] of weights ?? []) this.told[told[cell]] += share
      if (!weights) this.told[classes] = 1
    }

    // The four cells around a place with their shares.
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

  // Codes and what is told with each, one after another, as the server takes them.
  const sent = (codes) => {
    const each = codes[0].z.length + (codes[0].told?.length ?? 0), all = new Float32Array(codes.length * each)
    codes.forEach(({ z, told }, at) => {
      all.set(z, at * each)
      if (told) all.set(told, at * each + z.length)
    })
    return all
  }

  // Codes to values in [0, 1], by a decoder that is fetched once, and until it is here, or where there is none, by the
  // server. about: {shape, decoder: address or null, server: address}
  class Decoder {
    constructor(about) {
      this.about = about
      this.waiting = null
      this.busy = false
      if (about.decoder) MapBase.shelf.get(about.decoder).then((bytes) => { this.decoder = readDecoder(bytes) }, () => {})
    }

    get local() { return Boolean(this.decoder) }
    get ready() { return Boolean(this.decoder || !this.about.decoder) }

    // The values of a code are handed to `use`: at once where the decoder is here; from the server only those of the
    // latest code that was asked for. `told` is null or shares of the classes, for decoders that are told them.
    of(z, use, told = null) {
      if (this.local) use(this.decoder.decode(z, told))
      else this.ask(sent([{ z, told }]), use)
    }

    ask(codes, use) {
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

    // Codes as `sent` joins them to values (n C H W) by the server.
    async fetch(codes) {
      const answer = await fetch(this.about.server, { method: "POST", body: codes })
      if (!answer.ok) throw new Error(String(answer.status))
      return Float32Array.from(new Uint8Array(await answer.arrayBuffer()), (value) => value / 255)
    }
  }

  // The same for places on a map. about: {inverse: address} besides
  class Decoding extends Decoder {
    constructor(about) {
      super(about)
      MapBase.packed(about.inverse).then((inverse) => { this.inverse = new Inverse(inverse) }, () => {})
    }

    get ready() { return Boolean(this.inverse && super.ready) }
    get exact() { return this.inverse?.about.kind === "linear" }

    // The picture at a place is handed to `use(values, far)`; false where nothing is known of that place.
    at(x, y, use) {
      const found = this.ready && this.inverse.at(x, y)
      if (found) this.of(found.z, (values) => use(values, found.far), found.told)
      return Boolean(found)
    }
  }

  // A picture of values on a canvas of its own, one pixel each.
  const onCanvas = (values, shape) => {
    const canvas = document.createElement("canvas")
    Object.assign(canvas, { width: shape[2], height: shape[1] })
    paintSample(canvas.getContext("2d"), values, shape)
    return canvas
  }

  return { Decoder, Decoding, onCanvas, sent }
})()
