use axum::http::header;
use orders::Status;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::gate::{How, Step};
use crate::stage::{Stage, one, serve};

#[tokio::test]
async fn it_serves_over_a_socket_under_the_stack() {
    let stage = Stage::set().await;
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let url = serve(stage.app().layer(stack.build().unwrap())).await;
    let client = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    let order = client
        .post(format!("{url}/orders"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(one().to_string());
    let answer = order.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()[header::LOCATION], "/orders/1");
    let placed: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(placed["total_cents"], 4_900);
    stage.assert_balanced(1, "over a socket");
}

#[tokio::test]
async fn a_connection_that_breaks_does_not_stop_an_order_half_way() {
    let stage = Stage::set().await;
    let url = serve(stage.app()).await;
    stage.gate.set(&[(Step::Authorise, How::Late)]);
    let mut client = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let body = one().to_string();
    let request = format!(
        "POST /orders HTTP/1.1\r\nhost: orders\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    stage.gate.reached().await;
    drop(client);
    stage.gate.let_late_through().await;
    stage.orders.idle().await;
    let order = stage.orders.order(1).await.unwrap().unwrap();
    assert_eq!(order.status, Status::Placed);
    stage.assert_balanced(1, "nobody waited for it");
}
