//! Which crate may depend on which: arrows only point down.

use super::tree::{Finding, Tree};

/// The crates from the ground up (ARCHITECTURE.md). A crate may depend on those of lower floors only.
const FLOORS: [(&str, u32); 10] = [
    ("weft-codec", 0),
    ("weft-verify", 1),
    ("weft-lua", 2),
    ("weft-wasm", 2),
    ("weft-core", 3),
    ("weft-node", 4),
    ("weft-cli", 5),
    ("weft-web", 5),
    ("weft-tests", 6),
    // Builds the others, so it can need none of them.
    ("xtask", 0),
];

/// No crate depends on one of its own floor or above; every crate has a floor.
pub(super) fn arrows(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, manifest) in tree.packages().filter(|(dir, _)| !dir.starts_with("examples/")) {
        let name = package_name(&manifest.text).unwrap_or_default();
        let Some(floor) = floor(name) else {
            findings.push(manifest.whole(format!("{name} has no floor in xtask/src/tidy/arrows.rs")));
            continue;
        };
        for (line, dependency) in dependencies(&manifest.text) {
            if self::floor(dependency).is_some_and(|other| other >= floor) {
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

/// Names in every section of dependencies, with their lines from 0.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    manifest.lines().enumerate().filter_map(move |(at, line)| {
        if let Some(section) = line.trim().strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies");
            // [dependencies.name]
            return section.rsplit_once("dependencies.").map(|(_, name)| (at, name));
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        (inside && !name.is_empty() && !name.starts_with('#')).then_some((at, name))
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
