//! A message for a person who opened its path in a browser.

use std::fmt::Write as _;

use weft_codec::message::{Message, Value};

/// Characters of a value that are shown.
const MAX_SHOWN: usize = 2_000;

const HEAD: &str = "<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
    <style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}\
    table{border-collapse:collapse;width:100%}td,th{border-top:1px solid #8885;padding:.35rem .6rem;text-align:left;\
    vertical-align:top;overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}small{color:#888}\
    pre{white-space:pre-wrap;margin:0}</style>";

/// The page of a message. All of it is escaped.
pub(super) fn of_message(message: &Message, status: u16) -> String {
    let mut html = format!("{HEAD}<title>{status}</title>");
    if status >= 400 {
        let body = message.get("body").map(shown).unwrap_or_default();
        // Writing to a text does not fail.
        let _ = write!(html, "<h1>{status}</h1><p>{body}</p>");
    }
    html.push_str("<table>");
    for (key, value) in message {
        let _ =
            write!(html, "<tr><th>{}<td>{}<td><small>{}</small>", escaped(key), shown(value), kind(value));
    }
    html.push_str(
        "</table><p><small>The same as JSON: add <code>?require-codec=application/json</code>.</small>",
    );
    html
}

fn shown(value: &Value) -> String {
    match value {
        Value::Link(id) => format!("<a href=\"/{id}\">{id}</a>"),
        Value::Binary(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let short: String = text.chars().take(MAX_SHOWN).collect();
            format!("<pre>{}</pre>", escaped(&short))
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Atom(word) => escaped(word),
        Value::List(values) => format!("{} values", values.len()),
        Value::Message(inner) => format!("{} keys", inner.len()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Link(_) => "link",
        Value::Binary(_) => "text",
        Value::Integer(_) => "integer",
        Value::Float(_) => "float",
        Value::Atom(_) => "atom",
        Value::List(_) => "list",
        Value::Message(_) => "message",
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_message_is_html() {
        let message = Message::new().with("<b>", "<script>alert(1)</script>").with("quote", "\"'&");
        let html = of_message(&message, 200);
        assert!(!html.contains("<script>") && !html.contains("<b>"));
        assert!(html.contains("&lt;script&gt;") && html.contains("&quot;&#39;&amp;"));
    }
}
