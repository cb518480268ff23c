import { ACCEPT } from "./download.ts";

/** The page that shows a picture which is opened by itself. */
export function viewerPage(url: string, script: string, folder: string): Response {
  const name = nameOf(url);
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<style>
  :root { color-scheme: dark; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #0e0e0e; color: #fff;
         font: 14px system-ui, sans-serif; }
  img { max-width: 100vw; max-height: 100vh; cursor: zoom-in; }
  img.large { max-width: none; max-height: none; cursor: zoom-out; }
  a { position: fixed; right: 1rem; bottom: 1rem; padding: .4rem .8rem; border-radius: 1rem; background: #000a;
      color: inherit; text-decoration: none; }
</style>
<script src="${escaped(script)}" data-folder="${escaped(folder)}"></script>
<img src="${escaped(url)}" alt="" onclick="this.classList.toggle('large')">
<a href="${escaped(url)}" download="${escaped(name)}">${escaped(name)}</a>
<script>
  const image = document.querySelector("img");
  const link = document.querySelector("a");
  const file = async () => (await fetch(link.href, { headers: { Accept: "${ACCEPT}" } })).blob();
  image.addEventListener("error", async () => {
    const reason = await aez.decode(await (await file()).arrayBuffer()).then(() => "", ({ message }) => message);
    if (reason) image.replaceWith(reason);
  });
  link.addEventListener("click", async (event) => {
    if (link.protocol === "blob:") return;
    event.preventDefault(); // to go to the address would end at this page
    link.href = URL.createObjectURL(await file());
    link.click();
  });
</script>
</html>`;
  return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } });
}

/** The name of the file at an address. */
function nameOf(url: string): string {
  const name = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // not every percent sign stands for something
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
