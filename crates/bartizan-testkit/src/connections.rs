//! A router served for real.
//!
//! `oneshot` on a router never clones a service per connection, never parses a request and never
//! drops one because the peer went away. State that is shared by accident or kept apart by mistake
//! shows only here.

use std::{io, net::SocketAddr};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, Version, header, uri};
use http_body_util::BodyExt;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

/// A connection could not be made, or a request not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError {
    /// The system said no.
    #[error("cannot listen or connect on loopback: {0}")]
    Io(#[from] io::Error),
    /// The connection or its body ended early.
    #[error("the server did not answer: {0}")]
    Http(#[from] hyper::Error),
    /// The request's path and address do not make a URI.
    #[error("not a request for this server: {0}")]
    Request(#[from] http::Error),
    /// Only `HTTP/1.1` and `HTTP/2.0` are spoken.
    #[error("version {0:?}, expected HTTP/1.1 or HTTP/2.0")]
    Version(Version),
}

/// Either kind of connection.
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// Serves `router` with `axum::serve` on a free loopback port, opens `connections` to it that are
/// all open at the same time, sends one request on each (`request(0)`, `request(1)`, ...) and
/// returns the answers with their bodies, in that order. HTTP/2 is spoken with prior knowledge.
///
/// Only the path and query of a request's URI are used; its version is `version`. The server and
/// the connections have ended on return.
///
/// # Errors
///
/// The first connection that fails, and any version but HTTP/1.1 and HTTP/2.
pub async fn over_connections(
    router: Router,
    connections: usize,
    version: Version,
    mut request: impl FnMut(usize) -> Request<Body>,
) -> Result<Vec<Response<Bytes>>, DriveError> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(async {
            let _stop = stopped.await;
        });
        // It does not return errors, by its documentation.
        let _ended = served.await;
    });

    let mut senders = Vec::with_capacity(connections);
    for _ in 0..connections {
        senders.push(Sender::connect(addr, version, &mut tasks).await?);
    }
    let mut answers = Vec::with_capacity(connections);
    for (index, sender) in senders.iter_mut().enumerate() {
        let response = sender.send(request(index), addr).await?;
        let (parts, body) = response.into_parts();
        answers.push(Response::from_parts(
            parts,
            body.collect().await?.to_bytes(),
        ));
    }
    drop(senders);
    let _asked = stop.send(());
    while tasks.join_next().await.is_some() {}
    Ok(answers)
}

// === impl Sender ===

impl Sender {
    async fn connect(
        addr: SocketAddr,
        version: Version,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, DriveError> {
        let io = TokioIo::new(TcpStream::connect(addr).await?);
        // How a connection ends shows in the answers.
        match version {
            Version::HTTP_11 => {
                let (sender, connection) = http1::handshake(io).await?;
                tasks.spawn(async { drop(connection.await) });
                Ok(Self::Http1(sender))
            }
            Version::HTTP_2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tasks.spawn(async { drop(connection.await) });
                Ok(Self::Http2(sender))
            }
            other => Err(DriveError::Version(other)),
        }
    }

    async fn send(
        &mut self,
        mut request: Request<Body>,
        addr: SocketAddr,
    ) -> Result<Response<hyper::body::Incoming>, DriveError> {
        let path = request.uri().path_and_query().cloned();
        let path = path.unwrap_or_else(|| uri::PathAndQuery::from_static("/"));
        match self {
            Self::Http1(sender) => {
                let host = HeaderValue::try_from(addr.to_string()).map_err(http::Error::from)?;
                request.headers_mut().entry(header::HOST).or_insert(host);
                *request.uri_mut() = Uri::from(path);
                *request.version_mut() = Version::HTTP_11;
                Ok(sender.send_request(request).await?)
            }
            Self::Http2(sender) => {
                let uri = Uri::builder().scheme("http").authority(addr.to_string());
                *request.uri_mut() = uri.path_and_query(path).build()?;
                *request.version_mut() = Version::HTTP_2;
                Ok(sender.send_request(request).await?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use axum::{extract::ConnectInfo, routing::get};

    use super::*;

    #[tokio::test]
    async fn each_request_has_a_connection_of_its_own() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let whoami = async |ConnectInfo(peer): ConnectInfo<SocketAddr>,
                                request: Request<Body>| {
                format!("{peer} {:?} {}", request.version(), request.uri().path())
            };
            let router = Router::new().fallback(get(whoami));
            let answers = over_connections(router, 3, version, |index| {
                Request::get(format!("/{index}"))
                    .body(Body::empty())
                    .unwrap()
            });
            let answers: Vec<_> = answers
                .await
                .unwrap()
                .into_iter()
                .map(|answer| String::from_utf8(answer.into_body().to_vec()).unwrap())
                .collect();
            let peers: HashSet<_> = answers.iter().map(|text| text.split(' ').next()).collect();
            assert_eq!(peers.len(), 3, "{answers:?}");
            assert!(
                answers[2].ends_with(&format!("{version:?} /2")),
                "{answers:?}"
            );
        }
    }

    #[tokio::test]
    async fn another_version_is_refused() {
        let refused = over_connections(Router::new(), 1, Version::HTTP_3, |_| Request::default());
        assert!(matches!(
            refused.await,
            Err(DriveError::Version(Version::HTTP_3))
        ));
    }
}
