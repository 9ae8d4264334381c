//! Data items as messages, the JSON of legacy clients, and schedules.

use serde_json::{Value as Json, json};
use weft_codec::item::DataItem;
use weft_codec::message::{Commitment, Generation, Node, Tabm, ans104, httpsig, structured};
use weft_codec::{Error, Id, base64url};
use weft_core::aocore::json_iface;
use weft_verify::{Untrusted, http};

use super::{Case, messages, read};
use crate::fixtures;

const JUNE: Generation = Generation::June2025;

/// An item of `ans104.json` as a message.
pub(super) fn item(case: &Json) -> Result<Vec<Case>, String> {
    let name = read::text(case, "name")?;
    let items = fixtures::json(fixtures::ANS104);
    let named = |item: &&Json| item["name"] == name;
    let found = items["items"].as_array().and_then(|items| items.iter().find(named));
    let found = found.ok_or_else(|| format!("ans104.json has no item {name:?}"))?;
    let bytes = hex::decode(read::text(found, "bytes_hex")?).map_err(|error| format!("{name}: {error}"))?;
    let shown = |error: Error| format!("{name}: {error}");
    let item = DataItem::parse(&bytes).map_err(shown)?;
    let tabm = ans104::from_item(&item, JUNE).map_err(shown)?;
    let said = |what: &str| format!("{name}: {what}");
    let mut cases = vec![
        Case::new(said("data_item_id"), &case["data_item_id"], item.id().to_string()),
        Case::new(
            said("ans104_unsigned_id"),
            &case["ans104_unsigned_id"],
            ans104::unsigned_id(&item).to_string(),
        ),
        Case::new(said("tabm"), &case["tabm"], read::of_tabm(&tabm)),
    ];
    cases.extend(messages::ids(name, case, &tabm));
    let message = structured::from_tabm(&tabm).map_err(shown)?;
    let json = json_iface::message(&message, JUNE);
    cases.push(Case::of(said("json_struct"), &case["json_struct"], json));
    let proved = http::commitments(Untrusted::new(tabm.clone(), "vectors"));
    cases.push(Case::of(said("verify_as_message"), &case["verify_as_message"], proved.map(|_| true)));
    let back = commitment_of(&tabm).and_then(|commitment| {
        ans104::to_item(&tabm, &commitment, JUNE).map(|item| hex::encode(item.to_bytes()))
    });
    cases.push(Case::of(said("back to the item"), &hex::encode(&bytes).into(), back));
    Ok(cases)
}

fn commitment_of(tabm: &Tabm) -> Result<Commitment, Error> {
    let none = || Error::new(weft_codec::Code::SignatureMissing, "It has no commitment.");
    let first = tabm.map("commitments").and_then(|all| all.iter().next()).ok_or_else(none)?;
    Commitment::from_tabm(first.1.as_map().ok_or_else(none)?)
}

/// A message and a process as aos gets them, and a result as a message.
pub(super) fn json_iface(file: &Json) -> Result<Vec<Case>, String> {
    let message = json_iface::evaluated(&read::message(&file["message"])?, JUNE);
    let process = json_iface::message(&read::message(&file["process"])?, JUNE);
    let response =
        file["handle_result_response"].as_object().ok_or("`handle_result_response` is no object")?;
    let results = json_iface::results(response).map(|message| read::of_message(&message));
    let mut cases = vec![
        Case::of("message_json_struct", &file["message_json_struct"], message),
        Case::of("process_json_struct", &file["process_json_struct"], process),
        Case::of("results_message", &file["results_message"], results),
    ];
    for name in ["message", "process"] {
        let tabm = structured::to_tabm(&read::message(&file[name])?, JUNE);
        let held = tabm.and_then(|tabm| http::commitments(Untrusted::new(tabm, "vectors")));
        let held = held.map(|proved| proved.value().refused.is_empty());
        cases.push(Case::of(format!("{name}: its commitments hold"), &json!(true), held));
    }
    Ok(cases)
}

/// An assignment in its forms, and the chain of hashes.
pub(super) fn scheduler(file: &Json) -> Result<Vec<Case>, String> {
    let shown = |error: Error| error.to_string();
    let bundle = read::received(&file["assignment_httpsig_bundle"])?;
    let whole = httpsig::decode(&bundle).map_err(shown)?;
    let linked = whole.linked(JUNE).map_err(shown)?;
    let assignment = structured::from_tabm(&linked).map_err(shown)?;
    let wanted = read::message(&file["assignment"])?;
    let mut cases = vec![
        Case::new("assignment", &read::of_message(&wanted), read::of_message(&assignment)),
        Case::of("assignment_httpsig", &file["assignment_httpsig"], encoded(&linked)),
        Case::of("assignment_httpsig_bundle", &file["assignment_httpsig_bundle"], encoded(&whole)),
    ];
    let from_linked = httpsig::decode(&read::received(&file["assignment_httpsig"])?).map_err(shown)?;
    cases.push(Case::new(
        "assignment_httpsig read back",
        &read::of_tabm(&linked),
        read::of_tabm(&from_linked),
    ));
    for (name, tabm) in [("assignment", &linked), ("assignment with its message", &whole)] {
        let held = http::commitments(Untrusted::new(tabm.clone(), "vectors"));
        let held = held.map(|proved| proved.value().refused.is_empty());
        cases.push(Case::of(format!("{name}: its commitments hold"), &json!(true), held));
    }
    let held = http::signed_message(Untrusted::new(bundle, "vectors"));
    let held = held.map(|proved| proved.value().refused.is_empty());
    cases.push(Case::of("assignment_httpsig_bundle: its signatures hold", &json!(true), held));
    let rich = structured::from_tabm(&whole).map_err(shown)?;
    cases.push(Case::of("assignment_aos2", &file["assignment_aos2"], json_iface::assignment(&rich, JUNE)));
    cases.extend(chain(file)?);
    let schedule = read::message(&file["schedule_bundle_message"])?;
    let back = structured::to_tabm(&schedule, JUNE).and_then(|tabm| structured::from_tabm(&tabm));
    let back = back.map(|back| read::of_message(&back));
    cases.push(Case::of("schedule_bundle_message there and back", &file["schedule_bundle_message"], back));
    let Some(Node::Map(body)) = whole.get("body") else { return Err("the bundle has no body".to_owned()) };
    let id = weft_codec::message::id::id(body, weft_codec::message::Ids::Signed, JUNE);
    cases.push(Case::of("message_1_id", &file["message_1_id"], id.map(|id| id.to_string())));
    Ok(cases)
}

fn encoded(tabm: &Tabm) -> Result<Json, Error> {
    httpsig::encode(tabm, JUNE).map(|encoded| read::of_encoded(&encoded))
}

/// SHA-256 of the value before and of the message's id as text (`dev_scheduler_server.erl` `next_hashchain/3`).
fn chain(file: &Json) -> Result<Vec<Case>, String> {
    let id = |name: &str| read::text(file, name).map(str::as_bytes);
    let zero = base64url::decode(read::text(file, "hash_chain_0")?).map_err(|error| error.to_string())?;
    let one = Id::sha256(&[zero.as_slice(), id("message_1_id")?].concat());
    let two = Id::sha256(&[one.0.as_slice(), id("message_2_id")?].concat());
    Ok(vec![
        Case::new("hash_chain_1_b64url", &file["hash_chain_1_b64url"], one.to_string()),
        Case::new("hash_chain_1_id_form", &file["hash_chain_1_id_form"], one.to_string()),
        Case::new("hash_chain_2_b64url", &file["hash_chain_2_b64url"], two.to_string()),
    ])
}
