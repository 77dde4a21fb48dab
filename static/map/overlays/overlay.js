// Canvas layers over (or instead of) the dots of a flat map: thumbnails, labels, decoded grid, density, lines.
const MapOverlay = (() => {
  const THUMB = 40, CELL = 52

  class Overlay {
    constructor(root, view) {
      this.view = view
      this.under = MapBase.make("canvas", "under", root)
      this.canvas = MapBase.make("canvas", "over", root)
      this.asked = false
      this.grid = null
      this.thumbs = new MapThumbs.Thumbs(view)
      this.stars = new MapOwnImages.OwnImages(view)
    }

    // Redraws at the next frame, once however often it is called.
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
      this.thumbs.clear()
      this.stars.clear()
      if (!space) return
      this.clipped(below, space, () => this.density(below, space))
      this.clipped(pen, space, () => {
        if (view.data.grid) this.decoded(pen, space)
        this.thumbs.paint(pen, space)
        MapNames.paint(pen, space, view)
        this.lines(pen, space)
        this.paths(pen, space)
        this.found(pen, space)
        this.stars.paint(pen, space)
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

    // Draws a grid of decoded images, faded far from the data; decoded in batches.
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
          if (found) grid.cells.push({ x, y, z: Float32Array.from(found.z), condition: found.condition && Float32Array.from(found.condition), far: found.far })
        }
      this.fillGrid(grid, 0)
      return grid
    }

    async fillGrid(grid, from) {
      const { decoding } = this.view, { shape } = decoding.about
      const cells = grid.cells.slice(from, from + 48)
      if (!cells.length || this.grid && this.grid !== grid && from) return
      const size = shape[0] * shape[1] * shape[2]
      if (decoding.local) for (const cell of cells) cell.picture = MapDecode.onCanvas(decoding.decoder.decode(cell.z, cell.condition), shape)
      else {
        const values = await decoding.fetch(MapDecode.concatenate(cells)).catch(() => null)
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

    // Lines from the pinned dot to its nearest neighbours: solid in latent space, dashed in pixel space.
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

    // Paths through the latent space, each with a ring at the current step.
    paths(pen, space) {
      const { data, step } = this.view
      const at = ({ x, y }, number) => [space.toX(x[number]), space.toY(y[number])]
      pen.lineJoin = pen.lineCap = "round"
      for (const [width, inked] of [[7, false], [3.5, true]])
        for (const path of data.roads) {
          pen.strokeStyle = inked ? path.colour : this.view.background
          pen.lineWidth = width
          pen.beginPath()
          path.x.forEach((_, number) => pen.lineTo(...at(path, number)))
          pen.stroke()
        }
      for (const path of data.roads) {
        Object.assign(pen, { fillStyle: this.view.background, strokeStyle: path.colour, lineWidth: 3 })
        this.ring(pen, ...at(path, Math.min(step ?? Math.floor(path.x.length / 2), path.x.length - 1)), 6)
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
      const { x, y } = this.view.found()
      pen.strokeStyle = this.view.ink
      const many = x.length > 60
      pen.lineWidth = many ? 1 : 2
      x.forEach((value, at) => this.ring(pen, space.toX(value), space.toY(y[at]), many ? 3.5 : 7))
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
  return { Overlay }
})()
