// Tells the server whether the window is narrow, so that controls can fold away there; silent on wide windows.
// On a narrow window the menu lies over the page, so it is put away once a page was chosen in it.
// A training that has just begun is seen from the top, wherever on the page its button stood.
// A first map waits longest for Plotly, so it is fetched while the browser has nothing else to do.
let page = null
let begun = null
let ahead = false

const fetchAhead = (address) => {
  if (window.Plotly || document.querySelector(`script[src="${address}"]`)) return
  const script = Object.assign(document.createElement("script"), { src: address, onerror: () => script.remove() })
  document.head.append(script)
}

export default function ({ data, setStateValue }) {
  const query = window.matchMedia("(max-width: 640px)")
  const tell = () => {
    if (query.matches !== Boolean(data.narrow)) setStateValue("narrow", query.matches)
  }
  query.onchange = tell
  tell()
  if (query.matches && page !== null && page !== data.page) {
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
  }
  if (data.begun && data.begun !== begun) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  if (!ahead && !navigator.connection?.saveData) {
    ahead = true
    const idle = window.requestIdleCallback ?? setTimeout
    setTimeout(() => idle(() => fetchAhead(data.plotly)), 1000)
  }
  page = data.page
  begun = data.begun
  return () => { query.onchange = null }
}
