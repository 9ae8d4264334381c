//! Messages: their forms, commitments and ids.

use serde_json::Value as Json;
use weft_codec::Error;
use weft_codec::message::{
    Commitment, Generation, Ids, Node, Tabm, committed_form, flat, httpsig, id, signature_base, structured,
    unsigned_commitment,
};
use weft_verify::{Untrusted, http};

use super::{Case, read};

const JUNE: Generation = Generation::June2025;

/// A message: its forms, and its unsigned id and the base of it in both generations.
pub(super) fn unsigned(case: &Json) -> Result<Vec<Case>, String> {
    let name = read::text(case, "name")?;
    let message = read::message(&case["message"])?;
    let said = |what: &str| format!("{name}: {what}");
    let forms = (|| -> Result<_, Error> {
        let inline = structured::to_tabm(&message, JUNE)?;
        let linked = inline.linked(JUNE)?;
        Ok((inline, linked))
    })();
    let mut cases = Vec::new();
    match forms {
        Err(error) => cases.push(Case::of::<Json>(said("tabm"), &case["tabm"], Err(error))),
        Ok((inline, linked)) => {
            // The vectors write a link as the key it has.
            let flat_of = |map: &Tabm| flat::to_flat(map).map(flat_json);
            cases.push(Case::of(said("tabm"), &case["tabm"], flat_tabm(&linked)));
            cases.push(Case::of(said("flat"), &case["flat"], flat_of(&linked)));
            let both = [("httpsig", &linked), ("httpsig_bundle", &inline)];
            for (what, tabm) in both.into_iter().filter(|(what, _)| case.get(what).is_some()) {
                let encoded = httpsig::encode(tabm, JUNE);
                cases.push(Case::of(
                    said(what),
                    &case[what],
                    encoded.map(|encoded| read::of_encoded(&encoded)),
                ));
                let back = httpsig::decode(&read::received(&case[what])?).map(|back| read::of_tabm(&back));
                cases.push(Case::of(said(&format!("{what} read back")), &read::of_tabm(tabm), back));
            }
        }
    }
    for (generation, wanted, base) in [
        (JUNE, "unsigned_id", "unsigned_signature_base"),
        (Generation::September2025, "unsigned_id_constant_ao", "unsigned_signature_base_constant_ao"),
    ] {
        if case.get(wanted).is_none() {
            continue;
        }
        let tabm = structured::to_tabm(&message, generation);
        let of = |tabm: &Tabm| id::id(tabm, Ids::Unsigned, generation).map(|id| id.to_string());
        cases.push(Case::of(said(wanted), &case[wanted], tabm.as_ref().map_err(copied).and_then(of)));
        let of = |tabm: &Tabm| unsigned_base(tabm, generation);
        cases.push(Case::of(said(base), &case[base], tabm.as_ref().map_err(copied).and_then(of)));
    }
    Ok(cases)
}

fn copied(error: &Error) -> Error {
    Error::new(error.code(), error.sentence())
}

fn flat_json(flat: std::collections::BTreeMap<String, Vec<u8>>) -> Json {
    Json::Object(flat.into_iter().map(|(key, bytes)| (key, read::of_bytes(&bytes))).collect())
}

/// A message of texts with its links as keys.
fn flat_tabm(tabm: &Tabm) -> Result<Json, Error> {
    let entries = tabm.iter().map(|(key, node)| {
        let json = match node {
            Node::Binary(bytes) => read::of_bytes(bytes),
            Node::Map(map) => flat_tabm(map)?,
        };
        Ok((key.clone(), json))
    });
    Ok(Json::Object(entries.collect::<Result<_, Error>>()?))
}

/// The bytes that the unsigned commitment of a message is the HMAC of.
fn unsigned_base(tabm: &Tabm, generation: Generation) -> Result<Json, Error> {
    let commitment = unsigned_commitment(tabm, None, false, generation)?;
    let form = committed_form(tabm, &commitment.committed, false, generation)?;
    let base = signature_base(form.components.keys().map(String::as_str), &form.components, &commitment)?;
    Ok(read::of_bytes(&base))
}

/// A committed message: ids, signature bases, headers, and whether its commitments hold.
pub(super) fn signed(case: &Json) -> Result<Vec<Case>, String> {
    let name = read::text(case, "name")?;
    let shown = |error: Error| format!("{name}: {error}");
    let committed = structured::to_tabm(&read::message(&case["committed_message"])?, JUNE).map_err(shown)?;
    let mut whole = structured::to_tabm(&read::message(&case["message"])?, JUNE).map_err(shown)?;
    let commitments = committed.map("commitments").ok_or_else(|| format!("{name} has no commitments"))?;
    whole.set("commitments", commitments.clone());
    let mut cases = Vec::new();
    // A bundle cannot be written without what its links stand for: HyperBEAM has it in its store.
    let is_bundle = case["commit_request"]["bundle"] == true;
    let linked = whole.linked(JUNE);
    for (what, tabm) in [("httpsig", linked), ("httpsig_bundle", Ok(whole.clone()))] {
        if !is_bundle || what == "httpsig_bundle" {
            let encoded = tabm.and_then(|tabm| httpsig::encode(&tabm, JUNE));
            let encoded = encoded.map(|encoded| read::of_encoded(&encoded));
            cases.push(Case::of(format!("{name}: {what}"), &case[what], encoded));
        }
    }
    cases.extend(ids(name, case, &whole));
    for (id, node) in commitments {
        let base = node
            .as_map()
            .ok_or_else(|| format!("{name}: {id} is no message"))
            .map(|map| base(&whole, map))?;
        cases.push(Case::of(format!("{name}: signature base of {id}"), &case["signature_bases"][id], base));
    }
    let all = http::commitments(Untrusted::new(whole, "vectors"));
    let all =
        all.map(|proved| proved.value().refused.is_empty() && proved.value().held.len() == commitments.len());
    cases.push(Case::of(format!("{name}: verifies"), &case["verifies"], all));
    Ok(cases)
}

/// The three ids of a message, where the vector has them.
pub(super) fn ids(name: &str, case: &Json, tabm: &Tabm) -> Vec<Case> {
    let kinds = [
        ("id_uncommitted", Ids::Unsigned),
        ("id_committers_all", Ids::Signed),
        ("id_commitments_all", Ids::All),
    ];
    let there = kinds.into_iter().filter(|(wanted, _)| case.get(wanted).is_some());
    let compared = there.map(|(wanted, which)| {
        let id = id::id(tabm, which, JUNE).map(|id| id.to_string());
        Case::of(format!("{name}: {wanted}"), &case[wanted], id)
    });
    compared.collect()
}

fn base(message: &Tabm, commitment: &Tabm) -> Result<Json, Error> {
    let commitment = Commitment::from_tabm(commitment)?;
    let form = committed_form(message, &commitment.committed, commitment.is_bundle(), JUNE)?;
    let base = signature_base(form.components.keys().map(String::as_str), &form.components, &commitment)?;
    Ok(read::of_bytes(&base))
}
