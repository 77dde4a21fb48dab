// What comes to the map from elsewhere: placed images, rows that were searched for, and the next points of one that is
// still being computed.
const MapGuests = (() => {
  class Guests extends MapTools.Tools {
    image(address) {
      const image = new Image()
      image.onload = () => this.overlay.draw()
      image.src = address
      return image
    }

    takeStars(stars) {
      this.stars = stars.map((star) => ({ ...star, image: this.image(star.picture) }))
      if (!this.flat && this.figure) this.draw()
    }

    // Bring rows into sight: one in the middle of its surroundings, several all together.
    goTo(found) {
      const places = (found?.rows ?? []).map((id) => this.dots?.placeOf(id) ?? -1).filter((place) => place >= 0)
      const full = this.node?._fullLayout
      if (!places.length || !this.flat || !full) return
      const range = (axis, values) => {
        const low = Math.min(...values), high = Math.max(...values)
        const whole = this.dots[axis].reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity])
        const margin = Math.max((high - low) * 0.15, (whole[1] - whole[0]) * 0.06)
        return [low - margin, high + margin]
      }
      const [x, y] = ["x", "y"].map((axis) => range(axis, places.slice(0, 5000).map((place) => this.dots[axis][place])))
      window.Plotly.relayout(this.node, { "xaxis.range": x, "yaxis.range": y })
    }

    // The points of a map that is still being computed, several times a second.
    follow(live) {
      if (live === this.live) return
      this.live = live
      this.frame = live ? this.frame : null
      const look = async () => {
        if (!live || this.live !== live || !this.root.isConnected) return
        const answer = await fetch(`${live}?after=${this.iteration ?? ""}`).catch(() => null)
        if (answer?.status === 200 && this.live === live) {
          const frame = MapBase.unpack(await answer.arrayBuffer())
          this.iteration = frame.iteration
          this.frame = frame.points
          if (this.dots && frame.points.length === this.dots.count * this.dots.axes.length) {
            this.dots.move(frame.points)
            this.outline = null
            await this.draw()
          }
        }
        setTimeout(look, 200)
      }
      look()
    }
  }

  return { Guests }
})()
