// Overlays of a 3-D map, drawn as Plotly traces: selection, search results, lines to nearest neighbours, own images.
const MapOverlay3D = (() => {
  const FEW = 12 // up to this many search results get an arrow each
  const PLAIN = { type: "scatter3d", showlegend: false, hoverinfo: "skip" }

  const traces = ({ dots, data, ink, pinned, stars }, picked) => {
    const at = (places) => Object.fromEntries(dots.axes.map((axis) => [axis, places.map((place) => dots[axis][place])]))
    const rings = (places, size) => ({ ...PLAIN, ...at(places), mode: "markers", marker: { size, color: "rgba(0,0,0,0)", line: { color: ink, width: 2 } } })
    const line = (from, to, dash) => ({ ...PLAIN, mode: "lines", line: { color: ink, width: 3, dash }, ...Object.fromEntries(dots.axes.map((axis) => [axis, [from[axis], to[axis]]])) })
    const spot = (place) => Object.fromEntries(dots.axes.map((axis) => [axis, dots[axis][place]]))
    const near = (ids) => placesOf(dots, ids).map(spot)
    const made = []
    if (picked) {
      const places = []
      dots.rank.forEach((rank, place) => { if (MapBase.has(picked, rank)) places.push(place) })
      made.push(rings(places, 6))
    }
    const found = placesOf(dots, data.found.rows)
    if (found.length) made.push(rings(found, found.length > FEW ? 5 : 12))
    if (pinned) {
      const from = spot(dots.placeOf(pinned.id))
      made.push(...near(pinned.near?.latent ?? []).map((to) => line(from, to, "solid")))
      made.push(...near(pinned.near?.pixels ?? []).map((to) => line(from, to, "dot")))
    }
    for (const own of stars) {
      made.push({ ...PLAIN, x: [own.x], y: [own.y], z: [own.z], mode: "markers", marker: { size: 9, symbol: "diamond", color: "#fff", line: { color: "#000", width: 2 } } })
      made.push(...near(own.near).map((to) => line(own, to, "solid")))
    }
    return made
  }

  // Arrows to a few search results: annotations are drawn in front of all dots.
  const arrows = ({ dots, data, ink, background }) => {
    const places = placesOf(dots, data.found.rows)
    if (places.length > FEW) return []
    return places.map((place) => ({
      x: dots.x[place], y: dots.y[place], z: dots.z[place], text: `#${dots.ids[place]}`, ax: 28, ay: -36, arrowcolor: ink, arrowwidth: 1.5,
      font: { color: ink }, bgcolor: background, bordercolor: ink, borderpad: 3,
    }))
  }

  const placesOf = (dots, ids) => ids.map((id) => dots.placeOf(id)).filter((place) => place >= 0)

  return { traces, arrows }
})()
