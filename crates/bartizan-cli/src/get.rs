//! One GET over a connection of its own, with little to set up: a probe is a process.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::url::Url;

/// How much of a body is read.
const MAX_BODY: usize = 64 * 1024;

/// An answer, and as much of its body as came in time and within [`MAX_BODY`].
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    #[error("connected, but no answer within {0:?}")]
    AnswerTimeout(Duration),
    #[error("connected, but no HTTP answer: {0}")]
    Http(#[from] hyper::Error),
}

/// Asks for `url`; no redirect is followed, and `timeout` is for everything together.
pub(crate) async fn get(url: &Url, timeout: Duration) -> Result<Answer, Failure> {
    let end = Instant::now() + timeout;
    // Tries every address that the name has.
    let stream = timeout_at(end, TcpStream::connect((url.host(), url.port())))
        .await
        .map_err(|_| Failure::ConnectTimeout(timeout))??;
    let asked = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It fails where the request does, and ends with what is read.
        tokio::spawn(connection);
        sender.send_request(request(url)).await
    };
    let response = timeout_at(end, asked)
        .await
        .map_err(|_| Failure::AnswerTimeout(timeout))??;
    let status = response.status();
    let body = read(response.into_body(), end).await;
    Ok(Answer { status, body })
}

fn request(url: &Url) -> Request<Empty<Bytes>> {
    Request::get(url.target())
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("bartizan/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .expect("path and authority are parts of a URI")
}

/// The answer's status has said it; a body that breaks off or does not end changes nothing.
async fn read(mut body: Incoming, end: Instant) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < MAX_BODY
        && let Ok(Some(Ok(frame))) = timeout_at(end, body.frame()).await
    {
        if let Ok(data) = frame.into_data() {
            let room = MAX_BODY - read.len();
            read.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    read
}
