use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::Ticket;

/// A request body that notes when a connection first asks for it.
#[derive(Debug)]
pub(super) struct Noted {
    bytes: Full<Bytes>,
    ticket: Ticket,
}

/// The request was given up before it was read.
#[derive(Debug, thiserror::Error)]
#[error("the export was given up before it was sent")]
pub(super) struct Revoked;

impl Noted {
    pub(super) fn new(bytes: Bytes, ticket: Ticket) -> Self {
        Self {
            bytes: Full::new(bytes),
            ticket,
        }
    }
}

impl Body for Noted {
    type Data = Bytes;
    type Error = Revoked;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Revoked>>> {
        if !self.ticket.read() {
            return Poll::Ready(Some(Err(Revoked)));
        }
        Pin::new(&mut self.bytes)
            .poll_frame(cx)
            .map_err(|never| match never {})
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}
