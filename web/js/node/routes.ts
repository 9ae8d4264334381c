/**
 * Which URLs are the node's and which are files of the app. Both stand below the same folder, since a service worker sees no more
 * than the folder it is in, and a gateway serves an app below a path of its own.
 */

/** Below the folder: an id (`PID~process@1.0/…`), a device (`~meta@1.0/info`, `name~message@1.0`), a path in parentheses, or a unit of the local network. */
const NODE = /^(?:[A-Za-z0-9_-]{43}(?:[~/&?]|$)|[^/&?]*~|\(|(?:su|mu|cu|gateway)(?:\/|$)|(?:push|schedule|graphql)(?:[/?&]|$))/;

/** The path of a URL below a folder, with its query, if it is the node's; `null` if it is not. */
export function nodePath(url: URL, folder: URL): string | null {
  if (url.origin !== folder.origin || !url.pathname.startsWith(folder.pathname)) return null;
  // aoconnect puts a slash before its paths, whatever the URL of the node ends in; a node takes several for one.
  const path = url.pathname.slice(folder.pathname.length).replace(/^\/+/, "");
  return NODE.test(decoded(path)) ? `/${path}${url.search}` : null;
}

/** `~` may come as `%7E`. A path that does not decode is nobody's. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}
