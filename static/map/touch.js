// What a hand does on the map: pointing, clicking, drawing a lasso or a box, dropping a file.
const MapTouch = (() => {
  const REACH = 9, STILL = 4, MOST_CORNERS = 400

  const attach = (view) => {
    const { root, plot } = view
    let down = null, path = null
    const at = (event) => {
      const box = plot.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top]
    }
    const inside = (event) => event.target.closest?.(".nsewdrag, .gl-container, .aeviz-map canvas") && !event.target.closest(".card, .tools, .legend, .modebar")
    const drawing = () => view.flat && view.data.tool !== "pan"

    // Plotly listens to the mouse: while we draw, it must not.
    root.addEventListener("mousedown", (event) => { if (drawing() && inside(event) && event.button === 0) event.stopPropagation() }, true)
    root.addEventListener("touchstart", (event) => { if (drawing() && inside(event) && event.touches.length === 1) event.stopPropagation() }, true)

    root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !inside(event)) return
      down = at(event)
      path = null
      if (!drawing()) return
      const space = view.space()
      if (!space?.holds(...down)) return
      path = [down]
      event.target.setPointerCapture?.(event.pointerId)
      event.preventDefault()
    }, true)

    root.addEventListener("pointermove", (event) => {
      const place = at(event)
      if (path) {
        path.push(place)
        view.sketch(corners(path, view.data.tool))
      } else if (!down || view.flat) view.point(...place, inside(event) || Boolean(down))
    })

    const lift = (event) => {
      if (!down) return
      const place = at(event), moved = Math.hypot(place[0] - down[0], place[1] - down[1]) > STILL
      const drawn = path
      const still = !moved // what is under the pointer now may be a sheet that Plotly has laid over everything
      down = path = null
      if (drawn && moved) view.enclose(corners(drawn, view.data.tool))
      else if (still) view.click(...place, event.shiftKey)
    }
    window.addEventListener("pointerup", lift, true)
    root.addEventListener("pointercancel", () => { down = path = null; view.sketch(null) })
    root.addEventListener("pointerleave", () => { if (!path) view.cards.hide() })

    root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("open") })
    root.addEventListener("dragleave", () => root.classList.remove("open"))
    root.addEventListener("drop", (event) => {
      event.preventDefault()
      root.classList.remove("open")
      const files = [...event.dataTransfer.files].slice(0, 12)
      Promise.all(files.map(MapBase.readFile)).then((read) => { if (read.length) view.tell("dropped", { seq: Date.now(), files: read }) })
    })
    return () => window.removeEventListener("pointerup", lift, true)
  }

  // The corners of what was drawn, alternating x and y on the screen.
  const corners = (path, tool) => {
    const [first, last] = [path[0], path[path.length - 1]]
    if (tool === "select") return [first[0], first[1], last[0], first[1], last[0], last[1], first[0], last[1]]
    const every = Math.ceil(path.length / MOST_CORNERS)
    return path.filter((_, number) => number % every === 0).flat()
  }

  return { attach, REACH }
})()
