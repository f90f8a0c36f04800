// Every code block gets a button that copies it. Without this script a reader
// misses nothing else.
for (const block of document.querySelectorAll<HTMLElement>(".highlight")) {
  const code = block.querySelector("code");
  if (!code || !navigator.clipboard) continue;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.lang = "ja";
  button.textContent = "コピー";

  // Its own element: screen readers announce a change of text, not of a button.
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.lang = "ja";
  said.setAttribute("role", "status");

  button.addEventListener("click", async () => {
    const done = await navigator.clipboard.writeText(code.innerText).then(() => true, () => false);
    said.textContent = done ? "コピーしました" : "コピーできませんでした";
    button.textContent = done ? "コピー済み" : "失敗";
    setTimeout(() => {
      button.textContent = "コピー";
      said.textContent = "";
    }, 2000);
  });
  block.append(button, said);
}
