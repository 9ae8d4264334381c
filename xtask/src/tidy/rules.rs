//! The rules about text.

use super::tree::{Finding, Source, Tree};

/// Where platform code may be.
const PLATFORM_DIRS: [&str; 3] = ["web/", "examples/token/src/abi", MEASURED];
/// Programs of their own that a comparison is made with by hand, outside of the workspace.
pub(super) const MEASURED: &str = "tests/bench/lua-piccolo/";
/// Where a file may say on which platform it runs: the tests, by their attribute for two platforms or whole files at a
/// time, and the guest program, which is tested natively.
const TWO_PLATFORMS: [&str; 2] = ["tests/", "examples/token/src/lib.rs"];
/// Names what the rules forbid, to forbid it.
const SPEAKS_OF_RULES: [&str; 1] = ["xtask/src/tidy/"];
/// A guest program's own file system has folders of these names.
const GUEST_FILES: [&str; 1] = ["crates/weft-wasm/"];
const MOST_LINES: usize = 600;

/// `target_arch`, web types and `unsafe` live in web/.
pub(super) fn platform(tree: &Tree) -> Vec<Finding> {
    let ours = |file: &&Source| file.is_rust() || file.path.ends_with("Cargo.toml");
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(ours).filter(|file| !file.within(&PLATFORM_DIRS)) {
        for word in ["target_arch", "web_sys", "js_sys", "unsafe"] {
            let allowed = word == "target_arch" && file.within(&TWO_PLATFORMS);
            if !allowed {
                findings.extend(
                    words(&file.code, word).map(|line| file.at(line, format!("`{word}` belongs in web/"))),
                );
            }
        }
    }
    findings
}

/// Where one program holds all tests of a folder, it holds all of them: a file that `main.rs` does not name is not run.
pub(super) fn tests_named(tree: &Tree) -> Vec<Finding> {
    let mains = tree.files.iter().filter_map(|file| Some((file.path.strip_suffix("main.rs")?, file)));
    let mut findings = Vec::new();
    for (dir, main) in mains.filter(|(dir, _)| dir.ends_with("tests/")) {
        let beside = tree.files.iter().filter_map(|file| Some((file.path.strip_prefix(dir)?, file)));
        for (name, file) in beside.filter(|(name, _)| *name != "main.rs") {
            let name = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs")).unwrap_or_default();
            let is_module = !name.is_empty() && !name.contains('/');
            if is_module && !main.code.lines().any(|line| line == format!("mod {name};")) {
                findings.push(file.whole(format!("{} does not say `mod {name};`: it is not run", main.path)));
            }
        }
    }
    findings
}

/// A file is one room.
pub(super) fn length(tree: &Tree) -> Vec<Finding> {
    let programs = tree.files.iter().filter(|file| file.is_program());
    programs
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > MOST_LINES)
                .then(|| file.whole(format!("{lines} lines, more than {MOST_LINES}: two rooms?")))
        })
        .collect()
}

/// Nothing unfinished and no test left out.
pub(super) fn unfinished(tree: &Tree) -> Vec<Finding> {
    let marks = ["TODO", "FIXME", "XXX"];
    let calls =
        ["todo!(", "unimplemented!(", "#[ignore", ".only(", ".skip(\"", "describe.skip(", "test.skip("];
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_program() && !file.within(&SPEAKS_OF_RULES)) {
        for mark in marks {
            findings
                .extend(words(&file.text, mark).map(|line| file.at(line, format!("`{mark}`: finish it"))));
        }
        for (line, text) in file.text.lines().enumerate() {
            for call in calls.iter().filter(|call| text.contains(**call)) {
                findings.push(file.at(line, format!("`{call}`: nothing unfinished, no test left out")));
            }
        }
    }
    findings
}

/// Every crate says what it is, and forbids `unsafe` unless it is the browser's.
pub(super) fn crate_head(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (dir, manifest) in tree.packages() {
        let roots = ["src/lib.rs", "src/main.rs"].map(|file| tree.get(&format!("{dir}{file}")));
        if roots.iter().all(Option::is_none) {
            findings.push(manifest.whole("a crate without src/lib.rs or src/main.rs"));
        }
        for root in roots.into_iter().flatten() {
            if !root.text.starts_with("//! ") {
                findings.push(root.at(0, "the crate does not say what it is (`//! …`)"));
            }
            if !root.within(&["web/", "examples/token/", MEASURED])
                && !root.code.contains("#![forbid(unsafe_code)]")
            {
                findings.push(root.whole("no #![forbid(unsafe_code)]"));
            }
        }
    }
    findings
}

