"use strict";
// Sorts and filters the table of example sessions. The page is complete without it.
(() => {
  document.documentElement.classList.add("scripted");
  const table = document.getElementById("examples");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const search = document.getElementById("search");
  const cause = document.getElementById("cause");
  const shown = document.getElementById("shown");

  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !(cause.value === "" || row.dataset.cause === cause.value)
        || !row.textContent.toLowerCase().includes(wanted);
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };

  const headings = [...table.tHead.rows[0].cells];
  const sort = (heading) => {
    const column = headings.indexOf(heading);
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const text = (row) => row.cells[column].textContent.trim();
    rows.sort((a, b) => text(a).localeCompare(text(b), "en", { numeric: true }));
    if (descending) rows.reverse();
    body.append(...rows);
  };

  search.addEventListener("input", filter);
  cause.addEventListener("change", filter);
  for (const heading of headings) {
    heading.firstElementChild.addEventListener("click", () => sort(heading));
  }
  filter();
})();
