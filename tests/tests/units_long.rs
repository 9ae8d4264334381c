//! The local network while a message runs for long: everybody else is answered.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use futures_util::future::{Either, join, join3, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::json;
use weft_codec::Id;
use weft_node::net::Pumped;
use weft_node::seams::Method;

use crate::stage::{open, pumped};

/// Runs both at once; the one that must end first.
async fn first<A, B>(long: impl Future<Output = A>, short: impl Future<Output = B>) -> (A, B) {
    let mut long = Box::pin(long);
    match select(&mut long, Box::pin(short)).await {
        Either::Left(_) => panic!("the long one was answered first"),
        Either::Right((short, _)) => (long.await, short),
    }
}

#[tokio::test]
async fn a_message_without_end_holds_up_nobody_but_its_process() {
    let stage = open(&Rc::default());
    let (looping, other) = (stage.process().await, stage.process_named("other").await);
    let before = stage.send(looping, "before").await;
    let endless = stage.send(looping, "!l").await;
    let result = |process: Id, message: Id| format!("/cu/result/{message}?process-id={process}");
    let asked = result(looping, before);
    assert_eq!(stage.get(&asked).await.1["Output"], json!("2"));

    let others = async {
        let sent = stage.send(other, "meanwhile").await;
        assert_eq!(stage.get(&result(other, sent)).await.1["Output"], json!("2"));
        let page = stage.get(&format!("/cu/results/{other}")).await.1;
        assert_eq!(page["edges"].as_array().unwrap().len(), 2);
        let body = json!({"Target": other, "Data": "", "Tags": []}).to_string().into_bytes();
        assert_eq!(
            stage.post(&format!("/cu/dry-run?process-id={other}"), body).await.1["Output"],
            json!("3")
        );
        // The scheduler, for the very process that runs; the gateway; what is known of the process already.
        let behind = stage.send(looping, "behind").await;
        assert_eq!(stage.get(&format!("/su/{looping}/latest")).await.1["message"]["id"], json!(behind));
        assert_eq!(
            stage.ask(Method::Get, &format!("/gateway/raw/{sent}"), Vec::new()).await.response.status,
            200
        );
        assert_eq!(stage.get(&asked).await.1["Output"], json!("2"));
        behind
    };
    let (answer, behind) = first(stage.get(&result(looping, endless)), others).await;
    assert_eq!(answer.0, 200);
    assert!(answer.1["Error"].as_str().unwrap().contains("gas"), "{}", answer.1);
    assert_eq!(stage.get(&result(looping, behind)).await.1["Output"], json!("3"), "and then it goes on");
}

#[tokio::test]
async fn whoever_waits_for_a_process_gets_an_answer_though_it_went_further_meanwhile() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let (one, two) = (stage.send(process, "one").await, stage.send(process, "two").await);
    let [first, second] = [one, two].map(|message| format!("/cu/result/{message}?process-id={process}"));
    let dry_run = format!("/cu/dry-run?process-id={process}");
    let state = format!("/cu/state/{process}");
    let body = json!({"Target": process, "Data": "", "Tags": []}).to_string().into_bytes();
    // The first takes the process to its end; the others have found nothing yet, and wait for it.
    let ((status, answer), others) = join(
        stage.get(&second),
        join3(stage.get(&first), stage.post(&dry_run, body), async {
            let answer = stage.ask(Method::Get, &state, Vec::new()).await.response;
            (answer.status, answer.header("last-ordinate").map(str::to_owned))
        }),
    )
    .await;
    assert_eq!((status, &answer["Output"]), (200, &json!("3")));
    let ((status, answer), dry_run, state) = others;
    assert_eq!((status, &answer["Output"]), (200, &json!("2")), "{answer}");
    assert_eq!((dry_run.0, &dry_run.1["Output"]), (200, &json!("4")), "{}", dry_run.1);
    assert_eq!(state, (200, Some("2".to_owned())));
    // A state of before is gone, and that is said.
    let back = format!("/cu/dry-run?process-id={process}&to={one}");
    let body = json!({"Target": process, "Data": "", "Tags": []}).to_string().into_bytes();
    assert_eq!(stage.post(&back, body).await.0, 425);
}

#[tokio::test]
async fn a_dry_run_without_end_that_nobody_waits_for_any_more_leaves_the_process_as_it_was() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let sent = stage.send(process, "one").await;
    let body = json!({"Target": process, "Data": "!l", "Tags": []}).to_string().into_bytes();
    let url = format!("/cu/dry-run?process-id={process}");
    let dry_run = stage.post(&url, body);
    // Dropped as soon as somebody else was answered.
    let asked = format!("/cu/result/{sent}?process-id={process}");
    let latest = format!("/su/{process}/latest");
    let other = stage.get(&latest);
    match select(Box::pin(dry_run), Box::pin(other)).await {
        Either::Left(_) => panic!("the dry run was answered first"),
        Either::Right(((status, _), _)) => assert_eq!(status, 200),
    }
    assert_eq!(stage.get(&asked).await.1["Output"], json!("2"));
    let next = stage.send(process, "two").await;
    assert_eq!(stage.get(&format!("/cu/result/{next}?process-id={process}")).await.1["Output"], json!("3"));
}

#[tokio::test]
async fn the_messenger_pushes_for_others_while_one_process_runs_without_end() {
    let stage = open(&Rc::default());
    let (looping, other) = (stage.process().await, stage.process_named("other").await);
    let endless = stage.message(looping, "!l").await;
    assert_eq!(stage.post("/mu", endless.to_bytes()).await.0, 202);
    let behind = stage.message(looping, "behind").await;
    assert_eq!(stage.post("/mu", behind.to_bytes()).await.0, 202);
    let sent = stage.message(other, "pushed on").await;
    assert_eq!(stage.post("/mu", sent.to_bytes()).await.0, 202);
    // The first job is the endless one; the second waits for it; the third does not.
    let (answer, rest) = first(stage.net.pump(), async {
        let mut jobs = 0;
        while stage.net.pump().await.unwrap() != Pumped::Idle {
            jobs += 1;
        }
        (jobs, stage.get(&format!("/su/{other}?process-id={other}&from-nonce=1")).await.1)
    })
    .await;
    assert_eq!(answer.unwrap(), Pumped::Done, "a message that fails is evaluated too");
    let pushed = rest.1["edges"].as_array().unwrap().len();
    assert!(rest.0 >= 3 && pushed >= 1, "{} jobs, {pushed} pushed", rest.0);
    let (_, failed) = pumped(&stage.net).await;
    let page = stage.get(&format!("/cu/result/{}?process-id={looping}", behind.id())).await.1;
    assert_eq!(page["Output"], json!("2"), "what was behind it has its turn: {failed:?}");
}

#[tokio::test]
async fn requests_for_results_are_bounded_and_others_are_not() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let endless = stage.send(process, "!l").await;
    let asked = format!("/cu/result/{endless}?process-id={process}");
    let mut waiting: FuturesUnordered<_> = (0..65).map(|_| stage.get(&asked)).collect();
    // All wait for the same message but one, which is refused at once.
    let (status, answer) = waiting.next().await.unwrap();
    assert_eq!(status, 503, "{answer}");
    assert_eq!(stage.get(&format!("/su/{process}/latest")).await.0, 200);
    drop(waiting);
    let (status, _) = stage.get(&asked).await;
    assert_eq!(status, 200, "whoever left makes room");
}
