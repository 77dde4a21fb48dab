// Tells the server whether the window is narrow, so that controls can fold away there; silent on wide windows.
// On a narrow window the menu lies over the page, so it is put away once a page was chosen in it.
let page = null

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
  page = data.page
  return () => { query.onchange = null }
}
