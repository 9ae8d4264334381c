//! HTTP around page and network.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::net::TcpListener;
use weft_codec::{Code, Error, Result};
use weft_node::hb::is_node_path;
use weft_node::net::{Reply, max_body};
use weft_node::seams;

use super::actor::Network;
use super::page::{NOT_BUILT, Page};

/// The first path segments of the network's units. Paths of AO-Core are the network's too; everything else is the page's.
const UNITS: [&str; 6] = ["gateway", "su", "mu", "cu", "graphql", "gatewaygraphql"];

struct Shared {
    network: Network,
    page: Page,
}

/// Serves until `stop`, then lets open requests end.
pub(super) async fn serve(
    listener: TcpListener,
    network: Network,
    page: Page,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let shared = Arc::new(Shared { network, page });
    let app = Router::new().fallback(handle).with_state(shared);
    let served = axum::serve(listener, app).with_graceful_shutdown(stop).await;
    served.map_err(|cause| Error::new(Code::Unreadable, "Serving stopped.").because(cause))
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let head_only = request.method() == Method::HEAD;
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let unit =
        request.uri().path().split('/').find(|segment| !segment.is_empty()).unwrap_or_default().to_owned();
    let mut response = match request.method().clone() {
        Method::OPTIONS => plain(StatusCode::NO_CONTENT, ""),
        _ if UNITS.contains(&unit.as_str()) => network(&shared.network, request).await,
        Method::POST => network(&shared.network, request).await,
        _ if is_node_path(request.uri().path()) => network(&shared.network, request).await,
        Method::GET | Method::HEAD => page(&shared.page, request.uri().path()),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "The page is only read.\n"),
    };
    cross_origin(response.headers_mut(), asked);
    if head_only {
        // Clients learn from it how long a file is, as from a gateway.
        if let Some(length) = response.body().size_hint().exact() {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Body::empty();
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", Body::from(text))
}

fn with_type(status: StatusCode, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if content_type.is_empty() {
        return response;
    }
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// Any page may ask: so answer all AO units and gateways.
fn cross_origin(headers: &mut HeaderMap, asked: Option<HeaderValue>) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let methods = HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or_else(|| HeaderValue::from_static("*")));
}

fn page(page: &Page, path: &str) -> Response<Body> {
    match (page.root(), page.file(path)) {
        (_, Some(file)) => {
            let mut response = with_type(StatusCode::OK, file.content_type, Body::from(file.bytes));
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            response
        }
        (None, None) => with_type(StatusCode::NOT_FOUND, "text/html; charset=utf-8", Body::from(NOT_BUILT)),
        (Some(_), None) => plain(StatusCode::NOT_FOUND, "There is no such file in the page.\n"),
    }
}

async fn network(network: &Network, request: Request<Body>) -> Response<Body> {
    let method = match *request.method() {
        Method::GET | Method::HEAD => seams::Method::Get,
        Method::POST => seams::Method::Post,
        Method::DELETE => seams::Method::Delete,
        _ => return reply(Reply::error(405, "The units know GET, POST and DELETE.")),
    };
    let url = request.uri().to_string();
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let texts =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let Ok(headers) = seams::ordered_headers(texts) else {
        return reply(Reply::error(431, "A request has too many headers."));
    };
    let most = max_body(&url);
    let Ok(body) = to_bytes(request.into_body(), most).await else {
        return reply(Reply::error(413, &format!("A request has at most {most} bytes here.")));
    };
    let request = seams::Request {
        method,
        url,
        content_type,
        headers,
        body: body.to_vec(),
        max_bytes: u64::MAX,
        timeout_ms: u32::MAX,
    };
    match network.answer(request).await {
        Some(answer) => reply(answer),
        None => reply(Reply::error(503, "The network is stopping.")),
    }
}

fn reply(reply: Reply) -> Response<Body> {
    let status = StatusCode::from_u16(reply.response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with_type(status, &reply.response.content_type, Body::from(reply.response.body));
    for (name, value) in reply.response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
