//! Errors and values across the boundary: an `Error` object has `.code`, `.message`, `.fields` and `.cause`.

use std::error::Error as _;

use js_sys::{Error as JsError, Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};
use weft_codec::{Code, Error, Result};

/// The JavaScript error for one of ours: `message` is the sentence, `code` the stable code, `fields` an object of texts,
/// `cause` the text of the errors underneath, if there are any.
pub(crate) fn to_js(error: &Error) -> JsValue {
    let js = JsError::new(error.sentence());
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    // Setting a property of a fresh, extensible object cannot fail.
    let _ = Reflect::set(&js, &"code".into(), &error.code().as_str().into());
    let fields = Object::new();
    for (name, value) in error.fields() {
        let _ = Reflect::set(&fields, &(*name).into(), &value.into());
    }
    let _ = Reflect::set(&js, &"fields".into(), &fields);
    if !causes.is_empty() {
        let _ = Reflect::set(&js, &"cause".into(), &causes.join(": ").into());
    }
    js.into()
}

/// Our error for something JavaScript threw.
pub(crate) fn from_js(code: Code, sentence: impl Into<String>, thrown: &JsValue) -> Error {
    Error::new(code, sentence).because(describe(thrown))
}

/// What was thrown, in words: `Name: message` of an exception, or its text.
pub(crate) fn describe(thrown: &JsValue) -> String {
    if let Some(exception) = thrown.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    if let Some(error) = thrown.dyn_ref::<JsError>() {
        return format!("{}: {}", String::from(error.name()), String::from(error.message()));
    }
    thrown.as_string().unwrap_or_else(|| format!("{thrown:?}"))
}

/// A value as plain JavaScript: objects, not maps.
pub(crate) fn to_js_value(value: &impl Serialize) -> Result<JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(|e| {
        Error::new(Code::JsonInvalid, "A value does not convert to JavaScript.").because(e.to_string())
    })
}

/// A value from plain JavaScript.
pub(crate) fn from_js_value<T: DeserializeOwned>(value: JsValue) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|e| {
        Error::new(Code::RequestInvalid, "A call to the node has an argument of the wrong shape.")
            .because(e.to_string())
    })
}
