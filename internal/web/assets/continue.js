// Goes on to the app when all frames have been loaded, or did not come for a while.
// Without this file the person presses the button.
"use strict";
const link = document.getElementById("continue");
let gone = false;
const go = () => {
  if (gone) return;
  gone = true;
  location.replace(link.href);
};
addEventListener("load", go);
setTimeout(go, 3000);
