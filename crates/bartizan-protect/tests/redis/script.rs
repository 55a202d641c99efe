//! What the script leaves in the server, and what it finds there.

use bartizan_protect::shared_limit::StoreDown;
use bartizan_testkit::RedisServer;
use redis::aio::MultiplexedConnection;

use super::*;

async fn connect(server: &RedisServer) -> MultiplexedConnection {
    let client = redis::Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn only_key(connection: &mut MultiplexedConnection) -> String {
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(connection)
        .await
        .unwrap();
    let [key] = &keys[..] else {
        panic!("{keys:?}");
    };
    key.clone()
}

async fn command<T: redis::FromRedisValue>(
    connection: &mut MultiplexedConnection,
    words: &[&str],
) -> T {
    let mut command = redis::cmd(words[0]);
    command
        .arg(&words[1..])
        .query_async(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_budget_is_one_key_that_goes_by_itself_and_a_refusal_writes_nothing() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let mut connection = connect(&server).await;
    let limiter = builder(burst(2), &server.url()).build().unwrap();
    let mut before: Option<(String, i64)> = None;
    for seconds in [1_000, 2_000, 2_000] {
        let _ = limiter.acquire(Some("10.1.2.3"), 1).await;
        let key = only_key(&mut connection).await;
        assert!(key.starts_with("bartizan:test:1000000000000-2:"), "{key}");
        assert!(!key.contains("10.1.2.3"));
        let left: i64 = command(&mut connection, &["PTTL", &key]).await;
        assert!(
            (seconds - 100..=seconds).contains(&(left / 1_000)),
            "{left}"
        );
        let text: String = command(&mut connection, &["GET", &key]).await;
        let full: i64 = text.parse().unwrap();
        if let Some((text_before, full_before)) = before {
            let is_same = text == text_before;
            assert!(is_same || full - full_before == 1_000_000_000);
        }
        before = Some((text, full));
    }
    assert_eq!(limiter.counts().rejected, 1);
}

#[tokio::test]
async fn what_is_no_time_or_far_ahead_is_read_as_well_as_it_can_be() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let mut connection = connect(&server).await;
    for (text, passes) in [
        ("9000000000000000", false),
        ("nonsense", true),
        ("-1", true),
    ] {
        let limiter = builder(burst(3), &server.url()).build().unwrap();
        limiter.acquire(Some("one"), 1).await.unwrap();
        let key = only_key(&mut connection).await;
        let () = command(&mut connection, &["SET", &key, text]).await;
        let result = limiter.acquire(Some("one"), 1).await;
        assert_eq!(result.is_ok(), passes, "{text}");
        // A clock that was ahead costs no more than a unit's time.
        let wait = result.err().map(|rejected| rejected.retry_after().unwrap());
        assert!(wait.is_none_or(|wait| wait <= 1_000 * SECOND), "{wait:?}");
        assert_eq!(limiter.counts().failed, 0);
        let () = command(&mut connection, &["DEL", &key]).await;
    }
}

#[tokio::test]
async fn a_key_that_is_something_else_is_a_failure_of_the_store() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let mut connection = connect(&server).await;
    let limiter = builder(burst(3), &server.url()).with_store_down(StoreDown::Allow);
    let limiter = limiter.build().unwrap();
    limiter.acquire(Some("one"), 1).await.unwrap();
    let key = only_key(&mut connection).await;
    let () = command(&mut connection, &["DEL", &key]).await;
    let () = command(&mut connection, &["RPUSH", &key, "what", "is", "this"]).await;
    limiter.acquire(Some("one"), 1).await.unwrap();
    assert_eq!(limiter.counts().failed, 1);
    // Others are none the worse for it.
    limiter.acquire(Some("another"), 1).await.unwrap();
    assert_eq!(limiter.counts().failed, 1);
}

#[tokio::test]
async fn a_script_that_was_flushed_is_sent_again() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let mut connection = connect(&server).await;
    let limiter = builder(burst(10), &server.url()).with_store_down(StoreDown::Deny);
    let limiter = limiter.build().unwrap();
    let mut passed = 0;
    for _ in 0..20 {
        passed += u32::from(limiter.acquire(Some("one"), 1).await.is_ok());
        let () = command(&mut connection, &["SCRIPT", "FLUSH", "SYNC"]).await;
    }
    assert_eq!((passed, limiter.counts().failed), (10, 0));
}
