//! Instructions in WebAssembly's text, each behind its operands: `(try (do …) (catch $e …))` and the like read as they did before the
//! proposal was dropped, which today's parsers take in their flat form alone.

/// A part of a text.
enum Part {
    Word(String),
    List(Vec<Part>),
}

/// The text with all functions in flat form.
pub(crate) fn unfold(text: &str) -> String {
    let mut words = words(text).into_iter();
    let mut out = String::new();
    for part in parts(&mut words) {
        part.write(&mut out);
    }
    out
}

/// Brackets, strings and names; comments are left out.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut chars) = (Vec::new(), String::new(), text.chars().peekable());
    while let Some(char) = chars.next() {
        let comment = match (char, chars.peek()) {
            (';', Some(';')) => chars.by_ref().find(|char| *char == '\n').is_some(),
            ('(', Some(';')) => {
                let mut last = ' ';
                chars.by_ref().any(|char| std::mem::replace(&mut last, char) == ';' && char == ')')
            }
            _ => false,
        };
        if comment || char.is_whitespace() || matches!(char, '(' | ')') {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
            if !comment && !char.is_whitespace() {
                words.push(char.to_string());
            }
            continue;
        }
        word.push(char);
        if char == '"' {
            while let Some(inside) = chars.next() {
                word.push(inside);
                match inside {
                    '\\' => word.extend(chars.next()),
                    '"' => break,
                    _ => (),
                }
            }
        }
    }
    words.push(word);
    words
}

fn parts(words: &mut std::vec::IntoIter<String>) -> Vec<Part> {
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "(" => found.push(Part::List(parts(words))),
            ")" => break,
            _ => found.push(Part::Word(word)),
        }
    }
    found
}

/// What says of what type something is.
fn is_type(part: &Part) -> bool {
    matches!(part.head(), Some("type" | "param" | "result"))
}

impl Part {
    /// The first word of a list.
    fn head(&self) -> Option<&str> {
        match self {
            Self::List(parts) => match parts.first() {
                Some(Self::Word(word)) => Some(word),
                _ => None,
            },
            Self::Word(_) => None,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Word(word) => *out += &format!("{word} "),
            Self::List(parts) if self.head() == Some("func") => {
                *out += "(";
                for part in parts {
                    let declares =
                        matches!(part.head(), Some("export" | "import" | "local")) || is_type(part);
                    if declares { part.write(out) } else { part.instruction(out) }
                }
                *out += ")\n";
            }
            Self::List(parts) => {
                *out += "(";
                parts.iter().for_each(|part| part.write(out));
                *out += ")\n";
            }
        }
    }

    fn instruction(&self, out: &mut String) {
        let Self::List(parts) = self else { return self.write(out) };
        let (head, rest) = (self.head().unwrap_or_default(), parts.get(1..).unwrap_or_default());
        let own = rest.iter().take_while(|part| matches!(part, Self::Word(_)) || is_type(part)).count();
        let (own, rest) = rest.split_at(own);
        let begin = |out: &mut String| {
            *out += &format!("{head} ");
            own.iter().for_each(|part| part.write(out));
        };
        match head {
            "block" | "loop" | "try" => {
                begin(out);
                rest.iter().for_each(|part| part.instruction(out));
                if rest.last().and_then(Self::head) != Some("delegate") {
                    *out += "end\n";
                }
            }
            "if" => {
                let arms = rest.iter().position(|part| part.head() == Some("then")).unwrap_or(rest.len());
                let (condition, arms) = rest.split_at(arms);
                condition.iter().for_each(|part| part.instruction(out));
                begin(out);
                arms.iter().for_each(|part| part.instruction(out));
                *out += "end\n";
            }
            "then" | "do" => parts.iter().skip(1).for_each(|part| part.instruction(out)),
            "catch" => {
                *out += "catch ";
                parts.iter().skip(1).for_each(|part| part.instruction(out));
            }
            "else" | "catch_all" => {
                *out += &format!("{head} ");
                parts.iter().skip(1).for_each(|part| part.instruction(out));
            }
            _ => {
                rest.iter().for_each(|part| part.instruction(out));
                begin(out);
                *out += "\n";
            }
        }
    }
}
