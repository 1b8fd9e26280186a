//! The desk files placeholders, the customer reads their own words, and a card is refused.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use http::{Request, StatusCode};
use one_layer::{Filed, desk};
use tower::ServiceExt;

#[tokio::test]
async fn what_is_filed_is_masked_and_what_is_read_is_not() {
    let ticket = r#"{"text":"Write to meera@example.in, PAN ABCPK1234L.","n":1.50}"#;
    let response = desk()
        .unwrap()
        .oneshot(Request::post("/tickets").body(ticket.into()).unwrap())
        .await
        .unwrap();
    let filed = response.extensions().get::<Filed>().unwrap().0.clone();
    assert_eq!(
        filed,
        r#"{"text":"Write to <EMAIL_ADDRESS_1>, PAN <IN_PAN_1>.","n":1.50}"#
    );
    let read = response.into_body().into_bytes(4096).await.unwrap();
    assert_eq!(read, ticket);
}

#[tokio::test]
async fn a_card_is_refused() {
    let ticket = r#"{"text":"my card 4111 1111 1111 1111"}"#;
    let response = desk()
        .unwrap()
        .oneshot(Request::post("/tickets").body(ticket.into()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}
