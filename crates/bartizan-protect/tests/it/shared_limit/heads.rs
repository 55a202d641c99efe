//! What the layer says in the heads of answers, and what it asks for requests.

use bartizan_protect::Error;
use bartizan_protect::rate_limit::{Answers, Mode};
use bartizan_protect::shared_limit::{Charged, Refusal, SharedLimit, SharedLimitLayer, StoreDown};
use http::{HeaderMap, Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;

async fn answer(_: Request<()>) -> Result<Response<()>, std::io::Error> {
    Ok(Response::new(()))
}

/// Asks a service for something of this cost, for a user.
async fn call<S>(service: &mut S, cost: u32, user: &str) -> Result<HeaderMap, Error>
where
    S: Service<Request<()>, Response = Response<()>, Error = Error>,
{
    let request = Request::builder().extension(cost).header("x-user", user);
    let request = request.body(()).unwrap();
    let response = service.ready().await?.call(request).await?;
    Ok(response.headers().clone())
}

/// Policies that read cost and user.
fn policies() -> [Policy; 2] {
    let cost = |parts: &http::request::Parts| parts.extensions.get().copied().unwrap_or(1);
    let is_premium = |parts: &http::request::Parts| parts.headers["x-user"] == "premium";
    let user = Keys::header(http::HeaderName::from_static("x-user"));
    [
        Policy::new("user", quota(10, 20))
            .with_keys(user)
            .with_cost(cost)
            .with_overrides(move |parts| is_premium(parts).then(|| quota(100, 200))),
        Policy::new("all", quota(1_000, 1_000)),
    ]
}

fn service<St: Store>(
    store: St,
    answers: Answers,
) -> SharedLimit<
    impl Service<Request<()>, Response = Response<()>, Error = std::io::Error> + Clone,
    St,
> {
    let layer = SharedLimitLayer::new(policies(), store).unwrap();
    layer.with_answers(answers).layer(service_fn(answer))
}

fn said(headers: &HeaderMap) -> [Option<&str>; 2] {
    ["ratelimit-policy", "ratelimit"].map(|name| Some(headers.get(name)?.to_str().unwrap()))
}

#[tokio::test(start_paused = true)]
async fn answers_say_what_is_left_by_the_store_and_in_the_lease() {
    let store = MemoryStore::default();
    let mut replicas = [(); 2].map(|()| service(store.clone(), Answers::All));
    let [one, other] = &mut replicas;
    let policy = Some(r#""user";q=10;w=1, "all";q=1000;w=1"#);
    let headers = call(one, 4, "one").await.unwrap();
    let limit = r#""user";r=16;t=1, "all";r=999;t=1"#;
    assert_eq!(said(&headers), [policy, Some(limit)]);
    // The other one has asked as well, and of it this one does not know.
    call(other, 10, "one").await.unwrap();
    let headers = call(one, 2, "one").await.unwrap();
    let limit = r#""user";r=4;t=1, "all";r=997;t=1"#;
    assert_eq!(said(&headers), [policy, Some(limit)]);
    let headers = call(other, 1, "another").await.unwrap();
    // Four have passed, and one is leased by the first.
    let limit = r#""user";r=19;t=1, "all";r=995;t=1"#;
    assert_eq!(said(&headers), [policy, Some(limit)]);
    let error = call(one, 5, "one").await.unwrap_err();
    let Error::SharedLimit(rejected) = error else {
        panic!("{error}");
    };
    let mut headers = HeaderMap::new();
    rejected.fields().unwrap().clone().add_to(&mut headers);
    let limit = r#""user";r=4;t=1, "all";r=997;t=1"#;
    assert_eq!(said(&headers), [policy, Some(limit)]);
    assert_eq!(headers["retry-after"], "1");
}

#[tokio::test(start_paused = true)]
async fn which_answers_say_so_is_the_layers_to_choose() {
    for (answers, allowed, rejected) in [
        (Answers::All, true, true),
        (Answers::Rejections, false, true),
        (Answers::None, false, false),
    ] {
        let mut service = service(MemoryStore::default(), answers);
        let headers = call(&mut service, 20, "one").await.unwrap();
        assert_eq!(headers.contains_key("ratelimit"), allowed, "{answers:?}");
        let error = call(&mut service, 1, "one").await.unwrap_err();
        let Error::SharedLimit(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.fields().is_some(), rejected, "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_is_not_said() {
    let store = Told::default();
    store.then([Does::Fails, Does::Fails]);
    let [user, all] = policies();
    let limiter = of([user, all], store.clone()).with_store_down(StoreDown::Allow);
    let layer = SharedLimitLayer::of(limiter.build().unwrap());
    let mut service = layer.layer(service_fn(answer));
    let headers = call(&mut service, 1, "one").await.unwrap();
    assert_eq!(said(&headers), [None, None]);
    let headers = call(&mut service, 1, "one").await.unwrap();
    assert!(headers.contains_key("ratelimit"));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_charged_what_it_costs_by_its_own_quota() {
    let mut service = service(MemoryStore::default(), Answers::All);
    for (user, burst) in [("one", 20), ("premium", 200)] {
        // One that costs nothing is not asked about.
        let headers = call(&mut service, 0, user).await.unwrap();
        assert!(!said(&headers)[1].unwrap().contains("user"));
        call(&mut service, burst, user).await.unwrap();
        let error = call(&mut service, burst + 1, user).await.unwrap_err();
        let Error::SharedLimit(rejected) = error else {
            panic!("{error}");
        };
        assert_eq!(rejected.refusal(), Refusal::CostAboveBurst);
        let error = call(&mut service, 1, user).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(SECOND / burst * 2), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_is_told_what_was_charged_and_corrects_it() {
    async fn settle(request: Request<()>) -> Result<Response<()>, std::io::Error> {
        let charged = request.extensions().get::<Charged>().unwrap();
        charged.settle("user", 2).unwrap();
        Ok(Response::new(()))
    }
    let layer = SharedLimitLayer::new(policies(), MemoryStore::default());
    let mut service = layer.unwrap().with_charges().layer(service_fn(settle));
    let mut passed = 0;
    while call(&mut service, 10, "one").await.is_ok() {
        passed += 1;
    }
    // As long as ten are left, of twenty.
    assert_eq!(passed, 6);
}

#[tokio::test(start_paused = true)]
async fn a_policy_in_shadow_says_nothing() {
    let [user, all] = policies();
    let policies = [user.with_mode(Mode::Shadow), all];
    let layer = SharedLimitLayer::new(policies, MemoryStore::default());
    let mut service = layer.unwrap().layer(service_fn(answer));
    let headers = call(&mut service, 1, "one").await.unwrap();
    assert_eq!(said(&headers)[1], Some(r#""all";r=999;t=1"#));
}
