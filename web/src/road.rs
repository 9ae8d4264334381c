//! The worker's one `Fetch`: the demo answers for its own addresses, the browser for all others.

use std::cell::RefCell;
use std::rc::Rc;

use weft_codec::Result;
use weft_node::demo::DemoFetch;
use weft_node::seams::{Fetch, Request, Response};

use crate::fetch::{BrowserFetch, Cancel};

/// Where the node's requests go. A clone is another handle on the same roads.
#[derive(Clone, Default)]
pub(crate) struct Roads {
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    cancel: Option<Cancel>,
    demo: Option<Rc<DemoFetch>>,
}

impl Roads {
    /// What ends requests to the network from now on.
    pub(crate) fn obey(&self, cancel: &Cancel) {
        self.state.borrow_mut().cancel = Some(cancel.clone());
    }

    /// The demo that answers from now on.
    pub(crate) fn open_demo(&self, demo: DemoFetch) {
        self.state.borrow_mut().demo = Some(Rc::new(demo));
    }
}

impl Fetch for Roads {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let (cancel, demo) = {
            let state = self.state.borrow();
            (state.cancel.clone(), state.demo.clone())
        };
        match demo {
            Some(demo) if is_demo(&request.url) => demo.fetch(request).await,
            _ => BrowserFetch::new(cancel.map_or_else(Cancel::new, Ok)?).fetch(request).await,
        }
    }
}

fn is_demo(url: &str) -> bool {
    let sources = DemoFetch::sources();
    sources.schedulers.iter().chain(&sources.gateways).any(|source| url.starts_with(source.as_str()))
}
