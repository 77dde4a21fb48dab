// The user's own images on a flat map, each drawn beside its point, so that the point, its surroundings and the lines
// to the nearest dots stay visible.
const MapOwnImages = (() => {
  const ACCENT = "#e94104", SIDE = 40, STEM = 18
  const SMALL = 400 // maps below this height in pixels count as small

  class OwnImages {
    constructor(view) {
      this.view = view
      this.clear()
    }

    clear() { this.drawn = [] } // {own, x, y, ends, box} as last painted

    paint(pen, space) {
      const reserved = new MapCollision.Boxes(space)
      this.drawn = this.view.stars.map((own) => {
        const x = space.toX(own.x), y = space.toY(own.y), ends = this.neighbours(own, space)
        return { own, x, y, ends, box: reserved.take(this.boxes(x, y, ends)) }
      })
      pen.imageSmoothingEnabled = false
      Object.assign(pen, { strokeStyle: ACCENT, fillStyle: ACCENT, lineCap: "round" })
      for (const { x, y, ends } of this.drawn) for (const end of ends) line(pen, [x, y], end, 1.2)
      for (const one of this.drawn) this.one(pen, one)
    }

    // Screen coordinates of the nearest dots.
    neighbours({ near }, space) {
      const { dots } = this.view
      const places = dots ? near.map((id) => dots.placeOf(id)).filter((place) => place >= 0) : []
      return places.map((place) => [space.toX(dots.x[place]), space.toY(dots.y[place])])
    }

    // Candidate boxes around (x, y), those facing away from the neighbours first.
    boxes(x, y, ends) {
      const side = this.view.data.height < SMALL ? SIDE * 0.7 : SIDE
      const lead = ends.reduce(([a, b], end) => [a + end[0] - x, b + end[1] - y], [0, 0])
      const ways = [[1, -1], [-1, -1], [1, 1], [-1, 1]].sort((a, b) => a[0] * lead[0] + a[1] * lead[1] - b[0] * lead[0] - b[1] * lead[1])
      const around = (off) => ways.map(([right, down]) => [x + right * off - (right < 0 ? side : 0), y + down * off - (down < 0 ? side : 0), side, side])
      return [...around(STEM), ...around(STEM + side), [x + STEM, y - STEM - side, side, side]].filter(([left, top]) => left + side < x || left > x || top + side < y || top > y)
    }

    one(pen, { own, x, y, box }) {
      pen.beginPath()
      pen.arc(x, y, 4, 0, 7)
      pen.fill()
      if (!box) return
      const [left, top, side] = box
      line(pen, [x, y], [Math.max(left, Math.min(x, left + side)), Math.max(top, Math.min(y, top + side))], 2.5)
      if (own.image.complete) pen.drawImage(own.image, left, top, side, side)
      pen.strokeRect(left, top, side, side)
    }

    // The own image at screen position (x, y), if any.
    at(x, y) {
      const shows = ({ box }) => box && x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3]
      return this.drawn.findLast(shows)?.own
    }
  }

  const line = (pen, from, to, width) => {
    pen.lineWidth = width
    pen.beginPath()
    pen.moveTo(...from)
    pen.lineTo(...to)
    pen.stroke()
  }

  return { OwnImages, SMALL }
})()
