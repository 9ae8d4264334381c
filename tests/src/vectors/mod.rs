//! The vectors that HyperBEAM made (`hb-*.json`), run: what each case wants, and what came out. `cargo xtask vectors FILE…` runs
//! any file of these forms; the tests run the committed ones.

mod items;
mod messages;
mod read;
mod requests;

use serde_json::Value as Json;
use weft_codec::Error;

/// One thing that was compared.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is of.
    pub name: String,
    /// What the vector says.
    pub expected: Json,
    /// What came out.
    pub got: Json,
}

impl Case {
    fn new(name: impl Into<String>, expected: &Json, got: impl Into<Json>) -> Self {
        Self { name: name.into(), expected: expected.clone(), got: got.into() }
    }

    /// What a failure is shown as.
    fn of<T: Into<Json>>(name: impl Into<String>, expected: &Json, got: Result<T, Error>) -> Self {
        let got = match got {
            Ok(got) => got.into(),
            Err(error) => {
                serde_json::json!({ "$error": error.code().as_str(), "sentence": error.sentence() })
            }
        };
        Self::new(name, expected, got)
    }

    /// Whether they are the same. Where the vector has an error, any error is: HyperBEAM's are exceptions of Erlang.
    #[must_use]
    pub fn same(&self) -> bool {
        self.expected == self.got || (is_error(&self.expected) && is_error(&self.got))
    }
}

fn is_error(json: &Json) -> bool {
    json.get("$error").is_some()
}

/// The form of a vector file, by what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `hb-unsigned-ids.json`
    UnsignedIds,
    /// `hb-signed.json`
    Signed,
    /// `hb-hashpath.json`, also with a list `steps`
    Hashpath,
    /// `hb-singleton.json`
    Singleton,
    /// `hb-resolve.json`
    Resolve,
    /// `hb-ans104.json`
    Ans104,
    /// `hb-json-iface.json`
    JsonIface,
    /// `hb-scheduler.json`
    Scheduler,
}

/// The form of a file; none if it is not of these.
#[must_use]
pub fn form(file: &Json) -> Option<Form> {
    let first = file.get("cases").and_then(|cases| cases.get(0));
    let has = |key: &str| first.is_some_and(|case| case.get(key).is_some());
    Some(match () {
        () if has("unsigned_id") => Form::UnsignedIds,
        () if has("committed_message") => Form::Signed,
        () if has("messages") && has("request") => Form::Singleton,
        () if has("path") && has("result") => Form::Resolve,
        () if has("data_item_id") => Form::Ans104,
        () if file.get("base_message").is_some() || file.get("steps").is_some() => Form::Hashpath,
        () if file.get("message_json_struct").is_some() => Form::JsonIface,
        () if file.get("assignment_httpsig").is_some() => Form::Scheduler,
        () => return None,
    })
}

/// Runs a file.
///
/// # Errors
///
/// A sentence, if the file is of no known form or lacks what its form has.
pub fn run(file: &Json) -> Result<Vec<Case>, String> {
    let form = form(file).ok_or("the file is of no form of vectors that is known here")?;
    let cases = match form {
        Form::UnsignedIds => each(file, messages::unsigned)?,
        Form::Signed => each(file, messages::signed)?,
        Form::Singleton => each(file, requests::singleton)?,
        Form::Resolve => each(file, requests::resolved)?,
        Form::Ans104 => each(file, items::item)?,
        Form::Hashpath => requests::hashpaths(file)?,
        Form::JsonIface => items::json_iface(file)?,
        Form::Scheduler => items::scheduler(file)?,
    };
    // What a vector does not say is not compared.
    let said: Vec<Case> = cases.into_iter().filter(|case| !case.expected.is_null()).collect();
    if said.is_empty() { Err("the file has no cases".to_owned()) } else { Ok(said) }
}

fn each(file: &Json, one: fn(&Json) -> Result<Vec<Case>, String>) -> Result<Vec<Case>, String> {
    let cases = file["cases"].as_array().ok_or("`cases` is no list")?;
    let mut all = Vec::new();
    for case in cases {
        all.extend(one(case)?);
    }
    Ok(all)
}
