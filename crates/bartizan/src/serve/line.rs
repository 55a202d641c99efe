//! A socket that the server can break, whoever holds it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Seat;
use crate::Connection;

/// A connection's socket, with its place among the open ones.
///
/// After an upgrade it belongs to a task of the service's own, which the server cannot cancel; what
/// it can do is to let each read and write fail.
#[derive(Debug)]
pub(super) struct Socket {
    connection: Connection,
    line: Arc<Line>,
    _seat: Seat,
}

/// The server's end of a [`Socket`].
#[derive(Debug, Default)]
pub(super) struct Line {
    is_cut: AtomicBool,
    waiting: Mutex<Waiting>,
}

/// Who is to be woken when the line is cut.
#[derive(Debug, Default)]
struct Waiting {
    read: Option<Waker>,
    write: Option<Waker>,
}

// === impl Line ===

impl Line {
    /// Lets everything fail from now on, also what waits already.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        let Waiting { read, write } =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for waker in [read, write].into_iter().flatten() {
            waker.wake();
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.is_cut.load(Ordering::SeqCst) {
            let kind = io::ErrorKind::ConnectionAborted;
            return Err(io::Error::new(kind, "the server has stopped"));
        }
        Ok(())
    }

    /// What a poll gives that the socket left waiting.
    fn wait<T>(
        &self,
        cx: &Context<'_>,
        side: impl FnOnce(&mut Waiting) -> &mut Option<Waker>,
    ) -> Poll<io::Result<T>> {
        match side(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner)) {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        // Once more: the cut may have come before the waker was there to be woken.
        match self.check() {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

// === impl Socket ===

impl Socket {
    pub(super) const fn new(connection: Connection, line: Arc<Line>, seat: Seat) -> Self {
        Self {
            connection,
            line,
            _seat: seat,
        }
    }

    fn write<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Connection>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.line.check()?;
        match poll(Pin::new(&mut self.connection), cx) {
            Poll::Pending => self.line.wait(cx, |waiting| &mut waiting.write),
            ready => ready,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.check()?;
        match Pin::new(&mut self.connection).poll_read(cx, buf) {
            Poll::Pending => self.line.wait(cx, |waiting| &mut waiting.read),
            ready => ready,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |connection, cx| connection.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |connection, cx| {
            connection.poll_write_vectored(cx, bufs)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(cx, |connection, cx| connection.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(cx, |connection, cx| connection.poll_shutdown(cx))
    }
}
