// Forms as a dialog: questions that the desk asks before a verb can be done.

import { el, quote, worded } from "/render.js";

/** Show the form, and why it was refused before; `send(values)` is called once it is filled in. */
export function askForm(form, complaint, send) {
  const dialog = document.getElementById("dialog");
  const inputs = form.fields.map(field);
  const body = el("form", { method: "dialog" },
    el("h2", { id: "dialog-title", text: form.title }),
    el("p", { class: "complaint", role: "alert" }, ...worded(complaint)),
    form.quote ? quote(form.quote) : null,
    ...inputs.map((input) => input.element),
    el("div", { class: "controls" },
      el("button", { type: "submit", class: "primary", text: form.submit }),
      el("button", { type: "button", text: "Cancel", onclick: () => dialog.close() })));
  body.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!inputs.every((input) => input.valid())) return;
    dialog.close();
    send(Object.fromEntries(form.fields.map((field, at) => [field.name, inputs[at].value()])));
  });
  const back = document.activeElement;
  dialog.replaceChildren(body);
  dialog.addEventListener("close", () => back?.isConnected && back.focus(), { once: true });
  dialog.showModal();
  body.querySelector("input, select, textarea")?.focus();
}

let fields = 0;

function field(field) {
  fields += 1;
  const hint = field.hint ? el("span", { class: "quiet", id: `hint-${fields}`, text: field.hint }) : null;
  const described = hint ? hint.id : null;
  if (field.options.length) return choice(field, hint, described);
  const input = field.multiline
    ? el("textarea", { rows: 5, maxlength: field.max_length, required: field.required, "aria-describedby": described })
    : el("input", { type: "text", maxlength: field.max_length, required: field.required, "aria-describedby": described, autocomplete: "off" });
  input.name = field.name;
  input.value = field.value;
  return {
    element: el("label", { class: "field" }, el("span", { text: label(field) }), input, hint),
    value: () => input.value,
    valid: () => true,
  };
}

function choice(field, hint, described) {
  const chosen = new Set(field.many ? field.value.split(",").map((value) => value.trim()) : [field.value]);
  const boxes = field.options.map((option) => {
    const box = el("input", { type: field.many ? "checkbox" : "radio", name: field.name, value: option.value,
      required: field.required && !field.many });
    box.checked = chosen.has(option.value);
    return { box, element: el("label", { class: "check" }, box, el("span", { text: option.label })) };
  });
  const complaint = el("span", { class: "complaint", role: "alert" });
  const picked = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  return {
    element: el("fieldset", { "aria-describedby": described }, el("legend", { text: label(field) }),
      el("div", { class: "checks" }, ...boxes.map(({ element }) => element)), hint, complaint),
    value: () => (field.many ? picked() : picked()[0] ?? ""),
    valid: () => {
      const well = !field.required || picked().length > 0;
      complaint.textContent = well ? "" : "Choose at least one.";
      if (!well) boxes[0].box.focus();
      return well;
    },
  };
}

const label = (field) => (field.required ? field.label : `${field.label} (optional)`);
