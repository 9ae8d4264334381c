//! The JSON of messages and answers.

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub(crate) struct Tag {
    name: String,
    value: String,
}

/// A message as ao-loader gives it. Other fields are not needed.
#[derive(Deserialize)]
pub(crate) struct Message {
    #[serde(rename = "From", default)]
    from: String,
    #[serde(rename = "Owner", default)]
    owner: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

/// What the process is: the part of the environment that a token needs.
#[derive(Deserialize)]
pub(crate) struct Env {
    #[serde(rename = "Process")]
    pub(crate) process: Process,
}

#[derive(Deserialize)]
pub(crate) struct Process {
    #[serde(rename = "Id")]
    pub(crate) id: String,
    #[serde(rename = "Owner")]
    pub(crate) owner: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

fn first<'a>(tags: &'a [Tag], name: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.name == name).map(|tag| tag.value.as_str())
}

impl Message {
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        first(&self.tags, name)
    }

    /// Who sends: the process a message was pushed for, or else its signer.
    pub(crate) fn sender(&self) -> &str {
        if self.from.is_empty() { &self.owner } else { &self.from }
    }
}

impl Process {
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        first(&self.tags, name)
    }
}

/// A message to be sent.
#[derive(Serialize)]
pub(crate) struct Outgoing {
    #[serde(rename = "Target")]
    target: String,
    #[serde(rename = "Data")]
    data: String,
    #[serde(rename = "Anchor")]
    anchor: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

impl Outgoing {
    pub(crate) fn to(target: &str, action: &str) -> Self {
        let message =
            Self { target: target.to_owned(), data: String::new(), anchor: String::new(), tags: Vec::new() };
        message
            .tag("Data-Protocol", "ao")
            .tag("Variant", "ao.TN.1")
            .tag("Type", "Message")
            .tag("Action", action)
    }

    pub(crate) fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push(Tag { name: name.to_owned(), value: value.to_owned() });
        self
    }

    pub(crate) fn data(mut self, data: &str) -> Self {
        self.data = data.to_owned();
        self
    }
}

/// What `handle` returns.
#[derive(Serialize)]
pub(crate) struct Answer {
    ok: bool,
    response: Response,
}

#[derive(Serialize, Default)]
struct Response {
    #[serde(rename = "Output")]
    output: Output,
    #[serde(rename = "Messages")]
    messages: Vec<Outgoing>,
    #[serde(rename = "Spawns")]
    spawns: Vec<Outgoing>,
    #[serde(rename = "Assignments")]
    assignments: Vec<Outgoing>,
    #[serde(rename = "Error", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize, Default)]
struct Output {
    data: String,
}

impl Answer {
    /// Numbers the messages, as AO processes do: tag `Reference`, and the same number as anchor.
    pub(crate) fn of(handled: Result<(String, Vec<Outgoing>), String>, reference: &mut u64) -> Self {
        let mut response = Response::default();
        match handled {
            Err(error) => response.error = Some(error),
            Ok((data, messages)) => {
                response.output.data = data;
                for message in messages {
                    *reference = reference.saturating_add(1);
                    let mut message = message.tag("Reference", &reference.to_string());
                    message.anchor = format!("{reference:032}");
                    response.messages.push(message);
                }
            }
        }
        Self { ok: true, response }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
