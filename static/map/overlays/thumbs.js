// Thumbnails at the dots of a flat map: as many as fit when the user turns them on, and automatically once the user has
// zoomed in so far that few dots are visible.
const MapThumbs = (() => {
  const SIDE = 40, FEW = 100, MOST_FETCHED = 900

  class Thumbs {
    constructor(view) {
      this.view = view
      this.clear()
    }

    clear() {
      this.drawn = [] // {place, box} as last painted
      this.loose = [] // dots without space for a thumbnail, or whose thumbnail is not loaded yet
    }

    paint(pen, space) {
      const { view } = this, { dots, pictures, data } = view
      const possible = dots && pictures
      const close = possible && data.show === "dots" && !data.live ? this.few(space) : null
      const asked = close ? "close" : possible && data.show === "pictures" ? "all" : ""
      view.root.dataset.thumbs = asked
      if (!asked) return
      const places = this.apart(space), here = (place) => pictures.small.get(dots.ids[place])
      if (close) {
        const fitting = new Set(places.filter(here))
        this.loose = close.filter((place) => !fitting.has(place))
      }
      pen.imageSmoothingEnabled = false
      for (const place of places) if (here(place)) this.one(pen, space, place, here(place))
      for (const place of this.loose) this.dot(pen, space, place)
      this.fetch(places.map((place) => dots.ids[place]).filter((id) => !pictures.small.has(id)))
    }

    fetch(away) {
      if (!away.length || this.view.moving) return
      clearTimeout(this.later)
      const { pictures, overlay } = this.view
      this.later = setTimeout(() => pictures.fetch(away.slice(0, MOST_FETCHED)).then(() => overlay.draw(), () => {}), 60)
    }

    // The dots in view, if they are fewer than half of all and their thumbnails would cover less than half of the map;
    // otherwise null.
    few(space) {
      const { dots, node } = this.view
      const most = Math.min(FEW, (space.width * space.height) / (2 * SIDE * SIDE), dots.count / 2)
      const [x0, x1] = [space.fromX(space.left), space.fromX(space.left + space.width)]
      const [y0, y1] = [space.fromY(space.top + space.height), space.fromY(space.top)]
      const shown = dots.shown(node), found = []
      for (let place = 0; place < dots.count; place++) {
        const x = dots.x[place], y = dots.y[place]
        if (x < x0 || x > x1 || y < y0 || y > y1 || !shown[dots.trace[place]]) continue
        if (found.push(place) > most) return null
      }
      return found.length ? found : null
    }

    // As many dots as fit with a thumbnail each, centred on its dot; selected dots first.
    apart(space) {
      const { dots, bits } = this.view
      const shown = dots.shown(this.view.node), cells = new Map(), places = []
      const side = SIDE + 2, columns = Math.ceil(space.width / side) + 2
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
        for (const place of dots.shuffled)
          if (shown[dots.trace[place]] && (!bits || MapBase.has(bits, dots.rank[place]) === chosen)) take(place)
      return places
    }

    one(pen, space, place, cut) {
      const { dots } = this.view
      const scale = SIDE / Math.max(cut.width, cut.height), width = cut.width * scale, height = cut.height * scale
      const x = space.toX(dots.x[place]) - width / 2, y = space.toY(dots.y[place]) - height / 2
      pen.globalAlpha = this.strength(place)
      pen.drawImage(cut.picture, cut.x, cut.y, cut.width, cut.height, x, y, width, height)
      Object.assign(pen, { lineWidth: 2, strokeStyle: this.view.colourOf(place) })
      pen.strokeRect(x, y, width, height)
      pen.globalAlpha = 1
      this.drawn.push({ place, box: [x, y, width, height] })
    }

    dot(pen, space, place) {
      const { dots } = this.view
      Object.assign(pen, { lineWidth: 1.5, strokeStyle: this.view.background, fillStyle: this.view.colourOf(place) })
      pen.globalAlpha = this.strength(place)
      pen.beginPath()
      pen.arc(space.toX(dots.x[place]), space.toY(dots.y[place]), 5, 0, 7)
      pen.fill()
      pen.stroke()
      pen.globalAlpha = 1
    }

    strength(place) {
      const { bits, dots } = this.view
      return !bits || MapBase.has(bits, dots.rank[place]) ? 1 : 0.2
    }

    // The dot whose thumbnail is at screen position (x, y), -1 for none.
    at(x, y) {
      const found = this.drawn.find(({ box }) => x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3])
      return found ? found.place : -1
    }
  }

  return { Thumbs }
})()
