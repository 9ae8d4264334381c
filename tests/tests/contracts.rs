//! Every implementation of a seam keeps its contract: those in memory on both platforms, the native ones here. Those of
//! the browser are tested in `web/tests`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use weft_node::memory::{ManualClock, MemoryFetch, MemoryStore};
use weft_node::seams::Response;
use weft_node::signatures::InRust;
use weft_tests::contracts;
use weft_tests::contracts::fetch::Served;

#[weft_tests::both_async]
async fn the_store_in_memory() {
    contracts::store::holds(&MemoryStore::new()).await;
    let store = std::rc::Rc::new(MemoryStore::new());
    contracts::store::lasts(async || std::rc::Rc::clone(&store)).await;
}

#[weft_tests::both_async]
async fn the_fetch_in_memory() {
    let fetch = MemoryFetch::new();
    let served = Served {
        origin: "https://weft.example".into(),
        path: "/page".into(),
        body: b"{\"a\": 1}".to_vec(),
        content_type: "application/json".into(),
        headers: vec![("retry-after".into(), "3".into())],
    };
    let answer =
        Response::new(200, &served.content_type, served.body.clone()).with_header("Retry-After", "3");
    fetch.route("https://weft.example/page", answer);
    let nothing = Response::new(404, "", Vec::new());
    fetch.route("https://weft.example/there/is/nothing", nothing);
    contracts::fetch::holds(&fetch, &served).await;
    assert_eq!(fetch.asked().len(), 9);
}

#[weft_tests::both_async]
async fn the_manual_clock() {
    let clock = ManualClock::new(5, 0);
    contracts::clock::holds(&clock).await;
    assert_eq!((weft_node::seams::Clock::now_ms(&clock), clock.breaths()), (25, 4));
}

/// What the contract compares others with: its history has every kind of failure.
#[weft_tests::both]
fn wasmi_is_an_engine() {
    assert_eq!(contracts::engine::holds(&weft_wasm::engine::Wasmi), 29);
}

#[weft_tests::both]
fn hostile_modules_are_met() {
    let engine: std::rc::Rc<dyn weft_wasm::engine::Engine> = weft_tests::faulty::Faulty::sound();
    assert!(contracts::hostile::are_met(&engine) > 50);
}

#[weft_tests::both_async]
async fn signatures_in_rust() {
    let verdicts = contracts::signatures::holds(&InRust).await;
    assert!(
        verdicts.hold > 600 && verdicts.claims > 2 * verdicts.hold && verdicts.found == 0,
        "{verdicts:?}"
    );
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use weft_cli::native::{FileStore, NativeClock, NativeFetch};
    use weft_codec::Code;
    use weft_tests::contracts;
    use weft_tests::contracts::fetch::Served;

    /// A folder of this test's own, removed with its contents.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("weft-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn the_store_in_a_file() {
        let folder = Folder::new("contract");
        contracts::store::holds(&FileStore::open(&folder.0).unwrap()).await;
        contracts::store::lasts(async || FileStore::open(&folder.0).unwrap()).await;
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_opened_says_so() {
        let folder = Folder::new("taken");
        let first = FileStore::open(&folder.0).unwrap();
        assert_eq!(FileStore::open(&folder.0).unwrap_err().code(), Code::StoreFailed);
        drop(first);
        std::fs::write(folder.0.join("weft.redb"), b"something else").unwrap();
        assert_eq!(FileStore::open(&folder.0).unwrap_err().code(), Code::StoreFailed);
        let below_a_file = folder.0.join("weft.redb").join("more");
        assert_eq!(FileStore::open(&below_a_file).unwrap_err().code(), Code::Unreadable);
    }

    #[tokio::test]
    async fn the_machines_clock() {
        contracts::clock::holds(&NativeClock).await;
        contracts::clock::is_the_machines(&NativeClock);
    }

    #[tokio::test]
    async fn the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| serve(stream))));
        });
        let served = Served {
            origin: origin.clone(),
            path: "/page".into(),
            body: b"<p>here</p>".to_vec(),
            content_type: "text/html".into(),
            headers: [("content-type", "Text/HTML; charset=utf-8"), ("x-twice", "1, caf\u{e9}")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        };
        let fetch = NativeFetch::new();
        contracts::fetch::holds(&fetch, &served).await;
        contracts::fetch::posts(&fetch, &format!("{origin}/echo")).await;
        contracts::fetch::sends_headers(&fetch, &format!("{origin}/header")).await;
        contracts::fetch::follows(&fetch, &format!("{origin}/moved"), &format!("{origin}/there")).await;
        contracts::fetch::gives_up(&fetch, &format!("{origin}/never")).await;
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let request = weft_node::seams::Request {
            method: weft_node::seams::Method::Get,
            url: format!("http://{address}/"),
            content_type: None,
            headers: Vec::new(),
            body: Vec::new(),
            max_bytes: 9,
            timeout_ms: 20_000,
        };
        let error = weft_node::seams::Fetch::fetch(&fetch, request).await.unwrap_err();
        assert_eq!(error.code(), Code::SourceUnreachable, "{error:?}");
    }

    /// One request and its answer; the connection is closed after it.
    fn serve(mut stream: TcpStream) {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            text.extend_from_slice(&byte);
        }
        let head = String::from_utf8_lossy(&text).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        stream.read_exact(&mut body).unwrap();
        let (status, body) = match head.split(' ').nth(1) {
            Some("/page") => ("200 OK", b"<p>here</p>".to_vec()),
            Some("/echo") => ("200 OK", body),
            Some("/there") => ("200 OK", b"there".to_vec()),
            Some("/moved") => ("307 Temporary Redirect\r\nLocation: /there", Vec::new()),
            Some("/header") => {
                let value = head.lines().find_map(|line| line.strip_prefix("x-weft: "));
                ("200 OK", value.unwrap_or_default().as_bytes().to_vec())
            }
            Some("/never") => {
                // Until the other side gives up.
                let _ = stream.read(&mut byte);
                return;
            }
            _ => ("404 Not Found", b"no".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: Text/HTML; charset=utf-8\r\nX-Twice: 1\r\nContent-Length: {}\r\n",
            body.len()
        );
        // A header's value is bytes; this one is no UTF-8.
        let more = b"X-Twice: caf\xe9\r\nConnection: close\r\n\r\n";
        stream.write_all(&[head.as_bytes(), more, &body].concat()).unwrap();
    }
}
