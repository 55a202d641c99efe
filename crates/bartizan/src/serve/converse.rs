//! One connection, from its first byte to its last.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::sync::watch;
use tokio::time::sleep;

use super::attend::Attendant;
use super::line::Socket;
use super::phases::Phase;
use super::streams::{OwnedStreams, Streams};

/// How long a peer may take to send a request's head. On HTTP/1 the time runs from the end of the
/// previous answer, so it is also how long an idle connection is kept; load balancers keep theirs
/// for 60 s as a rule, and one that outlives ours gets a reset for a request now and then. It is as
/// well how long a new connection may stay without a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How often an HTTP/2 peer is asked whether it is there: a peer that vanished without a word holds
/// its streams until then.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long it has to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How many requests a peer may have under way on one HTTP/2 connection: hyper's own default,
/// twice the least that RFC 9113 recommends, and written down because it bounds memory.
const MAX_CONCURRENT_STREAMS: u32 = 200;

/// Serves a connection to its end, to the end of what was under way when the drain began, or until
/// it is cut off. In each case all of it is dropped on return.
pub(super) async fn converse(
    socket: Socket,
    attendant: Attendant,
    mut cut_off: watch::Receiver<bool>,
) {
    let streams = OwnedStreams::new();
    tokio::select! {
        biased;
        // The sender outlives the connections; without it there is nobody to serve for, either.
        _ = cut_off.wait_for(|cut_off| *cut_off) => {}
        () = to_its_end(socket, attendant, &streams) => {}
    }
    streams.shutdown().await;
}

async fn to_its_end(socket: Socket, attendant: Attendant, streams: &OwnedStreams) {
    let in_flight = attendant.in_flight.clone();
    let mut draining = pin!(attendant.lifecycle.reached(Phase::Draining));
    let mut silent = pin!(sleep(HEAD_TIMEOUT));
    let builder = builder(streams.executor());
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(socket), attendant));

    let (mut is_draining, mut may_be_silent) = (false, true);
    let ended = loop {
        let ended = poll_fn(|cx| {
            let ended = connection.as_mut().poll(cx);
            // After the connection, which is what spawns them.
            streams.poll_reap(cx);
            ended
        });
        tokio::select! {
            biased;
            // Before the drain, so that a request that is here already is answered.
            ended = ended => break ended,
            () = &mut draining, if !is_draining => {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut silent, if may_be_silent => {
                may_be_silent = false;
                // hyper's own time for the head starts once it knows the version.
                if in_flight.begun() == 0 {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    };
    if let Err(error) = ended {
        // Peers that go away, time out or speak something else: nothing to act upon.
        tracing::debug!(error, "connection ended");
    }
}

fn builder(streams: Streams) -> Builder<Streams> {
    let mut builder = Builder::new(streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        // WebSockets over HTTP/2 (RFC 8441).
        .enable_connect_protocol();
    builder
}
