//! The local network's gateway takes signed items, as bundlers do: a module that a reader brings, in the reader's own name.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde_json::json;
use weft_node::net::ModuleTags;
use weft_node::seams::Method;

use crate::stage::open;

const UPLOAD: &str = "/gateway/v1/tx";
const ECHO: &str = "function compute(base, req) base.results = { output = req.body.data } return base end";

#[tokio::test]
async fn a_module_is_uploaded_and_spawned_of() {
    let stage = open(&Rc::default());
    let tags = ModuleTags::for_format("application/lua").tags();
    let tags: Vec<(&str, &str)> = tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_str())).collect();
    let module = stage.item(None, &tags, ECHO).await;
    for _ in 0..2 {
        let (status, answer) = stage.post(UPLOAD, module.to_bytes()).await;
        assert_eq!((status, &answer["id"]), (200, &json!(module.id())), "{answer}");
        assert_eq!(answer["owner"], module.owner_address().to_string());
    }
    let raw = stage.ask(Method::Get, &format!("/gateway/raw/{}", module.id()), Vec::new()).await.response;
    assert_eq!((raw.content_type.as_str(), raw.body.as_slice()), ("application/lua", ECHO.as_bytes()));

    let id = module.id().to_string();
    let tags = [
        ("Data-Protocol", "ao"),
        ("Type", "Process"),
        ("Module", id.as_str()),
        ("Scheduler", stage.net.address()),
        ("Device", "process@1.0"),
        ("Execution-Device", "lua@5.3a"),
    ];
    let process = stage.item(None, &tags, " ").await;
    assert_eq!(stage.post("/su/", process.to_bytes()).await.0, 200);
    let message = stage.send(process.id(), "said").await;
    let (_, result) = stage.get(&format!("/cu/result/{message}?process-id={}", process.id())).await;
    assert_eq!(result["Output"], "said", "{result}");
}

#[tokio::test]
async fn what_is_not_signed_is_not_taken() {
    let stage = open(&Rc::default());
    let mut bytes = stage.item(None, &[("Type", "Module")], "x").await.to_bytes();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    let (status, answer) = stage.post(UPLOAD, bytes).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("signature"), "{answer}");
    assert_eq!(stage.post(UPLOAD, b"no item".to_vec()).await.0, 400);
    assert_eq!(stage.ask(Method::Get, UPLOAD, Vec::new()).await.response.status, 404);
}
