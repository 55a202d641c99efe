use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, ErrorKind, IntoConnectionInfo, RedisError, Script, ServerErrorKind};

use super::{Ask, Grant, Store};
use crate::BoxError;

/// A store in Redis 5 or newer, or what speaks its protocol and runs its scripts.
///
/// A key's budget is one string, which expires when it is full. A decision is one round trip with a
/// script, which goes by the server's clock and writes nothing when it gives nothing. A server that
/// has lost its data has full budgets; one whose script was flushed is sent it again, once.
///
/// Of a connection that is lost while a question is on its way nobody knows whether it was answered.
/// It is asked again on a new one, so that a unit may be charged twice.
pub struct RedisStore<C = ConnectionManager> {
    connection: C,
    script: Script,
}

/// How long the kernel may send in vain before a connection is given up: a server that has gone
/// without a word would otherwise be waited for for a quarter of an hour.
#[cfg(target_os = "linux")]
const SILENCE: Duration = Duration::from_secs(3);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);

// === impl RedisStore ===

impl RedisStore {
    /// A store at such a URL as `redis://127.0.0.1:6379/0`. Connects when it is asked first, and
    /// again after a connection was lost.
    ///
    /// # Errors
    ///
    /// When the URL is none.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open(url: &str) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(SILENCE);
        let client = Client::open(info.set_tcp_settings(tcp))?;
        let config = ConnectionManagerConfig::new()
            // The limiter has its own deadline, and its breaker says when to try again.
            .set_response_timeout(None)
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT));
        Ok(Self::new(client.get_connection_manager_lazy(config)?))
    }
}

impl<C> RedisStore<C> {
    /// A store behind a connection that comes back by itself, such as a [`ConnectionManager`] or a
    /// cluster's.
    #[must_use]
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            script: Script::new(include_str!("gcra.lua")),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Runs the script, by its hash where the server knows it.
    async fn run(&self, ask: &Ask) -> Result<(u32, u64, u32), RedisError> {
        let mut connection = self.connection.clone();
        let by_hash = command("EVALSHA", self.script.get_hash(), ask);
        match by_hash.query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let whole = command("EVAL", include_str!("gcra.lua"), ask);
                whole.query_async(&mut connection).await
            }
            answer => answer,
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    async fn grant(&self, ask: &Ask) -> Result<Grant, BoxError> {
        let answer = match self.run(ask).await {
            // The connection may have been lost long ago, and nobody has noticed before.
            Err(error) if error.is_unrecoverable_error() => self.run(ask).await,
            answer => answer,
        };
        let (granted, wait, remaining) = answer?;
        Ok(Grant {
            granted,
            retry_after: Duration::from_micros(wait),
            remaining,
        })
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

fn command(name: &str, script: &str, ask: &Ask) -> Cmd {
    let mut command = redis::cmd(name);
    command
        .arg(script)
        .arg(1)
        .arg(ask.key.to_string())
        .arg(ask.quota.unit())
        .arg(ask.quota.full())
        .arg(ask.least)
        .arg(ask.most);
    command
}
