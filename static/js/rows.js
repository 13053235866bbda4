// data-rows="50": keeps that many rows, and one for each request when it is told twice.

document.addEventListener("htmx:sseMessage", ({ target }) => {
  if (!target.matches("[data-rows]")) return;
  const rows = target.getElementsByClassName("request");
  const newest = rows[0];
  const older = [...rows].find((row) => row !== newest && row.id === newest.id);
  if (older) older.replaceWith(newest);
  while (rows.length > Number(target.dataset.rows)) rows[rows.length - 1].remove();
});
