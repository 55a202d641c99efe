use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use axum::Router;
use axum::body::Bytes;
use http::StatusCode;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::BoxError;

/// What a collector does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Takes everything and forgets it.
    Healthy,
    /// Nobody listens.
    Refused,
    /// Takes connections and never answers.
    BlackHole,
    /// Answers 503.
    Busy,
}

/// A collector until it is dropped.
#[derive(Debug)]
pub(super) struct Far {
    addr: SocketAddr,
    /// Holds the port of one that does not listen.
    _port: Option<TcpSocket>,
    _stop: oneshot::Sender<()>,
}

// === impl Manner ===

impl Manner {
    pub(super) const ALL: [Self; 4] = [Self::Healthy, Self::Refused, Self::BlackHole, Self::Busy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Refused => "refused",
            Self::BlackHole => "black hole",
            Self::Busy => "busy",
        }
    }
}

// === impl Far ===

impl Far {
    pub(super) fn start(manner: Manner) -> Result<Self, BoxError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (stop, stopped) = oneshot::channel();
        if manner == Manner::Refused {
            let port = TcpSocket::new_v4()?;
            port.bind(any)?;
            return Ok(Self {
                addr: port.local_addr()?,
                _port: Some(port),
                _stop: stop,
            });
        }
        let listener = std::net::TcpListener::bind(any)?;
        listener.set_nonblocking(true)?;
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
        Ok(Self {
            addr,
            _port: None,
            _stop: stop,
        })
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}

async fn serve(listener: std::net::TcpListener, manner: Manner) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let status = match manner {
        Manner::BlackHole => return hold(listener).await,
        Manner::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Manner::Healthy | Manner::Refused => StatusCode::OK,
    };
    let answer = async move |_message: Bytes| status;
    axum::serve(listener, Router::new().fallback(answer)).await
}

async fn hold(listener: TcpListener) -> std::io::Result<()> {
    let mut held: Vec<TcpStream> = Vec::new();
    loop {
        held.push(listener.accept().await?.0);
    }
}
