import { FOLDER } from "./messages.ts";

/** The page that shows a picture which is opened by itself. */
export function viewerPage(url: string, serviceWorker: string, folder: string): Response {
  const script = new URL(serviceWorker);
  script.searchParams.delete(FOLDER);
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<style>
  :root { color-scheme: dark; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #0e0e0e; }
  img { max-width: 100vw; max-height: 100vh; cursor: zoom-in; }
  img.large { max-width: none; max-height: none; cursor: zoom-out; }
  a { position: fixed; right: 1rem; bottom: 1rem; padding: .4rem .8rem; border-radius: 1rem; background: #000a;
      color: #fff; font: 14px system-ui, sans-serif; text-decoration: none; }
</style>
<script src="${escaped(script.href)}" data-folder="${escaped(folder)}"></script>
<img src="${escaped(url)}" alt="${escaped(name)}" onclick="this.classList.toggle('large')">
<a href="${escaped(url)}" download="${escaped(name)}">${escaped(name)}</a>
</html>`;
  return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } });
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
