"""An edge server: one file in the cache, two resolutions on the wire.

How a request is answered, from the top down:

- `commands` prepares the folder and starts `connections`, which hand each request to the `app` of a worker process;
- `middleware` limits its time, logs and counts it (`counters`);
- `requests` says which picture and which variant is asked for; `pictures`, `uploads` or `gallery` answer;
- `library` finds the picture: in the `folder`, or through `pull`, which asks the `origin` and remembers what it has
  `pulled`;
- `variants` codes it anew, once; `responses` says it in HTTP's words.

`gallery_measure` is what `aez gallery` does, offline; the server only reads its `gallery_facts`. `settings` come from
`options`.

Below them are the `cache` on disk, the `locks` over all processes, and the `threads` for what blocks.
"""
