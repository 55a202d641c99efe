//! What answers say in their heads.

use bartizan_protect::rate_limit::{Answers, Mode, RATE_LIMIT, RATE_LIMIT_POLICY, RateLimitLayer};
use http::HeaderMap;
use proptest::prelude::*;
use tower::{Layer, service_fn};

use super::sf::{self, Item};
use super::*;

fn item(name: &str, parameters: &[(&str, u64)]) -> Item {
    let parameter = |(key, value): &(&str, u64)| ((*key).to_owned(), *value);
    (name.to_owned(), parameters.iter().map(parameter).collect())
}

fn said(headers: &HeaderMap, name: &http::HeaderName) -> Vec<Item> {
    sf::list(headers[name].to_str().unwrap())
}

/// The head of the next answer, a rejection's included, and whether it is none.
async fn next<O, S>(service: &mut S) -> (HeaderMap, bool)
where
    S: Service<Request<()>, Response = Response<O>, Error = Error>,
{
    match send(service, request(None, &[])).await {
        Ok(response) => (response.into_parts().0.headers, true),
        Err(Error::RateLimited(rejected)) => {
            let mut headers = HeaderMap::new();
            if let Some(fields) = rejected.fields() {
                fields.clone().add_to(&mut headers);
            }
            (headers, false)
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn answers_say_what_is_left_and_when_there_is_more() {
    let limiter = builder()
        .with_policy(Policy::new(
            "burst",
            Quota::new(60, 60 * SECOND, 2).unwrap(),
        ))
        .with_policy(Policy::new(
            "daily",
            Quota::new(864, 86_400 * SECOND, 864).unwrap(),
        ));
    let layer = RateLimitLayer::new(limiter.build().unwrap());
    let mut service = layer.layer(service_fn(answer));
    let policies = [
        item("burst", &[("q", 60), ("w", 60)]),
        item("daily", &[("q", 864), ("w", 86_400)]),
    ];

    for left in [1, 0] {
        let (headers, allowed) = next(&mut service).await;
        assert!(allowed && !headers.contains_key("retry-after"));
        assert_eq!(said(&headers, &RATE_LIMIT_POLICY), policies);
        let daily = 862 + left;
        let limits = [
            item("burst", &[("r", left), ("t", 1)]),
            item("daily", &[("r", daily), ("t", 100)]),
        ];
        assert_eq!(said(&headers, &RATE_LIMIT), limits);
    }
    tokio::time::advance(Duration::from_millis(100)).await;
    let (headers, allowed) = next(&mut service).await;
    assert!(!allowed);
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(said(&headers, &RATE_LIMIT_POLICY), policies);
    // A time that is later than `Retry-After` would contradict it.
    let limits = [
        item("burst", &[("r", 0), ("t", 1)]),
        item("daily", &[("r", 862)]),
    ];
    assert_eq!(said(&headers, &RATE_LIMIT), limits);
}

#[tokio::test(start_paused = true)]
async fn answers_say_what_policies_have_become() {
    let per_second = |rate| Quota::new(rate, SECOND, 10).unwrap();
    let limiter = builder()
        .with_policy(Policy::new("one", per_second(1)))
        .with_policy(Policy::new("two", per_second(2)))
        .build()
        .unwrap();
    let mut service = RateLimitLayer::new(limiter.clone()).layer(service_fn(answer));
    let [one, two] = [("one", 1), ("two", 2)].map(|(name, q)| item(name, &[("q", q), ("w", 1)]));
    let policies = async |service: &mut _| said(&next(service).await.0, &RATE_LIMIT_POLICY);
    assert_eq!(policies(&mut service).await, [one.clone(), two.clone()]);

    limiter.set_quota("two", per_second(7)).unwrap();
    let seven = item("two", &[("q", 7), ("w", 1)]);
    assert_eq!(policies(&mut service).await, [one, seven]);

    limiter.set_quota("two", per_second(2)).unwrap();
    for mode in [Mode::Shadow, Mode::Disabled] {
        limiter.set_mode("one", mode).unwrap();
        assert_eq!(policies(&mut service).await, std::slice::from_ref(&two));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_say_so_where_they_are_to() {
    for (answers, of_allowed, of_rejected) in [
        (Answers::All, true, true),
        (Answers::Rejections, false, true),
        (Answers::None, false, false),
    ] {
        let limiter = builder()
            .with_policy(Policy::new("all", quota(1, 1)))
            .build();
        let layer = RateLimitLayer::new(limiter.unwrap()).with_answers(answers);
        let mut service = layer.layer(service_fn(answer));
        let (headers, _) = next(&mut service).await;
        assert_eq!(headers.contains_key(RATE_LIMIT), of_allowed, "{answers:?}");
        let (headers, allowed) = next(&mut service).await;
        assert!(!allowed);
        assert_eq!(
            headers.contains_key("retry-after"),
            of_rejected,
            "{answers:?}"
        );
    }
}

proptest! {
    /// Whatever a policy is called and allows, a strict parser reads what was meant, and `Retry-After`
    /// is never nothing, never too short, and never earlier than any `t`.
    #[test]
    fn what_is_said_can_be_read(
        name in "[ -~]{1,64}",
        rate in 1..2_000_000_u32,
        millis in 1..100_000_u64,
        burst in 1..50_u32,
        calls in 1..80_u32,
    ) {
        let per = Duration::from_millis(millis);
        prop_assume!(u128::from(rate) <= per.as_nanos());
        let policy = Policy::new(&name, Quota::new(rate, per, burst).unwrap());
        let (limiter, _) = limiter(policy);
        let mut service = RateLimitLayer::new(limiter).layer(service_fn(answer));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for call in 1..=calls {
            let (headers, allowed) = runtime.block_on(next(&mut service));
            prop_assert_eq!(allowed, call <= burst);
            let policies = said(&headers, &RATE_LIMIT_POLICY);
            prop_assert_eq!(&policies[0].0, &name);
            prop_assert!(policies[0].1[1].1 >= 1, "a window is a second or more");
            let limits = said(&headers, &RATE_LIMIT);
            prop_assert_eq!(&limits[0].0, &name);
            prop_assert_eq!(limits[0].1[0].1, u64::from(burst.saturating_sub(call)));
            if !allowed {
                let after: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
                let wait = per.as_secs_f64() / f64::from(rate);
                prop_assert!(after >= 1 && after as f64 >= wait.floor());
                prop_assert!(limits[0].1[1].1 <= after);
            }
        }
    }
}
