use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use http::StatusCode;
use http::header::RETRY_AFTER;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::BoxError;

/// How long the slow one takes to answer.
const SLOW: Duration = Duration::from_secs(2);

/// How long the flapping one is there, and how long it is then gone.
const FLAP: Duration = Duration::from_millis(200);

/// What it asks for that asks to be spared: seconds.
const WAIT: &str = "1";

/// What a collector does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Takes everything and forgets it.
    Healthy,
    /// Does the same, two seconds later.
    Slow,
    /// Is healthy for 200 ms, then nobody listens for 200 ms.
    Flapping,
    /// Nobody listens.
    Refused,
    /// Takes connections and never answers.
    BlackHole,
    /// Resets each connection after the first bytes of a request.
    Reset,
    /// Answers 503.
    Unavailable,
    /// Answers 503, and when to come back.
    UnavailableWait,
    /// Answers 429, and when to come back.
    ThrottledWait,
}

/// A collector until it is dropped.
#[derive(Debug)]
pub(super) struct Far {
    addr: SocketAddr,
    /// Holds the port while nobody listens.
    _port: Option<TcpSocket>,
    _stop: oneshot::Sender<()>,
}

// === impl Manner ===

impl Manner {
    pub(super) const ALL: [Self; 9] = [
        Self::Healthy,
        Self::Slow,
        Self::Flapping,
        Self::Refused,
        Self::BlackHole,
        Self::Reset,
        Self::Unavailable,
        Self::UnavailableWait,
        Self::ThrottledWait,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Slow => "slow",
            Self::Flapping => "flapping",
            Self::Refused => "refused",
            Self::BlackHole => "black hole",
            Self::Reset => "reset",
            Self::Unavailable => "503",
            Self::UnavailableWait => "503, wait",
            Self::ThrottledWait => "429, wait",
        }
    }

    /// Whether it takes what it gets, if it is given the time.
    pub(super) const fn takes(self) -> bool {
        matches!(self, Self::Healthy | Self::Slow | Self::Flapping)
    }
}

// === impl Far ===

impl Far {
    pub(super) fn start(manner: Manner) -> Result<Self, BoxError> {
        let (stop, stopped) = oneshot::channel();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (addr, port) = if matches!(manner, Manner::Refused | Manner::Flapping) {
            let port = TcpSocket::new_v4()?;
            // One that listens binds the same port, which takes this on both.
            port.set_reuseaddr(true)?;
            port.bind(any)?;
            (port.local_addr()?, Some(port))
        } else {
            (any, None)
        };
        let far = |addr| Self {
            addr,
            _port: port,
            _stop: stop,
        };
        if manner == Manner::Refused {
            return Ok(far(addr));
        }
        let listener = listen(addr)?;
        let addr = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ended = serve(listener, manner) => {}
                    _dropped = stopped => {}
                }
            });
        });
        Ok(far(addr))
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}

fn listen(addr: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(first: std::net::TcpListener, manner: Manner) -> std::io::Result<()> {
    let listener = TcpListener::from_std(first)?;
    let (status, wait) = match manner {
        Manner::BlackHole => return hold(listener).await,
        Manner::Reset => return reset(listener).await,
        Manner::Flapping => return flap(listener).await,
        Manner::Slow => {
            let answer = async |_message: Bytes| sleep(SLOW).await;
            return axum::serve(listener, Router::new().fallback(answer)).await;
        }
        Manner::Healthy | Manner::Refused => (StatusCode::OK, None),
        Manner::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, None),
        Manner::UnavailableWait => (StatusCode::SERVICE_UNAVAILABLE, Some(WAIT)),
        Manner::ThrottledWait => (StatusCode::TOO_MANY_REQUESTS, Some(WAIT)),
    };
    let answer = async move |_message: Bytes| {
        let wait = wait.map(|seconds| [(RETRY_AFTER, seconds)]);
        (status, wait, ())
    };
    axum::serve(listener, Router::new().fallback(answer)).await
}

async fn hold(listener: TcpListener) -> std::io::Result<()> {
    let mut held: Vec<TcpStream> = Vec::new();
    loop {
        held.push(listener.accept().await?.0);
    }
}

async fn reset(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Less than any request's head. To close before all is read is what makes it a reset
            // (RFC 1122, section 4.2.2.13).
            let mut part = [0; 16];
            loop {
                stream.readable().await?;
                match stream.try_read(&mut part) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            }
        });
    }
}

async fn flap(first: TcpListener) -> std::io::Result<()> {
    let addr = first.local_addr()?;
    let mut listener = first;
    loop {
        let router = Router::new().fallback(async |_message: Bytes| ());
        // Ends when the connections have ended too, of which none is cut in the middle.
        axum::serve(listener, router)
            .with_graceful_shutdown(sleep(FLAP))
            .await?;
        sleep(FLAP).await;
        listener = TcpListener::from_std(listen(addr)?)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;
    use std::time::Instant;

    use super::*;
    use crate::measure::now;

    const PATIENCE: Duration = Duration::from_secs(20);

    const REQUEST: &[u8] =
        b"POST /v1/traces HTTP/1.1\r\nhost: collector\r\nconnection: close\r\ncontent-length: 4\r\n\r\nspan";

    fn ask(far: &Far) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(far.addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(REQUEST)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn refused(far: &Far) -> bool {
        TcpStream::connect(far.addr)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }

    fn until(far: &Far, deadline: Instant, holds: impl Fn(&Far) -> bool) {
        while !holds(far) {
            assert!(now() < deadline, "it comes within {PATIENCE:?}");
            thread::yield_now();
        }
    }

    #[test]
    fn those_that_answer_say_what_they_are_named_for() {
        for (manner, status, wait) in [
            (Manner::Healthy, "200", false),
            (Manner::Slow, "200", false),
            (Manner::Unavailable, "503", false),
            (Manner::UnavailableWait, "503", true),
            (Manner::ThrottledWait, "429", true),
        ] {
            let answer = ask(&Far::start(manner).unwrap()).unwrap();
            let line = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&line), "{manner:?}: {answer}");
            assert_eq!(answer.contains("retry-after: 1\r\n"), wait, "{manner:?}");
        }
    }

    #[test]
    fn a_request_is_reset_in_its_middle() {
        let far = Far::start(Manner::Reset).unwrap();
        for _ in 0..3 {
            assert_eq!(ask(&far).unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    }

    #[test]
    fn nobody_is_at_a_refused_port() {
        assert!(refused(&Far::start(Manner::Refused).unwrap()));
    }

    #[test]
    fn one_that_flaps_is_there_and_gone_and_there_again() {
        let far = Far::start(Manner::Flapping).unwrap();
        let deadline = now() + PATIENCE;
        let answers = |far: &Far| ask(far).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "));
        for _ in 0..2 {
            until(&far, deadline, answers);
            until(&far, deadline, refused);
        }
        until(&far, deadline, answers);
    }
}
