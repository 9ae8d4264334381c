//! The value of a component (§2.1, §2.2).

use super::{
    BareItem, Code, Error, Keys, Member, Parameters, Result, parse_dictionary, parse_item, parse_list,
    serialise_dictionary, serialise_inner_list, serialise_item, serialise_list,
};

/// A request or response, as far as signatures look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMessage {
    /// Its first line.
    pub start: Start,
    /// Names in any case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The same, after the body.
    pub trailers: Vec<(String, String)>,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// `GET`.
        method: String,
        /// Where to.
        target: Target,
    },
    /// A response.
    Response {
        /// `200`.
        status: u16,
        /// The request it answers, where signatures cover it (`req`).
        request: Option<Box<HttpMessage>>,
    },
}

/// Where a request goes: an absolute address, its parts as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    scheme: String,
    authority: String,
    path: String,
    query: Option<String>,
}

impl Target {
    /// Takes `scheme://authority/path?query` apart; a fragment is left off. Error: `source-invalid`.
    pub fn parse(url: &str) -> Result<Self> {
        let refuse = || Error::new(Code::SourceInvalid, "The target of a request is not an absolute URL.");
        let (scheme, rest) = url.split_once("://").ok_or_else(refuse)?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(at);
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        if scheme.is_empty() || authority.is_empty() {
            return Err(refuse());
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_ascii_lowercase(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query.map(str::to_owned),
        })
    }

    /// The authority without the scheme's own port (§2.2.3).
    fn normal_authority(&self) -> &str {
        let port = match self.scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return &self.authority,
        };
        self.authority.strip_suffix(port).unwrap_or(&self.authority)
    }

    /// `?query`, empty where there is none.
    fn query_part(&self) -> String {
        self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"))
    }

    /// The one query parameter whose encoded name this is (§2.2.8).
    fn query_parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.as_deref()?.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut found = pairs.filter(|(key, _)| form_encode(&form_decode(key)) == name);
        let (_, value) = found.next()?;
        // A name that comes twice could mean either.
        if found.next().is_some() { None } else { Some(form_encode(&form_decode(value))) }
    }
}

impl HttpMessage {
    /// The combined value of a field (§2.1): lines trimmed and joined by `, `.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        lines(&self.headers, name).map(|lines| lines.join(", "))
    }
}

fn lines(fields: &[(String, String)], name: &str) -> Option<Vec<String>> {
    let values = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let lines: Vec<String> = values.map(|value| unfold(value)).collect();
    (!lines.is_empty()).then_some(lines)
}

/// A value in one line, without blanks around it (§2.1).
fn unfold(value: &str) -> String {
    let parts = value.split(['\r', '\n']).map(|part| part.trim_matches([' ', '\t']));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn missing(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    let what = format!("The signature covers `{shown}`, which is not here, or not once.");
    Error::new(Code::ComponentMissing, what).with("component", shown)
}

fn malformed(what: &str) -> Error {
    Error::new(Code::FieldMalformed, what)
}

/// The value of a component, by its name and parameters. Errors: `component-missing`, `field-malformed`.
pub(super) fn value(message: &HttpMessage, name: &str, parameters: &Parameters) -> Result<String> {
    let flag = |wanted: &str| {
        parameters.iter().any(|(key, value)| key == wanted && *value == BareItem::Boolean(true))
    };
    let source = match (&message.start, flag("req")) {
        (_, false) => message,
        (Start::Response { request: Some(request), .. }, true) => request,
        _ => return Err(missing(name)),
    };
    let known = ["sf", "key", "bs", "req", "tr", "name"];
    if parameters.iter().any(|(key, _)| !known.contains(&key.as_str())) {
        return Err(malformed("A signed component has a parameter that is not RFC 9421's."));
    }
    if name.starts_with('@') {
        return derived(source, name, parameters);
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(malformed("The name of a signed field has capitals."));
    }
    let fields = if flag("tr") { &source.trailers } else { &source.headers };
    let lines = lines(fields, name).ok_or_else(|| missing(name))?;
    let key = parameters.iter().find(|(key, _)| key == "key").map(|(_, value)| value);
    match (flag("bs"), flag("sf"), key) {
        (true, false, None) => {
            let bytes = lines.into_iter().map(|line| Member::from(BareItem::Bytes(line.into_bytes())));
            serialise_list(&bytes.collect::<Vec<_>>())
        }
        (false, _, Some(BareItem::String(key))) => {
            member(&lines.join(", "), key).ok_or_else(|| missing(name))?
        }
        (false, true, None) => strict(name, &lines.join(", ")),
        (false, false, None) => Ok(lines.join(", ")),
        _ => Err(malformed("The parameters of a signed component exclude each other.")),
    }
}

/// One member of a dictionary (§2.1.2).
fn member(field: &str, key: &str) -> Option<Result<String>> {
    let dictionary = match parse_dictionary(field.as_bytes(), Keys::Strict) {
        Ok(dictionary) => dictionary,
        Err(error) => return Some(Err(error)),
    };
    let (_, member) = dictionary.into_iter().find(|(name, _)| name == key)?;
    Some(match member {
        Member::Item(item) => serialise_item(&item),
        Member::Inner(list) => serialise_inner_list(&list),
    })
}

/// The type of a structured field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// One item.
    Item,
    /// A list.
    List,
    /// A dictionary.
    Dictionary,
}

