//! Which crate may depend on which: arrows only point down.

use super::tree::{Finding, Tree};

/// The crates from the ground up (ARCHITECTURE.md). A crate may depend on those of lower floors only.
const FLOORS: [(&str, u32); 11] = [
    ("weft-codec", 0),
    ("weft-verify", 1),
    ("weft-lua", 2),
    ("weft-wasm", 2),
    ("weft-core", 3),
    ("weft-node", 4),
    ("weft-cli", 5),
    ("weft-web", 5),
    ("weft-tests", 6),
    ("weft-fuzz", 6),
    // Builds the others, so it can need none of them.
    ("xtask", 0),
];

/// No crate depends on one of its own floor or above; every crate has a floor.
pub(super) fn arrows(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours = |dir: &str| !dir.starts_with("examples/") && dir != super::rules::MEASURED;
    for (_, manifest) in tree.packages().filter(|(dir, _)| ours(dir)) {
        let name = package_name(&manifest.text).unwrap_or_default();
        let Some(floor) = floor(name) else {
            findings.push(manifest.whole(format!("{name} has no floor in xtask/src/tidy/arrows.rs")));
            continue;
        };
        for (line, section, dependency) in dependencies(&manifest.text) {
            // A crate's own tests may use what tests share.
            let shared = dependency == "weft-tests" && section.ends_with("dev-dependencies");
            if !shared && self::floor(dependency).is_some_and(|other| other >= floor) {
                findings.push(
                    manifest.at(line, format!("{name} must not depend on {dependency}: arrows point down")),
                );
            }
        }
    }
    findings
}

fn floor(name: &str) -> Option<u32> {
    FLOORS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, floor)| *floor)
}

fn package_name(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("name = ")).map(|name| name.trim_matches('"'))
}

/// Every dependency with its line from 0 and the name of its section.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    manifest.lines().enumerate().filter_map(move |(at, line)| {
        if let Some(header) = line.trim().strip_prefix('[') {
            section = header.trim_end_matches(']');
            // [dependencies.name]
            let (kind, name) = section.rsplit_once('.')?;
            return kind.ends_with("dependencies").then_some((at, kind, name));
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let is_one = section.ends_with("dependencies") && !name.is_empty() && !name.starts_with('#');
        is_one.then_some((at, section, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, rest: &str) -> usize {
        let manifest = format!("[package]\nname = \"{name}\"\n{rest}\n");
        arrows(&Tree::of(&[("crates/x/Cargo.toml", &manifest)])).len()
    }

    #[test]
    fn down_is_allowed() {
        assert_eq!(check("weft-core", "[dependencies]\nweft-wasm.workspace = true\nserde = \"1\""), 0);
        assert_eq!(check("weft-tests", "[dev-dependencies]\nweft-node = { path = \"x\" }"), 0);
    }

    #[test]
    fn what_tests_share_is_for_tests() {
        assert_eq!(check("weft-web", "[target.'cfg(x)'.dev-dependencies]\nweft-tests.workspace = true"), 0);
        assert_eq!(check("weft-web", "[dependencies]\nweft-tests.workspace = true"), 1);
    }

    #[test]
    fn up_and_sideways_are_not_in_any_section() {
        assert_eq!(check("weft-codec", "[dependencies]\nweft-verify.workspace = true"), 1);
        assert_eq!(check("weft-wasm", "[dev-dependencies]\nweft-lua = { path = \"../lua\" }"), 1);
        assert_eq!(check("weft-cli", "[dependencies.weft-web]\nworkspace = true"), 1);
        assert_eq!(check("weft-node", "[target.'cfg(x)'.dependencies]\nweft-cli.workspace = true"), 1);
        assert_eq!(check("xtask", "[dependencies]\nweft-codec.workspace = true"), 1);
    }

    #[test]
    fn a_new_crate_needs_a_floor() {
        assert_eq!(check("weft-new", ""), 1);
    }
}
