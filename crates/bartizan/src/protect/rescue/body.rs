use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of an answer: the service's, or one of ours.
    #[derive(Debug)]
    pub struct RescueBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = SourceProj]
    enum Source<B> {
        Service { #[pin] body: B },
        Ours { #[pin] body: Body },
    }
}

// === impl RescueBody ===

impl<B> RescueBody<B> {
    pub(crate) const fn of_service(body: B) -> Self {
        Self {
            source: Source::Service { body },
        }
    }

    pub(crate) const fn ours(body: Body) -> Self {
        Self {
            source: Source::Ours { body },
        }
    }
}

impl<B> HttpBody for RescueBody<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().source.project() {
            SourceProj::Service { body } => {
                let frame = body.poll_frame(cx);
                frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
            SourceProj::Ours { body } => {
                let frame = body.poll_frame(cx);
                frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Service { body } => body.is_end_stream(),
            Source::Ours { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Service { body } => body.size_hint(),
            Source::Ours { body } => body.size_hint(),
        }
    }
}