/// The fields whose type is known, by name in lower case: those of RFC 9421, 9530, 9440, 9209, 9211, 9213, 9218, 9297,
/// 8942.
#[must_use]
pub fn field_type(name: &str) -> Option<FieldType> {
    Some(match name {
        "accept-signature"
        | "cdn-cache-control"
        | "content-digest"
        | "priority"
        | "repr-digest"
        | "signature"
        | "signature-agent"
        | "signature-input"
        | "want-content-digest"
        | "want-repr-digest" => FieldType::Dictionary,
        "accept-ch" | "cache-status" | "client-cert-chain" | "proxy-status" => FieldType::List,
        "capsule-protocol" | "client-cert" => FieldType::Item,
        _ => return None,
    })
}

/// The field, written strictly (§2.1.1).
fn strict(name: &str, field: &str) -> Result<String> {
    match field_type(name) {
        Some(FieldType::Item) => serialise_item(&parse_item(field.as_bytes())?),
        Some(FieldType::List) => serialise_list(&parse_list(field.as_bytes())?),
        Some(FieldType::Dictionary) => {
            serialise_dictionary(&parse_dictionary(field.as_bytes(), Keys::Strict)?, Keys::Strict)
        }
        None => Err(missing(name)),
    }
}

/// A derived component (§2.2).
fn derived(message: &HttpMessage, name: &str, parameters: &Parameters) -> Result<String> {
    if parameters.iter().any(|(key, _)| key != "req" && !(key == "name" && name == "@query-param")) {
        return Err(malformed("A derived component has a parameter that only fields have."));
    }
    let (method, target) = match (&message.start, name) {
        (Start::Response { status, .. }, "@status") => return Ok(status.to_string()),
        (Start::Request { method, target }, _) => (method, target),
        _ => return Err(missing(name)),
    };
    Ok(match name {
        "@method" => method.clone(),
        "@target-uri" => {
            format!("{}://{}{}{}", target.scheme, target.authority, target.path, target.query_part())
        }
        "@authority" => target.normal_authority().to_owned(),
        "@scheme" => target.scheme.clone(),
        "@request-target" => format!("{}{}", target.path, target.query_part()),
        "@path" => target.path.clone(),
        "@query" => target.query.as_ref().map_or_else(|| "?".to_owned(), |query| format!("?{query}")),
        "@query-param" => {
            let wanted = parameters.iter().find(|(key, _)| key == "name").map(|(_, value)| value);
            let Some(BareItem::String(wanted)) = wanted else { return Err(missing(name)) };
            target.query_parameter(wanted).ok_or_else(|| missing(wanted))?
        }
        _ => return Err(missing(name)),
    })
}

/// `application/x-www-form-urlencoded` to bytes: `+` is a blank.
fn form_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high << 4 | low));
                at += 2;
            }
            (b'+', _, _) => out.push(b' '),
            (byte, _, _) => out.push(*byte),
        }
        at += 1;
    }
    out
}

/// Everything but letters, digits and `*-._` as `%` and two capitals.
fn form_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"*-._".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
