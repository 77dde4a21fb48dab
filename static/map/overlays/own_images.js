// A person's own images on a flat map: each beside its place, so that the place, what lies around it, and the trails to
// the nearest dots stay in sight.
const MapOwnImages = (() => {
  const ACCENT = "#e94104", SIDE = 40, STEM = 18
  const SMALL = 400 // pixels of height below which a map is a small one

  class OwnImages {
    constructor(view) {
      this.view = view
      this.clear()
    }

    clear() { this.drawn = [] } // {star, box} as they were painted last

    paint(pen, space) {
      const room = new MapCollision.Boxes(space)
      this.drawn = this.view.stars.map((star) => {
        const x = space.toX(star.x), y = space.toY(star.y), trail = this.trail(star, space)
        return { star, x, y, trail, box: room.take(this.boxes(x, y, trail)) }
      })
      pen.imageSmoothingEnabled = false
      Object.assign(pen, { strokeStyle: ACCENT, fillStyle: ACCENT, lineCap: "round" })
      for (const { x, y, trail } of this.drawn) for (const end of trail) line(pen, [x, y], end, 1.2)
      for (const one of this.drawn) this.one(pen, one)
    }

    // Where the nearest dots are on the screen.
    trail({ near }, space) {
      const { dots } = this.view
      const places = dots ? near.map((id) => dots.placeOf(id)).filter((place) => place >= 0) : []
      return places.map((place) => [space.toX(dots.x[place]), space.toY(dots.y[place])])
    }

    // Around a place, first where the trail does not lead.
    boxes(x, y, trail) {
      const side = this.view.data.height < SMALL ? SIDE * 0.7 : SIDE
      const lead = trail.reduce(([a, b], end) => [a + end[0] - x, b + end[1] - y], [0, 0])
      const ways = [[1, -1], [-1, -1], [1, 1], [-1, 1]].sort((a, b) => a[0] * lead[0] + a[1] * lead[1] - b[0] * lead[0] - b[1] * lead[1])
      const around = (off) => ways.map(([right, down]) => [x + right * off - (right < 0 ? side : 0), y + down * off - (down < 0 ? side : 0), side, side])
      return [...around(STEM), ...around(STEM + side), [x + STEM, y - STEM - side, side, side]].filter(([left, top]) => left + side < x || left > x || top + side < y || top > y)
    }

    one(pen, { star, x, y, box }) {
      pen.beginPath()
      pen.arc(x, y, 4, 0, 7)
      pen.fill()
      if (!box) return
      const [left, top, side] = box
      line(pen, [x, y], [Math.max(left, Math.min(x, left + side)), Math.max(top, Math.min(y, top + side))], 2.5)
      if (star.image.complete) pen.drawImage(star.image, left, top, side, side)
      pen.strokeRect(left, top, side, side)
    }

    // The image that a place of the screen shows; nothing where there is none.
    at(x, y) {
      const shows = ({ box }) => box && x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3]
      return this.drawn.findLast(shows)?.star
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
