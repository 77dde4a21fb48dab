// Pointer input on the map: hover, click, lasso or box selection, dropped files.
const MapPointer = (() => {
  const REACH = 9, STILL = 4, MOST_CORNERS = 400
  const HELD = 350 // milliseconds until a resting finger hovers instead of drawing or panning

  const attach = (view) => {
    const { root, plot } = view
    let down = null, moved = false, path = null, held = false, hold = null
    const at = (event) => {
      const box = plot.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top]
    }
    const inside = (event) => event.target.closest?.(".nsewdrag, .gl-container, .aeviz-map canvas") && !event.target.closest(".card, .tools, .legend, .modebar")
    const finger = (event) => event.pointerType === "touch"
    const far = ([x, y]) => Math.hypot(x - down[0], y - down[1]) > STILL
    const drawing = () => view.flat && view.data.tool !== "pan"

    // Keep Plotly from handling the mouse while the user draws.
    root.addEventListener("mousedown", (event) => { if (drawing() && inside(event) && event.button === 0) event.stopPropagation() }, true)
    root.addEventListener("touchstart", (event) => { if (drawing() && inside(event) && event.touches.length === 1) event.stopPropagation() }, true)
    root.addEventListener("touchmove", (event) => { if (held) event.stopPropagation() }, true)

    root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !inside(event)) return
      down = at(event)
      moved = false
      path = null
      if (finger(event) && view.flat) hold = setTimeout(() => { held = true; path = null; view.point(...down, true) }, HELD)
      if (!drawing()) return
      const space = view.space()
      if (!space?.holds(...down)) return
      path = [down]
      event.target.setPointerCapture?.(event.pointerId)
      event.preventDefault()
    }, true)

    root.addEventListener("pointermove", (event) => {
      const place = at(event)
      if (down && far(place)) moved = true // stays true when a lasso returns to its start
      if (held) return view.point(...place, true)
      if (finger(event)) {
        if (!path && !down || !moved) return
        clearTimeout(hold)
        view.cards.hide()
      }
      if (path) {
        path.push(place)
        view.sketch(corners(path, view.data.tool))
      } else if (!down || view.flat) view.point(...place, inside(event) || Boolean(down))
    })

    const lift = (event) => {
      clearTimeout(hold)
      if (!down) return
      const place = at(event), drawn = path, pointed = held
      down = path = null
      held = false
      if (pointed) return
      if (drawn && moved) view.enclose(corners(drawn, view.data.tool))
      else if (!moved) view.click(...place, event.shiftKey, finger(event)) // even if Plotly has put a drag layer over the map
    }
    window.addEventListener("pointerup", lift, true)
    root.addEventListener("pointercancel", () => {
      clearTimeout(hold)
      if (path) view.sketch(null)
      down = path = null
      held = false
    })
    root.addEventListener("pointerleave", (event) => { if (!path && !finger(event)) view.cards.hide() })

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

  // Corners of the drawn shape in screen coordinates, alternating x and y.
  const corners = (path, tool) => {
    const [first, last] = [path[0], path[path.length - 1]]
    if (tool === "select") return [first[0], first[1], last[0], first[1], last[0], last[1], first[0], last[1]]
    const every = Math.ceil(path.length / MOST_CORNERS)
    return path.filter((_, number) => number % every === 0).flat()
  }

  return { attach, REACH }
})()
