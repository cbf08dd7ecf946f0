//! Bodies are read to their end, even where the answer is clear before: a client that is still sending when the
//! connection closes sees it break and never learns what the answer was.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;

/// How much is read for the sake of a client that sends more than it may. Beyond it the connection breaks.
const MAX_DISCARDED: usize = 16 << 20;

/// What a handler has left of a body.
pub(crate) struct Rest {
    body: Arc<Mutex<State>>,
    /// The client waits to be asked for the body.
    on_demand: bool,
}

struct State {
    body: Body,
    begun: bool,
}

struct Shared(Arc<Mutex<State>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = self.0.lock();
        state.begun = true;
        Pin::new(&mut state.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().body.size_hint()
    }
}

impl Rest {
    /// Hands the request on, and keeps hold of its body; `None` where there is none.
    pub(crate) fn of(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let on_demand = parts.headers.contains_key(header::EXPECT);
        let body = Arc::new(Mutex::new(State { body, begun: false }));
        let request = Request::from_parts(parts, Body::new(Shared(body.clone())));
        (request, Some(Self { body, on_demand }))
    }

    /// Reads what is left and forgets it.
    pub(crate) async fn discard(self) {
        let mut shared = Shared(self.body);
        if shared.is_end_stream() || self.on_demand && !shared.0.lock().begun {
            return;
        }
        let mut discarded = 0;
        while let Some(Ok(frame)) = shared.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > MAX_DISCARDED {
                return;
            }
        }
    }
}
