//! RFC 9421's own examples, another implementation's signatures, and what must be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use weft_codec::{Code, base64url};
use weft_verify::Untrusted;
use weft_verify::http::rfc9421::{HttpMessage, Key, Start, Target, signature_base, verify};

const APPENDIX_B: &str = include_str!("../../../tests/fixtures/rfc9421/appendix-b.json");
const WEB_BOT_AUTH: &str = include_str!("../../../tests/fixtures/rfc9421/web-bot-auth-v2.json");

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is text"))
}

fn fields(lines: &str) -> Vec<(String, String)> {
    let pairs = lines.lines().take_while(|line| !line.is_empty()).map(|line| line.split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A message as the RFC prints it.
fn message(printed: &str) -> HttpMessage {
    let (first, rest) = printed.split_once('\n').unwrap();
    let headers = fields(rest);
    let mut words = first.split(' ');
    let start = match words.next().unwrap() {
        "HTTP/1.1" => Start::Response { status: words.next().unwrap().parse().unwrap(), request: None },
        method => {
            let host = &headers.iter().find(|(name, _)| name == "Host").unwrap().1;
            let target = Target::parse(&format!("https://{host}{}", words.next().unwrap())).unwrap();
            Start::Request { method: method.to_owned(), target }
        }
    };
    HttpMessage { start, headers, trailers: Vec::new() }
}

fn key(name: &str, keys: &Value) -> Key {
    let bytes = |field: &str| base64url::decode(text(&keys[name]["public_jwk"][0], field)).unwrap();
    match name {
        "test-key-rsa-pss" => Key::RsaPssSha512(bytes("n")),
        "test-key-ecc-p256" => Key::EcdsaP256Sha256([vec![4], bytes("x"), bytes("y")].concat()),
        "test-key-ed25519" => Key::Ed25519(bytes("x").try_into().unwrap()),
        "test-shared-secret" => {
            Key::HmacSha256(STANDARD.decode(text(&keys[name], "hmac_secret_base64_from_the_rfc")).unwrap())
        }
        other => panic!("{other} is in no case"),
    }
}

/// The signature holds; with any change of a component, of its parameters or of itself it does not.
fn holds_and_only_so(message: &HttpMessage, label: &str, key: &Key) -> usize {
    let signed = verify(&Untrusted::new(message.clone(), "test"), label, key).unwrap();
    assert_eq!(signed.checks().len(), 1);
    let mut refused = 0;
    for (at, (name, value)) in message.headers.iter().enumerate() {
        let covered = signed
            .components
            .iter()
            .any(|component| component.starts_with(&format!("\"{}\"", name.to_lowercase())));
        if !covered && !name.to_lowercase().starts_with("signature") && name != "Host" {
            continue;
        }
        for place in 0..value.len() {
            let mut changed = message.clone();
            let mut bytes = value.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            changed.headers[at].1 = text;
            if name == "Host" {
                continue;
            }
            let error = verify(&Untrusted::new(changed, "test"), label, key).unwrap_err();
            assert!(
                [
                    Code::SignatureInvalid,
                    Code::FieldMalformed,
                    Code::ComponentMissing,
                    Code::SignatureMissing,
                    Code::SignatureUnsupported
                ]
                .contains(&error.code()),
                "{error:?}"
            );
            refused += 1;
        }
    }
    refused
}

#[test]
fn the_rfcs_appendix_b() {
    let vectors: Value = serde_json::from_str(APPENDIX_B).unwrap();
    let mut refused = 0;
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let mut message = message(text(&vectors, text(case, "message")));
        let wanted = text(case, "signature_base");
        // The draft's response carries another digest than it signed, which must be seen.
        if let Some(signed) = wanted.lines().find_map(|line| line.strip_prefix("\"content-digest\": ")) {
            let place = message.headers.iter().position(|(name, _)| name == "Content-Digest").unwrap();
            if message.headers[place].1 != signed {
                assert_eq!(text(case, "label"), "sig-b24");
                let mut printed = message.clone();
                printed.headers.extend(fields(text(case, "headers")));
                let key = key(text(case, "key"), &vectors["keys"]);
                let error = verify(&Untrusted::new(printed, "test"), "sig-b24", &key).unwrap_err();
                assert_eq!(error.code(), Code::SignatureInvalid);
                message.headers[place].1 = signed.to_owned();
            }
        }
        message.headers.extend(fields(text(case, "headers")));
        let label = text(case, "label");
        assert_eq!(signature_base(&message, label).unwrap(), wanted, "{label}");
        refused += holds_and_only_so(&message, label, &key(text(case, "key"), &vectors["keys"]));
    }
    // The proxy's request, with the signature it adds.
    let blocks = vectors["tls_terminating_proxies_blocks"].as_array().unwrap();
    let signed = message(blocks[4].as_str().unwrap());
    assert_eq!(signature_base(&signed, "ttrp").unwrap(), blocks[2].as_str().unwrap());
    refused += holds_and_only_so(&signed, "ttrp", &key("test-key-ecc-p256", &vectors["keys"]));
    println!("RFC 9421 appendix B: {} signatures hold, {refused} altered ones refused", cases.len() + 1);
    assert_eq!(cases.len(), 5);
}

#[test]
fn another_implementation() {
    let vectors: Value = serde_json::from_str(WEB_BOT_AUTH).unwrap();
    let mut refused = 0;
    for case in vectors.as_array().unwrap() {
        let target = Target::parse(text(case, "target_url")).unwrap();
        let mut headers = vec![
            ("Signature".to_owned(), text(case, "signature").to_owned()),
            ("Signature-Input".to_owned(), text(case, "signature_input").to_owned()),
        ];
        headers.extend(
            case.get("signature_agent")
                .map(|agent| ("Signature-Agent".to_owned(), agent.as_str().unwrap().to_owned())),
        );
        let message = HttpMessage {
            start: Start::Request { method: "GET".to_owned(), target },
            headers,
            trailers: Vec::new(),
        };
        let key = Key::RsaPssSha512(base64url::decode(text(&case["key"], "n")).unwrap());
        refused += holds_and_only_so(&message, text(case, "label"), &key);
        let signed = verify(&Untrusted::new(message.clone(), "test"), text(case, "label"), &key).unwrap();
        assert_eq!(signed.created, Some(case["created_ms"].as_i64().unwrap() / 1000));
        assert_eq!(signed.expires, Some(case["expires_ms"].as_i64().unwrap() / 1000));
        assert_eq!(
            (signed.tag.as_deref(), signed.nonce.as_deref()),
            (Some("web-bot-auth"), case["nonce"].as_str())
        );
        let other = Key::HmacSha256(b"secret".to_vec());
        let error = verify(&Untrusted::new(message, "test"), text(case, "label"), &other).unwrap_err();
        assert_eq!(error.code(), Code::SignatureUnsupported);
    }
    println!(
        "web-bot-auth: {} signatures hold, {refused} altered ones refused",
        vectors.as_array().unwrap().len()
    );
}

/// A message with a signature over these components, whose base is looked at.
fn base_of(mut message: HttpMessage, components: &str) -> Result<String, Code> {
    message.headers.push(("Signature-Input".to_owned(), format!("sig=({components})")));
    message.headers.push(("Signature".to_owned(), "sig=:AA==:".to_owned()));
    let base = signature_base(&message, "sig").map_err(|error| error.code())?;
    Ok(base.rsplit_once("\n\"@signature-params\"").unwrap().0.to_owned())
}

fn request(url: &str, headers: &[(&str, &str)]) -> HttpMessage {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let start = Start::Request { method: "POST".to_owned(), target: Target::parse(url).unwrap() };
    HttpMessage { start, headers, trailers: Vec::new() }
}

/// The examples of §2.1 and §2.2.
#[test]
fn components() {
    let fields = [
        ("X-OWS-Header", "   Leading and trailing whitespace.   "),
        ("X-Obs-Fold-Header", "Obsolete\n    line folding."),
        ("Cache-Control", "max-age=60"),
        ("Cache-Control", "    must-revalidate"),
        ("Example-Dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
        ("X-Empty-Header", ""),
        ("Priority", "u=1  ,   i"),
    ];
    let message = request("https://www.example.com/path?param=value", &fields);
    let cases = [
        ("\"x-ows-header\"", "\"x-ows-header\": Leading and trailing whitespace."),
        ("\"x-obs-fold-header\"", "\"x-obs-fold-header\": Obsolete line folding."),
        ("\"cache-control\"", "\"cache-control\": max-age=60, must-revalidate"),
        ("\"cache-control\";bs", "\"cache-control\";bs: :bWF4LWFnZT02MA==:, :bXVzdC1yZXZhbGlkYXRl:"),
        ("\"example-dict\";key=\"a\"", "\"example-dict\";key=\"a\": 1"),
        ("\"example-dict\";key=\"b\"", "\"example-dict\";key=\"b\": 2;x=1;y=2"),
        ("\"example-dict\";key=\"c\"", "\"example-dict\";key=\"c\": (a b c)"),
        ("\"example-dict\";key=\"d\"", "\"example-dict\";key=\"d\": ?1"),
        ("\"x-empty-header\"", "\"x-empty-header\": "),
        ("\"priority\";sf", "\"priority\";sf: u=1, i"),
        ("\"@method\"", "\"@method\": POST"),
        ("\"@target-uri\"", "\"@target-uri\": https://www.example.com/path?param=value"),
        ("\"@authority\"", "\"@authority\": www.example.com"),
        ("\"@scheme\"", "\"@scheme\": https"),
        ("\"@request-target\"", "\"@request-target\": /path?param=value"),
        ("\"@path\"", "\"@path\": /path"),
        ("\"@query\"", "\"@query\": ?param=value"),
    ];
    for (component, line) in cases {
        assert_eq!(base_of(message.clone(), component).as_deref(), Ok(line));
    }
    let refused = [
        ("\"example-dict\";key=\"e\"", Code::ComponentMissing),
        ("\"missing\"", Code::ComponentMissing),
        ("\"cache-control\";sf", Code::ComponentMissing),
        ("\"cache-control\";tr", Code::ComponentMissing),
        ("\"cache-control\";req", Code::ComponentMissing),
        ("\"@status\"", Code::ComponentMissing),
        ("\"@signature-params\"", Code::ComponentMissing),
        ("\"@unknown\"", Code::ComponentMissing),
        ("\"@query-param\"", Code::ComponentMissing),
        ("\"Cache-Control\"", Code::FieldMalformed),
        ("\"cache-control\" \"cache-control\"", Code::FieldMalformed),
        ("\"cache-control\";bs;sf", Code::FieldMalformed),
        ("\"cache-control\";odd", Code::FieldMalformed),
        ("\"@method\";sf", Code::FieldMalformed),
        ("cache-control", Code::FieldMalformed),
    ];
    for (component, code) in refused {
        assert_eq!(base_of(message.clone(), component), Err(code), "{component}");
    }
}

/// The examples of §2.2.3, §2.2.7 and §2.2.8.
#[test]
fn targets() {
    let line = |url: &str, component: &str| {
        base_of(request(url, &[]), component).unwrap().split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(line("https://WWW.example.com:443/", "\"@authority\""), "www.example.com");
    assert_eq!(line("http://www.example.com:8080/", "\"@authority\""), "www.example.com:8080");
    assert_eq!(line("https://www.example.com", "\"@path\""), "/");
    assert_eq!(line("https://www.example.com/path", "\"@query\""), "?");
    assert_eq!(line("https://www.example.com/path?", "\"@query\""), "?");
    assert_eq!(line("https://www.example.com/path?queryString", "\"@query\""), "?queryString");
    let url = "https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&qux=";
    assert_eq!(line(url, "\"@query-param\";name=\"var\""), "this%20is%20a%20big%0Amultiline%20value");
    assert_eq!(line(url, "\"@query-param\";name=\"bar\""), "with%20plus%20whitespace");
    assert_eq!(line(url, "\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\""), "something");
    assert_eq!(line(url, "\"@query-param\";name=\"qux\""), "");
    let twice = request("https://www.example.com/?a=1&a=2", &[]);
    assert_eq!(base_of(twice, "\"@query-param\";name=\"a\""), Err(Code::ComponentMissing));
    assert_eq!(Target::parse("/path").unwrap_err().code(), Code::SourceInvalid);
}

/// §2.4: a response that covers its request; and a trailer.
#[test]
fn responses() {
    let request = request("https://example.com/foo", &[("Content-Type", "application/json")]);
    let response = HttpMessage {
        start: Start::Response { status: 503, request: Some(Box::new(request)) },
        headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
        trailers: vec![("Expires".to_owned(), "Wed, 9 Nov 2022 07:28:00 GMT".to_owned())],
    };
    let components =
        "\"@status\" \"content-type\" \"content-type\";req \"@method\";req \"@authority\";req \"expires\";tr";
    let wanted = "\"@status\": 503\n\"content-type\": text/plain\n\"content-type\";req: application/json\n\"@method\";req: POST\n\
                  \"@authority\";req: example.com\n\"expires\";tr: Wed, 9 Nov 2022 07:28:00 GMT";
    assert_eq!(base_of(response, components).as_deref(), Ok(wanted));
}
