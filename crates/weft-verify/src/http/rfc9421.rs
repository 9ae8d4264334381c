//! HTTP message signatures, RFC 9421: the signature base of a request or response, and whether a key signed it.
//!
//! All derived components, and the parameters `sf`, `key`, `bs`, `req`, `tr` and `name`. `sf` needs to know a field's
//! type: [`field_type`] lists the fields that are known. Time is for the caller to judge: `created` and `expires` are
//! returned, not checked.

use weft_codec::structured_fields::{
    BareItem, InnerList, Item, Keys, Member, Parameters, parse_dictionary, parse_item, parse_list,
    serialise_dictionary, serialise_inner_list, serialise_item, serialise_list,
};
use weft_codec::{Code, Error, Result};

mod component;
mod key;

pub use component::{HttpMessage, Start, Target, field_type};
pub use key::Key;

use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// The most components of one signature.
const MAX_COMPONENTS: usize = 256;

/// What a signature said, and over what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The signature's label.
    pub label: String,
    /// The components in order, as the base writes them.
    pub components: Vec<String>,
    /// When it says it was made, seconds since 1970.
    pub created: Option<i64>,
    /// When it says it ends.
    pub expires: Option<i64>,
    /// The name of the key.
    pub keyid: Option<String>,
    /// A value used once.
    pub nonce: Option<String>,
    /// What it is for.
    pub tag: Option<String>,
}

/// Proves that a key signed what the signature of this label covers. The rest of the message is as unproved as before:
/// a body is covered only if `content-digest` is, and its digest is for the caller to compare.
///
/// Errors: `signature-missing`, `component-missing`, `field-malformed`, `signature-unsupported` (the signature names an
/// algorithm that is not the key's), `signature-invalid`.
pub fn verify(message: &Untrusted<HttpMessage>, label: &str, key: &Key) -> Result<Verified<Signed>> {
    let (input, signature) = find(message.peek(), label)?;
    let parameter = |name: &str| input.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    if let Some(alg) = parameter("alg")
        && *alg != BareItem::String(key.algorithm().to_owned())
    {
        let what = format!("The signature names another algorithm than the key's, {}.", key.algorithm());
        return Err(Error::new(Code::SignatureUnsupported, what));
    }
    let base = base(message.peek(), &input)?;
    key.check(base.as_bytes(), &signature)?;
    let text = |name: &str| match parameter(name) {
        Some(BareItem::String(text)) => Some(text.clone()),
        _ => None,
    };
    let number = |name: &str| match parameter(name) {
        Some(BareItem::Integer(number)) => Some(*number),
        _ => None,
    };
    let components = input.items.iter().map(serialise_item).collect::<Result<Vec<_>>>()?;
    let check = Check::proved("http-signature", label, "The key signed exactly these components.")
        .with("algorithm", key.algorithm())
        .with("components", components.join(" "))
        .with("from", message.source());
    let signed = Signed {
        label: label.to_owned(),
        components,
        created: number("created"),
        expires: number("expires"),
        keyid: text("keyid"),
        nonce: text("nonce"),
        tag: text("tag"),
    };
    Ok(Verified::new(signed, vec![check]))
}

/// The signature base of the signature with this label (§2.5). Errors: `signature-missing`, `component-missing`,
/// `field-malformed`.
pub fn signature_base(message: &HttpMessage, label: &str) -> Result<String> {
    base(message, &find(message, label)?.0)
}

/// The signature's input and its bytes (§4).
fn find(message: &HttpMessage, label: &str) -> Result<(InnerList, Vec<u8>)> {
    let member = |name: &str| -> Result<Option<Member>> {
        let Some(field) = message.field(name) else { return Ok(None) };
        let dictionary = parse_dictionary(field.as_bytes(), Keys::Strict)?;
        Ok(dictionary.into_iter().find(|(key, _)| key == label).map(|(_, member)| member))
    };
    let missing = || Error::new(Code::SignatureMissing, format!("There is no signature `{label}`."));
    match (member("signature-input")?.ok_or_else(missing)?, member("signature")?.ok_or_else(missing)?) {
        (Member::Inner(input), Member::Item(Item { value: BareItem::Bytes(bytes), .. })) => {
            Ok((input, bytes))
        }
        _ => Err(Error::new(Code::FieldMalformed, "A signature is bytes, and its input a list.")),
    }
}

fn base(message: &HttpMessage, input: &InnerList) -> Result<String> {
    if input.items.len() > MAX_COMPONENTS {
        return Err(Error::new(
            Code::TooLarge,
            format!("A signature over more than {MAX_COMPONENTS} components."),
        ));
    }
    let mut base = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for item in &input.items {
        let BareItem::String(name) = &item.value else {
            return Err(Error::new(Code::FieldMalformed, "The name of a signed component is not a string."));
        };
        let identifier = serialise_item(item)?;
        if !seen.insert(identifier.clone()) {
            let what = format!("The signature covers {identifier} twice.");
            return Err(Error::new(Code::FieldMalformed, what));
        }
        let value = component::value(message, name, &item.parameters)?;
        if value.contains(['\n', '\r']) {
            return Err(Error::new(Code::FieldMalformed, format!("{identifier} has a line break in it.")));
        }
        base.push_str(&format!("{identifier}: {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {}", serialise_inner_list(input)?));
    Ok(base)
}
