"use strict";
// The page's own program. Data reaches the page by textContent only: nothing in it can become an element.
(() => {
  const root = document.documentElement;
  root.dataset.live = ""; // what needs this program is shown
  const by = (id) => document.getElementById(id);
  const words = JSON.parse(by("words").textContent);
  const PER_PAGE = 50;
  const SEEN_FOR = 5000; // milliseconds: time to read three words

  const lang = () => root.lang;
  const figure = (value) => new Intl.NumberFormat(lang() === "fi" ? "fi-FI" : "en-GB").format(value);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (name, values = {}) => fill(words[lang()][name], values);

  // -- language and colours

  const onLanguage = [];
  for (const button of document.querySelectorAll("[data-lang]"))
    button.addEventListener("click", () => {
      root.lang = button.dataset.lang;
      for (const other of document.querySelectorAll("[data-lang]"))
        other.setAttribute("aria-pressed", String(other === button));
      document.title = say("title") + " " + document.body.dataset.run;
      onLanguage.forEach((change) => change());
    });

  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preferred.matches);
  const showTheme = () => by("dark").setAttribute("aria-pressed", String(isDark()));
  by("dark").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  preferred.addEventListener("change", showTheme);
  showTheme();

  // -- copying

  const told = by("told");
  let gone;
  async function copy(text, message) {
    told.textContent = "";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // where there is no clipboard for files
      area.value = text;
      area.className = "hidden";
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      if (!copied) message = say("notCopied");
    }
    told.textContent = message;
    clearTimeout(gone);
    gone = setTimeout(() => (told.textContent = ""), SEEN_FOR);
  }
  for (const button of document.querySelectorAll("[data-command]"))
    button.addEventListener("click", () => copy(button.dataset.command, say("copied", { count: 1 })));

  if (by("released"))
    document.querySelector("[data-copy-released]").addEventListener("click", () => {
      const numbers = JSON.parse(by("released").textContent);
      copy(numbers.join("\n") + "\n", say("copied", { count: figure(numbers.length) }));
    });

  // -- the table

  if (!by("data")) return;
  let data;
  try {
    data = JSON.parse(by("data").textContent);
  } catch {
    by("status").textContent = say("unreadable");
    return;
  }
  const size = data.number.length;
  const summed = (differences) => {
    const values = new Float64Array(differences.length);
    for (let at = 0, sum = 0; at < values.length; at++) values[at] = sum += differences[at];
    return values;
  };
  const spread = (column) => (typeof column === "number" ? new Int32Array(size).fill(column) : Int32Array.from(column));
  const number = data.exact ? summed(data.number) : BigInt64Array.from(data.number, BigInt);
  const reason = spread(data.reason);
  const file = spread(data.file);
  const line = summed(data.line);
  const stateOf = data.reasons.map(([state]) => state);
  const kindOf = data.reasons.map(([, kind]) => kind);
  const textOf = data.reasons.map(([, , text]) => text);

  const rank = (texts) => {
    const order = texts.map((_, at) => at).sort((a, b) => (texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0));
    const ranks = new Int32Array(texts.length);
    order.forEach((at, place) => (ranks[at] = place));
    return ranks;
  };
  const reasonRank = rank(textOf);
  const fileRank = rank(data.files);
  const keys = {
    state: (at) => stateOf[reason[at]],
    number: (at) => number[at],
    reason: (at) => reasonRank[reason[at]],
    place: (at) => (file[at] < 0 ? -1 : fileRank[file[at]]),
  };

  const all = Uint32Array.from({ length: size }, (_, at) => at);
  let shown = all;
  let page = 0;
  let sorted = { by: null, down: false };

  function filter() {
    const state = by("state").value, kind = by("kind").value, query = by("find").value.trim().toLowerCase();
    let fits = all;
    if (state !== "" || kind !== "" || query !== "") {
      const right = (at) => (state === "" || stateOf[at] === +state) && (kind === "" || kindOf[at] === +kind);
      const reasons = stateOf.map((_, at) => right(at));
      const inState = words[lang()].states.map((name) => name.toLowerCase() === query);
      const inReason = textOf.map((text, at) => inState[stateOf[at]] || text.toLowerCase().includes(query));
      const inFile = data.files.map((name) => name.toLowerCase().includes(query));
      const [, name, lines] = /^(.*):(\d+)$/.exec(query) || []; // as the table shows a place
      const ofName = data.files.map((one) => lines !== undefined && one.toLowerCase().endsWith(name));
      const digits = query.replace(/[\s.,]/g, ""); // as people group them
      const isNumber = /^\d+$/.test(digits);
      fits = all.filter((at) => reasons[reason[at]] && (query === "" || inReason[reason[at]] ||
        (file[at] >= 0 && (inFile[file[at]] || (ofName[file[at]] && line[at] === +lines))) ||
        (isNumber && number[at] && String(number[at]).includes(digits))));
    }
    shown = sort(fits);
    page = 0;
    show();
  }

  function sort(places) {
    if (sorted.by === null) return places;
    const key = keys[sorted.by], sign = sorted.down ? -1 : 1;
    const values = sorted.by === "number" ? number : Float64Array.from(all, key);
    const second = sorted.by === "place" ? line : all;
    return places.slice().sort((a, b) => {
      const one = values[a], other = values[b];
      if (one !== other) return one < other ? -sign : sign;
      return (second[a] - second[b]) * sign || a - b;
    });
  }

  const made = (name, className, ...content) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...content);
    return element;
  };
  const cell = (className, ...content) => {
    const element = made("td", className, ...content);
    element.setAttribute("role", "cell"); // said, since a narrow screen shows no table
    return element;
  };
  const inBoth = (name, at) =>
    ["fi", "en"].map((code) => {
      const span = made("span", "t", words[code][name][at]);
      span.lang = code;
      return span;
    });

  const english = (text) => {
    const element = made("bdi", "", text);
    element.lang = "en";
    return element;
  };

  const hasPlaces = Boolean(by("by-place"));
  function row(at) {
    const state = stateOf[reason[at]];
    const cells = [
      cell("", made("span", "chip " + words.states[state], ...inBoth("states", state))),
      cell("number", number[at] ? String(number[at]) : "–"),
      cell("why", english(textOf[reason[at]])),
    ];
    if (hasPlaces) {
      const name = file[at] < 0 ? "" : data.files[file[at]];
      cells.push(cell("where", made("bdi", "", name + (line[at] ? ":" + line[at] : ""))));
    }
    const element = made("tr", "", ...cells);
    element.setAttribute("role", "row");
    return element;
  }

  function show() {
    const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    by("rows").replaceChildren(...Array.from(shown.subarray(page * PER_PAGE, (page + 1) * PER_PAGE), row));
    by("nothing").hidden = shown.length > 0;
    // not `disabled`: the focus would be lost on the last page
    by("previous").setAttribute("aria-disabled", String(page === 0));
    by("next").setAttribute("aria-disabled", String(page === pages - 1));
    by("copy-shown").disabled = shown.length === 0;
    by("status").textContent = say("shown", { shown: figure(shown.length), all: figure(size) });
    by("page").textContent = say("page", { page: figure(page + 1), pages: figure(pages) });
  }

  function numbers(places) {
    const texts = [];
    for (const at of places) if (number[at]) texts.push(String(number[at]));
    return texts;
  }
  const rising = (places) => places.slice().sort((a, b) => (number[a] < number[b] ? -1 : number[a] > number[b] ? 1 : 0));
  const copyNumbers = (places) => {
    const texts = numbers(places);
    return copy(texts.join("\n") + (texts.length ? "\n" : ""), say("copied", { count: figure(texts.length) }));
  };

  let waiting;
  by("find").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  by("state").addEventListener("change", filter);
  by("kind").addEventListener("change", filter);
  by("clear").addEventListener("click", () => {
    for (const id of ["state", "kind", "find"]) by(id).value = "";
    filter();
  });
  for (const heading of document.querySelectorAll("th[data-by]"))
    heading.firstElementChild.addEventListener("click", () => {
      const down = sorted.by === heading.dataset.by && !sorted.down;
      sorted = { by: heading.dataset.by, down };
      for (const other of document.querySelectorAll("th[data-by]")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      shown = sort(shown);
      page = 0;
      show();
    });
  by("previous").addEventListener("click", () => (page--, show()));
  by("next").addEventListener("click", () => (page++, show()));
  by("copy-all").addEventListener("click", () => copyNumbers(rising(all)));
  by("copy-shown").addEventListener("click", () => copyNumbers(shown));
  for (const button of document.querySelectorAll("[data-copy-kind]"))
    button.addEventListener("click", () => {
      const kind = Number(button.dataset.copyKind);
      copyNumbers(rising(all.filter((at) => kindOf[reason[at]] === kind)));
    });
  for (const button of document.querySelectorAll("[data-show-kind]"))
    button.addEventListener("click", () => {
      by("state").value = by("find").value = "";
      by("kind").value = button.dataset.showKind;
      filter();
      by("table").scrollIntoView();
      by("kind").focus({ preventScroll: true });
    });

  function nameOptions() {
    const name = (select, first, texts) => {
      [...select.options].forEach((option) =>
        (option.textContent = option.value === "" ? say(first) : texts[+option.value]));
    };
    name(by("state"), "anyState", words[lang()].states);
    name(by("kind"), "anyKind", words[lang()].kinds);
  }
  onLanguage.push(nameOptions, show);
  nameOptions();
  show();
})();
