// The command line: history by arrow keys, completion from the desk's registry of verbs.

import { el } from "/render.js";

/** `complete(text)` answers ways to go on; `send(text)` does the command and says if it was taken. */
export function commandLine(complete, send) {
  const form = document.getElementById("command");
  const line = document.getElementById("line");
  const list = document.getElementById("completions");
  const typed = [];
  let recalled = 0;
  let chosen = -1;
  let asked = 0;
  let timer = 0;

  const options = () => [...list.children];

  function hide() {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    chosen = -1;
    line.setAttribute("aria-expanded", "false");
    line.removeAttribute("aria-activedescendant");
  }

  function choose(at) {
    const all = options();
    chosen = (at + all.length) % all.length;
    all.forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
    line.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    line.value = option.dataset.text;
    hide();
    line.focus();
    suggest();
  }

  function show(ways) {
    list.replaceChildren(...ways.slice(0, 12).map((way, index) => {
      const option = el("li", { role: "option", id: `way-${index}`, "aria-selected": "false", "data-text": way.text },
        el("span", { class: "way", text: way.text }), el("span", { class: "quiet", text: way.help }));
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
      return option;
    }));
    list.hidden = ways.length === 0;
    chosen = -1;
    line.setAttribute("aria-expanded", String(ways.length > 0));
    line.removeAttribute("aria-activedescendant");
  }

  function suggest() {
    clearTimeout(timer);
    const mine = (asked += 1);
    if (!line.value) return hide();
    timer = setTimeout(async () => {
      const ways = await complete(line.value);
      if (mine === asked && document.activeElement === line) {
        show(ways.filter((way) => way.text.trim() !== line.value.trim()));
      }
    }, 90);
  }

  function recall(step) {
    const at = recalled + step;
    if (at < 0 || at > typed.length) return;
    recalled = at;
    line.value = typed[at] ?? "";
    line.setSelectionRange(line.value.length, line.value.length);
  }

  line.addEventListener("input", suggest);
  line.addEventListener("blur", hide);
  line.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "Escape") hide();
    else if (event.key === "ArrowDown" && open) choose(chosen + 1);
    else if (event.key === "ArrowUp" && open) choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "ArrowUp") recall(-1);
    else if (event.key === "ArrowDown") recall(1);
    else if (event.key === "Tab" && open && !event.shiftKey) take(options()[Math.max(chosen, 0)]);
    else if (event.key === "Enter" && open && chosen >= 0) take(options()[chosen]);
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = line.value.trim();
    hide();
    if (!await send(text)) return;
    if (text && typed.at(-1) !== text) typed.push(text);
    recalled = typed.length;
    if (line.value.trim() === text) line.value = "";
  });
}
