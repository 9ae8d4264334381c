//! The built page's files.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// Where the page is, if it is built.
#[derive(Clone, Debug)]
pub(super) struct Page {
    root: Option<PathBuf>,
}

/// A file of the page.
pub(super) struct File {
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// What is shown in place of a page that is not there.
pub(super) const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Weft</title>\
    <h1>The page is not built</h1><p>The local network runs: <code>/gateway</code>, <code>/su</code>, \
    <code>/mu</code>, <code>/cu</code>.</p><p>Build the page with <code>cargo xtask build</code>, or say where it is \
    with <code>weft serve --www FOLDER</code>, and start again.</p>";

impl Page {
    /// The folder given, else the first that has an `index.html`: `dist` here, beside the program, two folders above
    /// it (where a workspace has its own), `www` beside the program.
    pub(super) fn find(given: Option<PathBuf>) -> Self {
        if let Some(root) = given {
            return Self { root: root.canonicalize().ok().filter(|root| root.is_dir()) };
        }
        let program = std::env::current_exe().ok();
        let beside = program.as_deref().and_then(Path::parent);
        let candidates = [
            Some(PathBuf::from("dist")),
            beside.map(|folder| folder.join("dist")),
            beside.map(|folder| folder.join("../../dist")),
            beside.map(|folder| folder.join("www")),
        ];
        let built = |folder: &PathBuf| folder.join("index.html").is_file();
        Self { root: candidates.into_iter().flatten().find(built).and_then(|root| root.canonicalize().ok()) }
    }

    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The file at a URL's path. Nothing outside the folder is ever read, links out of it included.
    pub(super) fn file(&self, path: &str) -> Option<File> {
        let root = self.root.as_ref()?;
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let relative = Path::new(decoded.trim_start_matches('/'));
        if relative.components().any(|part| !plain(part)) {
            return None;
        }
        let mut file = root.join(relative);
        if file.is_dir() {
            file.push("index.html");
        }
        let file = file.canonicalize().ok()?;
        if !file.starts_with(root) || !file.is_file() {
            return None;
        }
        let bytes = std::fs::read(&file).ok()?;
        Some(File { content_type: content_type(&file), bytes })
    }
}

/// An ordinary name: no `..`, no root, no hidden file, no other system's separator.
fn plain(part: Component<'_>) -> bool {
    match part {
        Component::Normal(name) => {
            name.to_str().is_some_and(|name| !name.starts_with('.') && !name.contains(['\\', '\0', ':']))
        }
        _ => false,
    }
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test with a page in it and a secret beside it.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("weft-page-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("www/sub")).unwrap();
        for (file, text) in [
            ("www/index.html", "<p>"),
            ("www/a.wasm", "w"),
            ("www/sub/index.html", "s"),
            ("secret.txt", "no"),
        ] {
            std::fs::write(folder.join(file), text).unwrap();
        }
        std::fs::write(folder.join("www/.hidden"), "no").unwrap();
        folder
    }

    #[test]
    fn files_have_their_types_and_folders_their_index() {
        let folder = folder("types");
        let page = Page::find(Some(folder.join("www")));
        assert_eq!(page.file("/").unwrap().content_type, "text/html; charset=utf-8");
        assert_eq!(page.file("/a.wasm").unwrap().content_type, "application/wasm");
        assert_eq!(page.file("/sub").unwrap().bytes, b"s");
        assert!(page.file("/none.js").is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let folder = folder("outside");
        let page = Page::find(Some(folder.join("www")));
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/sub/../../secret.txt",
            "//etc/passwd",
            "/.hidden",
            "/..%2fsecret.txt",
            "/sub%5c..",
            "/%00",
        ] {
            assert!(page.file(path).is_none(), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.join("secret.txt"), folder.join("www/link.txt")).unwrap();
            assert!(page.file("/link.txt").is_none());
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_page() {
        assert!(Page::find(Some("/no/such/folder".into())).root().is_none());
    }
}
