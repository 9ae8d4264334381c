//! Rust source with its comments and string contents blanked, so that rules see code only.

/// What surrounds a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    Line,
    /// Block comments nest.
    Block(usize),
    Text,
    /// A raw string and its number of `#`.
    Raw(usize),
}

/// Replaces each character of a comment, and each between the quotes of a string or character, by a space.
pub(super) fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut inside = Inside::Code;
    let mut at = 0;
    while at < chars.len() {
        let (next, length, shown) = step(inside, &chars, at);
        for &c in chars.iter().skip(at).take(length) {
            out.push(if shown || c == '\n' { c } else { ' ' });
        }
        inside = next;
        at += length;
    }
    out
}

/// The state after the characters at `at`, how many they are, and whether they are code.
fn step(inside: Inside, chars: &[char], at: usize) -> (Inside, usize, bool) {
    let starts = |text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    match inside {
        Inside::Code => code(chars, at),
        Inside::Line if starts("\n") => (Inside::Code, 1, true),
        Inside::Block(depth) if starts("/*") => (Inside::Block(depth + 1), 2, false),
        Inside::Block(1) if starts("*/") => (Inside::Code, 2, false),
        Inside::Block(depth) if starts("*/") => (Inside::Block(depth - 1), 2, false),
        Inside::Text if starts("\\") => (inside, 2, false),
        Inside::Text if starts("\"") => (Inside::Code, 1, true),
        Inside::Raw(hashes) if starts(&format!("\"{}", "#".repeat(hashes))) => {
            (Inside::Code, hashes + 1, true)
        }
        Inside::Line | Inside::Block(_) | Inside::Text | Inside::Raw(_) => (inside, 1, false),
    }
}

fn code(chars: &[char], at: usize) -> (Inside, usize, bool) {
    let char_at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let word_before = at > 0 && (char_at(at - 1).is_alphanumeric() || char_at(at - 1) == '_');
    match (char_at(at), char_at(at + 1)) {
        ('/', '/') => (Inside::Line, 2, false),
        ('/', '*') => (Inside::Block(1), 2, false),
        ('"', _) => (Inside::Text, 1, true),
        ('r', '"' | '#') if !word_before || char_at(at - 1) == 'b' => {
            let hashes = (at + 1..).take_while(|index| char_at(*index) == '#').count();
            match char_at(at + 1 + hashes) {
                '"' => (Inside::Raw(hashes), hashes + 2, true),
                _ => (Inside::Code, 1, true),
            }
        }
        // A character, not a lifetime: 'x' or '\…'.
        ('\'', '\\') => {
            let length =
                (at + 3..chars.len()).find(|index| char_at(*index) == '\'').map_or(1, |end| end + 1 - at);
            (Inside::Code, length, false)
        }
        ('\'', _) if char_at(at + 2) == '\'' => (Inside::Code, 3, false),
        _ => (Inside::Code, 1, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_vanish_and_lines_stay() {
        let source = "let a = \"unsafe \\\" x\"; // unsafe\n/* unsafe /* x */ unsafe */ let b = 'u';\nlet c: &'static str = r#\"unsafe\"#;\n";
        let code = blank(source);
        assert!(!code.contains("unsafe"), "{code}");
        assert_eq!(code.lines().count(), source.lines().count());
        assert_eq!(code.chars().count(), source.chars().count());
        assert!(code.contains("let b =") && code.contains("&'static str = r#\""));
    }

    #[test]
    fn quotes_in_characters_open_no_string() {
        assert!(blank("let q = '\"'; unsafe {}").contains("unsafe"));
        assert!(blank("let q = '\\''; unsafe {}").contains("unsafe"));
        assert!(blank("let q = b'\\\\'; unsafe {}").contains("unsafe"));
        assert!(blank("fn f<'a>(x: &'a str) { unsafe {} }").contains("unsafe"));
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert!(blank("let r#type = 1; unsafe {}").contains("unsafe"));
        assert!(blank("let bar = br\"unsafe\"; ok").contains("ok"));
        assert!(!blank("let bar = br\"unsafe\"; ok").contains("unsafe"));
    }
}
