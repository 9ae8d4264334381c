//! Requests.

use weft_codec::message::{Generation, Message};
use weft_core::aocore::device::Devices;
use weft_core::aocore::path::{self, MAX_STEPS, Param, Step};
use weft_core::aocore::{Core, Limits};

/// A path: it reads as a bounded number of steps or is refused with a code, always the same, and what it asks ends.
pub fn request_path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let request = Message::new().with("path", text);
    let devices = Devices::standard();
    for generation in Generation::ALL {
        let steps = path::parse(&request, generation);
        match (&steps, path::parse_path(text, generation)) {
            (Ok(steps), Ok(again)) => assert_eq!(*steps, again),
            (Err(error), Err(again)) => assert_eq!(error.code(), again.code()),
            _ => panic!("the same path reads in two ways"),
        }
        let Ok(steps) = steps else { continue };
        assert!(
            count(&steps) <= (MAX_STEPS + 1) * MAX_STEPS,
            "copies of parameters are bounded by the steps"
        );
        let core = Core::new(&devices, generation).with_limits(Limits { steps: 500, depth: 16 });
        let (first, second) = (core.request(&request), core.request(&request));
        match (first, second) {
            (Ok(first), Ok(second)) => assert_eq!(first, second),
            (Err(first), Err(second)) => assert_eq!(first.code(), second.code()),
            _ => panic!("the same request is answered in two ways"),
        }
    }
}

/// The steps, those of paths within them counted.
fn count(steps: &[Step]) -> usize {
    let of = |param: &Param| match param {
        Param::Value(_) => 0,
        Param::Resolve(steps) => count(steps),
    };
    let inner = steps.iter().map(|step| match step {
        Step::Id(_) => 1,
        Step::Message(params) | Step::As { message: params, .. } => {
            1 + params.values().map(of).sum::<usize>()
        }
        Step::Resolve(steps) => 1 + count(steps),
    });
    inner.sum()
}
