use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::Handed;

/// A request body that notes when a connection first asks for it.
#[derive(Debug)]
pub(super) struct Noted {
    bytes: Full<Bytes>,
    handed: Handed,
}

impl Noted {
    pub(super) fn new(bytes: Bytes, handed: &Handed) -> Self {
        Self {
            bytes: Full::new(bytes),
            handed: handed.clone(),
        }
    }
}

impl Body for Noted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.handed.set();
        Pin::new(&mut self.bytes).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}