/// The project names no machine and no registry.
pub(super) fn machine(tree: &Tree) -> Vec<Finding> {
    let hosts = [
        ("registry", "npmjs"),
        ("static", "crates"),
        ("index", "crates"),
        ("deb", "debian"),
        ("files", "pythonhosted"),
    ]
    .map(|(first, second)| format!("{first}.{second}."));
    let folders = ["tmp", "root", "work"];
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.within(&SPEAKS_OF_RULES)) {
        for (line, text) in file.text.lines().enumerate() {
            if let Some(host) = hosts.iter().find(|host| text.contains(host.as_str())) {
                findings.push(file.at(line, format!("`{host}`: a package registry is named")));
            }
            let folder = folders.iter().find(|folder| has_folder(text, folder));
            if let Some(folder) = folder.filter(|_| !file.within(&GUEST_FILES)) {
                findings.push(file.at(line, format!("`/{folder}/`: a path of one machine")));
            }
        }
    }
    findings
}

/// Whether a line holds an absolute path into a top folder, rather than a part of a longer path or URL.
fn has_folder(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    line.match_indices(&path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~})".contains(c))
    })
}

/// Lock files of npm name no server: any registry can fill them.
pub(super) fn lock(tree: &Tree) -> Vec<Finding> {
    let locks = tree.files.iter().filter(|file| file.path.ends_with("package-lock.json"));
    let resolved =
        |file: &Source| file.text.lines().position(|line| line.trim().starts_with("\"resolved\": \"http"));
    locks
        .filter_map(|file| {
            let line = resolved(file)?;
            Some(
                file.at(
                    line,
                    "a `resolved` URL: set omit-lockfile-registry-resolved and write the lock again",
                ),
            )
        })
        .collect()
}

/// Both licences are there, and every package names them.
pub(super) fn licence(tree: &Tree) -> Vec<Finding> {
    let texts = ["LICENSE-MIT", "LICENSE-APACHE"].into_iter().filter(|path| tree.get(path).is_none());
    let mut findings: Vec<_> = texts.map(|path| Finding::missing(path, "the licence is missing")).collect();
    let crates = tree.packages().map(|(_, manifest)| (manifest, "\nlicense"));
    let modules = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("package.json"))
        .map(|file| (file, "\"license\""));
    for (file, key) in crates.chain(modules).filter(|(file, key)| !file.text.contains(key)) {
        findings.push(file.whole(format!("no `{}`", key.trim())));
    }
    findings
}

/// What changes next has a place in the changelog.
pub(super) fn changelog(tree: &Tree) -> Vec<Finding> {
    let path = "CHANGELOG.md";
    let Some(file) = tree.get(path) else { return vec![Finding::missing(path, "there is no changelog")] };
    let there = file.text.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased"));
    if there { Vec::new() } else { vec![file.whole("no section `## Unreleased`")] }
}

/// Lints are those of the workspace, and are silenced only with a reason.
pub(super) fn lints(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (dir, manifest) in
        tree.packages().filter(|(dir, _)| !dir.starts_with("examples/") && *dir != MEASURED)
    {
        if !manifest.text.contains("[lints]\nworkspace = true") {
            findings.push(manifest.whole(format!("{dir} does not take the lints of the workspace")));
        }
    }
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let lines: Vec<&str> = file.code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let silences =
                ["#[allow(", "#![allow(", "#[expect(", "#![expect("].iter().any(|start| line.contains(start));
            let attribute = || lines.iter().skip(at).take(8).take_while(|line| !line.trim().is_empty());
            if silences && !attribute().any(|line| line.contains("reason")) {
                findings.push(file.at(at, "a lint is silenced without a `reason`"));
            }
        }
    }
    findings
}

/// Lines, from 0, on which a word stands alone.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.lines()
        .enumerate()
        .filter(move |(_, line)| line.split(|c| !part(c)).any(|found| found == word))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
