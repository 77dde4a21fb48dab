// What is drawn over (or in place of) the dots of a flat map: pictures, names, decoded grid, density, lines, outlines.
const MapOverlay = (() => {
  const THUMB = 40, CELL = 52
  const ACCENT = "#e94104"
  const SMALL = 400 // pixels of height below which a map is a small one

  class Overlay {
    constructor(root, view) {
      this.view = view
      this.under = MapBase.make("canvas", "under", root)
      this.canvas = MapBase.make("canvas", "over", root)
      this.asked = false
      this.grid = null
    }

    // Draw anew at the next frame, once however often it is asked for.
    draw() {
      if (this.asked) return
      this.asked = true
      requestAnimationFrame(() => { this.asked = false; this.paint() })
    }

    fit(canvas, width, height) {
      const ratio = devicePixelRatio || 1
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio))
        Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
      const pen = canvas.getContext("2d")
      pen.setTransform(ratio, 0, 0, ratio, 0, 0)
      pen.clearRect(0, 0, width, height)
      return pen
    }

    paint() {
      const { view } = this
      const { clientWidth: width, clientHeight: height } = this.canvas
      const pen = this.fit(this.canvas, width, height), below = this.fit(this.under, width, height)
      const space = view.space()
      if (!space) return
      this.clipped(below, space, () => this.density(below, space))
      this.clipped(pen, space, () => {
        if (view.data.grid) this.decoded(pen, space)
        if (view.data.show === "pictures") this.pictures(pen, space)
        if (view.data.show === "means") this.means(pen, space)
        if (view.data.names) this.names(pen, space)
        this.lines(pen, space)
        this.roads(pen, space)
        this.found(pen, space)
        this.stars(pen, space)
        this.outline(pen, space)
      })
    }

    clipped(pen, { left, top, width, height }, work) {
      pen.save()
      pen.beginPath()
      pen.rect(left, top, width, height)
      pen.clip()
      work()
      pen.restore()
    }

    // Dots in sight whose pictures do not overlap, those that are selected first; what is away is fetched.
    pictures(pen, space) {
      const { dots, pictures } = this.view
      if (!dots || !pictures) return
      const places = this.apart(space)
      pen.imageSmoothingEnabled = false
      pen.lineWidth = 2
      for (const place of places) this.thumb(pen, space, place, pictures.small.get(dots.ids[place]))
      const away = places.map((place) => dots.ids[place]).filter((id) => !pictures.small.has(id))
      if (!away.length || this.view.moving) return
      clearTimeout(this.later)
      this.later = setTimeout(() => pictures.fetch(away.slice(0, 900)).then(() => this.draw(), () => {}), 60)
    }

    // As many dots as fit with a picture each, every picture at its own dot.
    apart(space) {
      const { dots, bits } = this.view
      const shown = dots.shown(this.view.node), cells = new Map(), places = []
      const side = THUMB + 2, columns = Math.ceil(space.width / side) + 2
      const free = (x, y, cell) => [-columns - 1, -columns, 1 - columns, -1, 0, 1, columns - 1, columns, columns + 1].every((step) => {
        const other = cells.get(cell + step)
        return !other || Math.abs(other[0] - x) >= side || Math.abs(other[1] - y) >= side
      })
      const take = (place) => {
        const x = space.toX(dots.x[place]) - space.left, y = space.toY(dots.y[place]) - space.top
        if (x < 0 || y < 0 || x >= space.width || y >= space.height) return
        const cell = (Math.floor(y / side) + 1) * columns + Math.floor(x / side) + 1
        if (cells.has(cell) || !free(x, y, cell)) return
        cells.set(cell, [x, y])
        places.push(place)
      }
      for (const chosen of bits ? [1, 0] : [0])
        for (let place = 0; place < dots.count; place++)
          if (shown[dots.trace[place]] && (!bits || MapBase.has(bits, dots.rank[place]) === chosen)) take(place)
      return places
    }

    thumb(pen, space, place, cut) {
      if (!cut) return
      const { dots, bits } = this.view
      const scale = THUMB / Math.max(cut.width, cut.height), width = cut.width * scale, height = cut.height * scale
      const x = space.toX(dots.x[place]) - width / 2, y = space.toY(dots.y[place]) - height / 2
      pen.globalAlpha = !bits || MapBase.has(bits, dots.rank[place]) ? 1 : 0.2
      pen.drawImage(cut.picture, cut.x, cut.y, cut.width, cut.height, x, y, width, height)
      pen.strokeStyle = this.view.colourOf(place)
      pen.strokeRect(x, y, width, height)
      pen.globalAlpha = 1
    }

    // Of each class the mean image and, beside it, the decoded mean code.
    means(pen, space) {
      pen.imageSmoothingEnabled = false
      for (const { x, y, images } of this.view.means) {
        const left = space.toX(x) - THUMB, top = space.toY(y) + 12
        images.forEach((image, at) => { if (image.complete) pen.drawImage(image, left + at * THUMB, top, THUMB, THUMB) })
        pen.lineWidth = 1
        pen.strokeStyle = this.view.background
        pen.strokeRect(left, top, 2 * THUMB, THUMB)
      }
    }

    names(pen, space) {
      pen.font = `600 14px ${getComputedStyle(this.canvas.parentElement).fontFamily}`
      pen.textAlign = "center"
      pen.textBaseline = "middle"
      pen.lineJoin = "round"
      const hidden = this.view.hiddenNames()
      for (const { text, x, y } of this.view.data.names) {
        if (hidden.has(text)) continue
        const at = [this.inside(pen.measureText(text).width, space.toX(x), space), space.toY(y)]
        pen.lineWidth = 4
        pen.strokeStyle = this.view.background
        pen.strokeText(text, ...at)
        pen.fillStyle = this.view.ink
        pen.fillText(text, ...at)
      }
    }

    // The middle of a name in sight, moved so that all of it is.
    inside(width, x, { left, width: room }) {
      const half = width / 2 + 2
      if (x < left || x > left + room || 2 * half > room) return x
      return Math.min(Math.max(x, left + half), left + room - half)
    }

    // A grid of decoded pictures over the map, fading where there are no data; painted a few at a time.
    decoded(pen, space) {
      const { decoding } = this.view
      if (!decoding?.ready) { setTimeout(() => this.draw(), 150); return }
      const key = [space.toX(0), space.toX(1), space.toY(0), space.toY(1), space.width, space.height].join()
      if (this.grid?.key !== key) this.grid = this.makeGrid(key, space)
      pen.imageSmoothingEnabled = false
      for (const { x, y, far, picture } of this.grid.cells) {
        if (!picture) continue
        pen.globalAlpha = far === null ? 0.15 : Math.max(0.15, Math.min(1, 1.3 - far / 8))
        pen.drawImage(picture, x - THUMB / 2, y - THUMB / 2, THUMB, THUMB)
      }
      pen.globalAlpha = 1
    }

    makeGrid(key, space) {
      const { decoding } = this.view
      const grid = { key, cells: [] }
      for (let y = space.top + CELL / 2; y < space.top + space.height; y += CELL)
        for (let x = space.left + CELL / 2; x < space.left + space.width; x += CELL) {
          const found = decoding.inverse.at(space.fromX(x), space.fromY(y))
          if (found) grid.cells.push({ x, y, z: Float32Array.from(found.z), told: found.told && Float32Array.from(found.told), far: found.far })
        }
      this.fillGrid(grid, 0)
      return grid
    }

    async fillGrid(grid, from) {
      const { decoding } = this.view, { shape } = decoding.about
      const cells = grid.cells.slice(from, from + 48)
      if (!cells.length || this.grid && this.grid !== grid && from) return
      const size = shape[0] * shape[1] * shape[2]
      if (decoding.local) for (const cell of cells) cell.picture = MapDecode.onCanvas(decoding.decoder.decode(cell.z, cell.told), shape)
      else {
        const values = await decoding.fetch(MapDecode.sent(cells)).catch(() => null)
        if (!values) return
        cells.forEach((cell, at) => { cell.picture = MapDecode.onCanvas(values.subarray(at * size, (at + 1) * size), shape) })
      }
      this.draw()
      setTimeout(() => this.fillGrid(grid, from + 48))
    }

    density(pen, space) {
      const image = this.view.densityImage
      if (this.view.data.show !== "density" || !image) return
      pen.imageSmoothingEnabled = false
      const left = space.toX(image.x0), top = space.toY(image.y1)
      pen.drawImage(image.canvas, left, top, space.toX(image.x1) - left, space.toY(image.y0) - top)
    }

    // From the pinned dot to its nearest: in the codes solid, in the pixels dashed.
    lines(pen, space) {
      const { dots, pinned } = this.view
      if (!dots || !pinned) return
      const from = dots.placeOf(pinned.id)
      if (from < 0) return
      const at = (place) => [space.toX(dots.x[place]), space.toY(dots.y[place])]
      const draw = (ids, dash) => {
        pen.setLineDash(dash)
        for (const place of ids.map((id) => dots.placeOf(id)).filter((place) => place >= 0)) {
          pen.beginPath()
          pen.moveTo(...at(from))
          pen.lineTo(...at(place))
          pen.stroke()
          this.ring(pen, ...at(place), 5)
        }
        pen.setLineDash([])
      }
      pen.strokeStyle = this.view.ink
      pen.lineWidth = 1.5
      draw(pinned.near?.latent ?? [], [])
      draw(pinned.near?.pixels ?? [], [4, 4])
      pen.lineWidth = 2.5
      this.ring(pen, ...at(from), 8)
    }

    // Roads through the codes, each with a ring where one stands on it.
    roads(pen, space) {
      const { data, step } = this.view
      const at = ({ x, y }, number) => [space.toX(x[number]), space.toY(y[number])]
      pen.lineJoin = pen.lineCap = "round"
      for (const [width, inked] of [[7, false], [3.5, true]])
        for (const road of data.roads) {
          pen.strokeStyle = inked ? road.colour : this.view.background
          pen.lineWidth = width
          pen.beginPath()
          road.x.forEach((_, number) => pen.lineTo(...at(road, number)))
          pen.stroke()
        }
      for (const road of data.roads) {
        Object.assign(pen, { fillStyle: this.view.background, strokeStyle: road.colour, lineWidth: 3 })
        this.ring(pen, ...at(road, Math.min(step ?? Math.floor(road.x.length / 2), road.x.length - 1)), 6)
        pen.fill()
        pen.stroke()
      }
    }

    ring(pen, x, y, radius) {
      pen.beginPath()
      pen.arc(x, y, radius, 0, 7)
      pen.stroke()
    }

    found(pen, space) {
      const { dots, data } = this.view
      if (!dots) return
      pen.strokeStyle = this.view.ink
      const many = data.found.rows.length > 60
      pen.lineWidth = many ? 1 : 2
      for (const id of data.found.rows) {
        const place = dots.placeOf(id)
        if (place >= 0) this.ring(pen, space.toX(dots.x[place]), space.toY(dots.y[place]), many ? 3.5 : 7)
      }
    }

    // A person's own images where they belong, with trails to the nearest dots.
    stars(pen, space) {
      const { dots, stars } = this.view
      for (const star of stars) {
        const x = space.toX(star.x), y = space.toY(star.y)
        pen.strokeStyle = ACCENT
        pen.lineWidth = 1.2
        for (const id of dots ? star.near : []) {
          const place = dots.placeOf(id)
          if (place < 0) continue
          pen.beginPath()
          pen.moveTo(x, y)
          pen.lineTo(space.toX(dots.x[place]), space.toY(dots.y[place]))
          pen.stroke()
        }
        const side = this.view.data.height < SMALL ? THUMB * 0.7 : THUMB
        pen.imageSmoothingEnabled = false
        if (star.image?.complete) pen.drawImage(star.image, x - side / 2, y - side / 2, side, side)
        pen.lineWidth = 2.5
        pen.strokeRect(x - side / 2, y - side / 2, side, side)
      }
    }

    outline(pen, space) {
      const outline = this.view.outline
      if (!outline?.length) return
      pen.beginPath()
      for (let at = 0; at < outline.length; at += 2) pen.lineTo(space.toX(outline[at]), space.toY(outline[at + 1]))
      pen.closePath()
      pen.setLineDash([5, 4])
      pen.lineWidth = 1.5
      pen.strokeStyle = this.view.ink
      pen.stroke()
      pen.setLineDash([])
      pen.globalAlpha = 0.06
      pen.fillStyle = this.view.ink
      pen.fill()
      pen.globalAlpha = 1
    }
  }
  return { Overlay, SMALL }
})()
