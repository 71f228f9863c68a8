// SPDX-License-Identifier: Apache-2.0
// What makes the pages easier to use; each of them works without it.

for (const form of document.querySelectorAll("#go_on")) form.requestSubmit();

for (const button of document.querySelectorAll("button.copy")) {
  const text = document.getElementById(button.dataset.copies);
  if (!navigator.clipboard || !text) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = document.getElementById("said");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      said.textContent = "Copied.";
    } catch {
      text.closest("details").open = true;
      getSelection().selectAllChildren(text);
      said.textContent = "Copying was refused; the text is selected.";
    }
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2500);
  });
}

for (const time of document.querySelectorAll("time.ends")) {
  const ends = new Date(time.dateTime);
  const show = () => {
    const minutes = Math.floor((ends - Date.now()) / 60000);
    const left = minutes < 0 ? "they have ended" : minutes < 120 ? `in ${minutes} min` : `in ${Math.floor(minutes / 60)} h`;
    time.textContent = `${ends.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })} (${left})`;
  };
  show();
  setInterval(show, 30000);
}

const search = document.getElementById("search");
const roles = [...document.querySelectorAll(".saml-role")];
if (search && roles.length > 8) {
  search.closest("p").hidden = false;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const role of roles) {
      const text = (role.textContent + role.parentElement.querySelector(".saml-account-name").textContent).toLowerCase();
      role.hidden = !words.every((word) => text.includes(word));
    }
    for (const account of document.querySelectorAll(".saml-account"))
      account.hidden = !account.querySelector(".saml-role:not([hidden])");
    document.querySelector(".nothing").hidden = roles.some((role) => !role.hidden);
  });
}
