// What comes to the map from elsewhere: placed images, rows that were searched for, and the next points of one that is
// still being computed.
const MapPlaced = (() => {
  const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity])

  class Placed extends MapTools.Tools {
    image(address) {
      const image = new Image()
      image.onload = () => this.overlay.draw()
      image.src = address
      return image
    }

    placeImages(stars) {
      this.stars = stars.map((star) => ({ ...star, image: this.image(star.picture) }))
      if (!this.flat && this.figure) this.draw()
    }

    // Where the rows stand that were searched for; a map without dots of its own is told.
    found() {
      const { rows, x, y } = this.data.found
      if (x) return { x, y }
      const places = this.dots ? rows.map((id) => this.dots.placeOf(id)).filter((place) => place >= 0) : []
      const at = (axis) => places.map((place) => this.dots[axis][place])
      return { x: at("x"), y: at("y") }
    }

    // Bring rows into sight: one in the middle of its surroundings, several all together; in 3-D they are ringed.
    goTo() {
      if (!this.node) return
      if (!this.flat) return this.draw()
      const found = this.found()
      if (!found.x.length) return
      const range = (axis) => {
        const [low, high] = ends(found[axis]), margin = Math.max((high - low) * 0.15, this.breadth(axis) * 0.06)
        return [low - margin, high + margin]
      }
      window.Plotly.relayout(this.node, { "xaxis.range": range("x"), "yaxis.range": range("y") })
    }

    // From the first to the last of all dots; what is drawn without dots says its range.
    breadth(axis) {
      const [low, high] = this.dots.count ? ends(this.dots[axis]) : this.figure.layout[`${axis}axis`].range
      return high - low
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

  return { Placed }
})()
