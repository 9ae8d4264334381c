//! The seam `Fetch` over the browser's `fetch`: bounded in time by an `AbortSignal`, in size by reading the body as a
//! stream.

use std::rc::Rc;

use js_sys::{Array, Function, JsString, Reflect, Uint8Array, try_iter};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, AbortSignal, DomException, Headers, ReadableStreamDefaultReader, RequestCredentials,
    RequestInit,
};
use weft_codec::{Code, Error, Result};
use weft_node::seams::{Fetch, MAX_HEADERS, Method, Request, Response, media_type, ordered_headers};

use crate::boundary::{describe, from_js};

/// The user's wish to stop. Asked for once; it stays asked for.
#[derive(Clone)]
pub struct Cancel {
    controller: Rc<AbortController>,
}

impl Cancel {
    /// A wish not yet expressed.
    ///
    /// Errors: `request-invalid` in an environment without `AbortController`.
    pub fn new() -> Result<Self> {
        let controller = AbortController::new().map_err(|thrown| {
            from_js(Code::RequestInvalid, "This browser has no AbortController; use a newer one.", &thrown)
        })?;
        Ok(Self { controller: Rc::new(controller) })
    }

    /// Asks to stop: requests under way end with `cancelled`.
    pub fn ask(&self) {
        self.controller.abort();
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.controller.signal().aborted()
    }

    fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }
}

/// The browser's `fetch`, without cookies or credentials.
pub struct BrowserFetch {
    cancel: Cancel,
}

impl BrowserFetch {
    /// A fetch that ends with `cancelled` once the wish to stop is expressed.
    #[must_use]
    pub fn new(cancel: Cancel) -> Self {
        Self { cancel }
    }
}

impl Fetch for BrowserFetch {
    async fn fetch(&self, request: Request) -> Result<Response> {
        if !request.url.starts_with("http://") && !request.url.starts_with("https://") {
            return Err(Error::new(
                Code::SourceInvalid,
                format!("“{}” is not an http or https address.", shorten(&request.url)),
            ));
        }
        let stop = AbortController::new().map_err(|thrown| self.failed(&request, &thrown))?;
        let answer = self.exchange(&request, &stop).await;
        // Ends a body that is still arriving; without effect on one that has arrived.
        stop.abort();
        answer
    }
}

impl BrowserFetch {
    async fn exchange(&self, request: &Request, stop: &AbortController) -> Result<Response> {
        let failed = |thrown: JsValue| self.failed(request, &thrown);
        let signals = Array::of3(
            &self.cancel.signal(),
            &stop.signal(),
            &AbortSignal::timeout_with_u32(request.timeout_ms),
        );
        let init = RequestInit::new();
        init.set_signal(Some(&AbortSignal::any(&signals)));
        init.set_credentials(RequestCredentials::Omit);
        init.set_method(match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        });
        let headers = Headers::new().map_err(failed)?;
        if let Some(content_type) = &request.content_type {
            headers.set("content-type", content_type).map_err(failed)?;
        }
        for (name, value) in &request.headers {
            headers.set(name, value).map_err(failed)?;
        }
        init.set_headers(&headers);
        if !request.body.is_empty() {
            init.set_body(&Uint8Array::from(request.body.as_slice()));
        }
        let response = self.send(&request.url, &init).await.map_err(failed)?;
        let headers = ordered_headers(headers_of(&response).map_err(failed)?)?;
        let content_type = headers.iter().find(|(name, _)| name == "content-type");
        let content_type = content_type.map_or_else(String::new, |(_, value)| media_type(value));
        let body = self.body(request, &response).await?;
        let url = if response.redirected() { response.url() } else { String::new() };
        Ok(Response { status: response.status(), content_type, headers, url, body })
    }

    /// Calls the global `fetch`, which a page and a worker both have.
    async fn send(&self, url: &str, init: &RequestInit) -> Result<web_sys::Response, JsValue> {
        let request = web_sys::Request::new_with_str_and_init(url, init)?;
        let global = js_sys::global();
        let fetch: Function = Reflect::get(&global, &"fetch".into())?.dyn_into()?;
        let promise = fetch.call1(&global, &request)?.dyn_into::<js_sys::Promise>()?;
        JsFuture::from(promise).await?.dyn_into()
    }

    async fn body(&self, request: &Request, response: &web_sys::Response) -> Result<Vec<u8>> {
        let failed = |thrown: JsValue| self.failed(request, &thrown);
        let Some(stream) = response.body() else { return Ok(Vec::new()) };
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        let mut body = Vec::new();
        loop {
            let part = JsFuture::from(reader.read()).await.map_err(failed)?;
            let done = Reflect::get(&part, &"done".into()).map_err(failed)?;
            if done.is_truthy() {
                return Ok(body);
            }
            let chunk: Uint8Array =
                Reflect::get(&part, &"value".into()).and_then(JsCast::dyn_into).map_err(failed)?;
            if body.len() as u64 + u64::from(chunk.length()) > request.max_bytes {
                return Err(Error::new(
                    Code::TooLarge,
                    format!("{} answers with more than {} bytes.", shorten(&request.url), request.max_bytes),
                ));
            }
            let start = body.len();
            body.resize(start + chunk.length() as usize, 0);
            chunk.copy_to(&mut body[start..]);
        }
    }

    /// Why an exchange failed. An aborted one rejects with its signal's reason.
    fn failed(&self, request: &Request, thrown: &JsValue) -> Error {
        let url = shorten(&request.url);
        if self.cancel.asked() {
            return Error::new(Code::Cancelled, "Stopped while waiting for a source.");
        }
        let timed_out = thrown.dyn_ref::<DomException>().is_some_and(|e| e.name() == "TimeoutError");
        if timed_out {
            return Error::new(
                Code::SourceTimeout,
                format!("{url} did not answer within {} ms.", request.timeout_ms),
            );
        }
        if thrown.dyn_ref::<JsString>().is_none() && describe(thrown).contains("Failed to parse URL") {
            return from_js(Code::SourceInvalid, format!("“{url}” is not an http or https address."), thrown);
        }
        from_js(
            Code::SourceUnreachable,
            format!("{url} cannot be reached, or does not allow this page to read its answer (CORS)."),
            thrown,
        )
    }
}

/// The headers this page may read.
fn headers_of(response: &web_sys::Response) -> Result<Vec<(String, String)>, JsValue> {
    let mut headers = Vec::new();
    // One more than is accepted, so that too many are refused and not cut.
    for pair in try_iter(&response.headers())?.into_iter().flatten().take(MAX_HEADERS + 1) {
        let pair: Array = pair?.unchecked_into();
        let text = |index| pair.get(index).as_string().unwrap_or_default();
        headers.push((text(0), text(1)));
    }
    Ok(headers)
}

/// A URL short enough for a sentence.
fn shorten(url: &str) -> String {
    const LONGEST: usize = 160;
    if url.chars().count() <= LONGEST {
        return url.to_owned();
    }
    url.chars().take(LONGEST).chain(['…']).collect()
}
