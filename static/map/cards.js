// The card beside the pointer and the pinned card: pictures, captions and nearest neighbours.
const MapCards = (() => {
  const SIDE = 84, SMALL = 44
  const { make } = MapBase
  const number = (value) => (value === null || value === undefined ? "" : Number(value.toPrecision(3)).toString())

  class Cards {
    // said: the card's texts, by name
    constructor(root, said) {
      this.said = said
      this.hover = make("div", "card hover", root)
      this.hover.hidden = true
      this.pictures = make("div", "pair", this.hover)
      this.first = make("canvas", "", this.pictures)
      this.second = make("canvas", "", this.pictures)
      this.words = make("div", "words", this.hover)
      this.pinned = make("div", "card pinned", root)
      this.pinned.hidden = true
    }

    label(number) { return number >= 0 ? this.names?.[number] ?? `${this.said.label} ${number}` : this.said.unknown }

    // Shows a row's image, reconstruction, label and error at screen position (x, y).
    async row(id, x, y, pictures, caption) {
      const asked = (this.asked = Symbol())
      const found = pictures?.ready(id)
      this.write(id, found, caption)
      this.place(x, y)
      if (found || !pictures) return
      const late = await pictures.of(id).catch(() => null)
      if (!late || asked !== this.asked) return
      this.write(id, late, caption)
      this.place(x, y)
    }

    // Shows one of the user's own images.
    ownImage({ name, image }, x, y) {
      this.asked = null
      this.single({ picture: image, x: 0, y: 0, width: image.naturalWidth, height: image.naturalHeight }, SIDE)
      this.say([name, ""])
      this.place(x, y)
    }

    single(cut, side) {
      this.pictures.hidden = !cut.width
      this.second.hidden = true
      if (cut.width) MapPictures.paint(this.first, cut, side)
    }

    write(id, found, caption) {
      this.pictures.hidden = !found
      this.second.hidden = false
      if (found) {
        MapPictures.paint(this.first, found.x, SIDE)
        MapPictures.paint(this.second, found.xHat, SIDE)
      }
      this.say([found ? this.label(found.label) : caption || "", `#${id}` + (found ? ` · ${this.said.error} ${number(found.mse)}` : "")])
    }

    // Shows a decoded point of the map and its distance to the data.
    decoded(values, shape, { far, exact }, x, y) {
      this.asked = null
      const drawn = MapDecode.onCanvas(values, shape)
      this.single({ picture: drawn, x: 0, y: 0, width: drawn.width, height: drawn.height }, SIDE * 1.25)
      this.say([exact ? this.said.decoded : this.said.fitted, this.distance(far)])
      this.hover.dataset.far = far === null || far > 6 ? "far" : far > 2 ? "edge" : "near"
      this.place(x, y)
    }

    distance(far) {
      if (far === null || far > 6) return this.said.far
      return far > 2 ? this.said.edge : this.said.near
    }

    // Names are data: insert as text, never as HTML.
    say([first, second]) {
      this.words.replaceChildren()
      make("b", "", this.words).textContent = first
      make("span", "", this.words).textContent = second
      delete this.hover.dataset.far
    }

    place(x, y) {
      const { hover } = this, box = hover.parentElement
      hover.hidden = false
      const width = hover.offsetWidth || 200, height = hover.offsetHeight || 140
      hover.style.left = `${x + 18 + width > box.clientWidth ? Math.max(2, x - width - 14) : x + 18}px`
      const below = matchMedia("(pointer: coarse)").matches && y > height + 26 ? y - height - 24 : y + 14 // a hand covers the space below
      hover.style.top = `${Math.max(2, Math.min(below, box.clientHeight - height - 4))}px`
    }

    hide() { this.hover.hidden = true; this.asked = null }

    unpin() { this.pinned.hidden = true; this.pinning = null }

    // Pins a row with its nearest neighbours in latent and pixel space; `near` is null if these are unknown.
    async pin(id, pictures, near, choose) {
      const asked = (this.pinning = Symbol())
      const found = pictures ? await pictures.of(id).catch(() => null) : null
      if (asked !== this.pinning) return
      const { pinned } = this
      pinned.replaceChildren()
      pinned.hidden = false
      const head = make("div", "head", pinned)
      make("b", "", head).textContent = found ? this.label(found.label) : `#${id}`
      const close = make("button", "", head)
      Object.assign(close, { textContent: "×", ariaLabel: this.said.close, onclick: () => choose(null) })
      if (found) {
        const pair = make("div", "pair", pinned)
        for (const cut of [found.x, found.xHat]) MapPictures.paint(make("canvas", "", pair), cut, SIDE)
        make("span", "", pinned).textContent = `#${id} · ${this.said.error} ${number(found.mse)}`
      }
      if (!near || !pictures) return
      const known = await near
      if (asked !== this.pinning || !known) return
      await this.strip(pinned, this.said.nearCodes, known.latent, pictures, choose)
      if (known.pixels) await this.strip(pinned, this.said.nearPixels, known.pixels, pictures, choose)
    }

    async strip(parent, title, ids, pictures, choose) {
      const part = make("div", "strip", parent)
      make("span", "", part).textContent = title
      const line = make("div", "line", part)
      await pictures.fetch(ids).catch(() => {})
      for (const id of ids) {
        const canvas = make("canvas", "", line)
        canvas.title = `#${id}`
        canvas.onclick = () => choose(id)
        if (pictures.small.has(id)) MapPictures.paint(canvas, pictures.small.get(id), SMALL)
      }
    }
  }
  return { Cards }
})()
