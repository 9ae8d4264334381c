//! `weft replay --module` as a user runs it: the binary over files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A folder with the module that counts its messages, and three messages, the second of which answers with an Error.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("weft-module-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("module.wasm"), weft_tests::world::wasm()).unwrap();
        let tags = json!([{"name": "Module-Format", "value": "wasm32-unknown-unknown"}]);
        let env = json!({"Process": {"Id": "p", "Tags": []}, "Module": {"Id": "m", "Tags": tags}});
        let messages = json!([{"Data": "a"}, {"Data": "!e"}, {"Data": "b"}]);
        let text = json!({"env": env, "messages": messages}).to_string();
        std::fs::write(folder.join("messages.json"), text).unwrap();
        Self(folder)
    }

    fn weft(&self, more: &[&str]) -> Output {
        let (module, messages) = (self.0.join("module.wasm"), self.0.join("messages.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        command.args(["replay", "--module"]).arg(module).arg("--messages").arg(messages);
        command.args(more).output().unwrap()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_failed_message_is_rolled_back_unless_its_memory_is_kept() {
    let files = Files::new("modes");
    for (flags, last) in [(vec!["--json"], "2"), (vec!["--json", "--keep-memory"], "3")] {
        let output = files.weft(&flags);
        assert_eq!(output.status.code(), Some(0));
        let lines = lines(&output);
        let outputs: Vec<&Value> = lines.iter().map(|line| &line["output"]).collect();
        assert_eq!((outputs[0], outputs[2]), (&json!("1"), &json!(last)));
        assert_eq!((&lines[1]["slot"], &lines[1]["error"]), (&json!(1), &json!("asked for")));
        assert_eq!(lines[1]["rolled_back"], json!(last == "2"));
        let same = lines[0]["memory_sha256"] == lines[1]["memory_sha256"];
        assert_eq!(same, last == "2", "the memory after the error");
        assert!(lines.iter().all(|line| line["gas"].as_u64() > Some(0)));
    }
    let text = String::from_utf8(files.weft(&[]).stdout).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("rolled back"), "{text}");
}

#[test]
fn an_expression_chooses_the_slots() {
    let files = Files::new("where");
    let slots = |expression: &str| {
        let output = files.weft(&["--json", "--where", expression]);
        assert_eq!(output.status.code(), Some(0), "{expression}");
        lines(&output).iter().map(|line| line["slot"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(slots("slot.error"), [1]);
    assert_eq!(slots("not slot.error and slot.gas > 0"), [0, 2]);
    assert_eq!(slots("slot.messages[1] and slot.messages[1].Data == 'b'"), [2]);
    assert_eq!(files.weft(&["--where", "slot +"]).status.code(), Some(2));
    assert_eq!(files.weft(&["--where", "slot.a.b"]).status.code(), Some(2));
}

#[test]
fn the_two_forms_do_not_mix() {
    let files = Files::new("forms");
    let process = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4";
    for flags in [vec![process], vec!["--to", "3"], vec!["--gas-limit", "x"], vec!["--scheduler", "http://a"]]
    {
        assert_eq!(files.weft(&flags).status.code(), Some(2), "{flags:?}");
    }
    assert_eq!(files.weft(&["--memory-limit", "65536"]).status.code(), Some(1), "the module wants two pages");
    assert_eq!(files.weft(&["--format", "wasm32-unknown-emscripten"]).status.code(), Some(1));
}
