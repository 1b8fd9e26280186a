//! Keys that get another text by themselves, and where it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use bartizan_testkit::{MockProvider, Script};
use tokio::time::Instant;

use crate::process::{Gateway, MASTER, Start, chat, config};

async fn status(gateway: &Gateway, key: &str) -> u16 {
    let body = chat("gpt", "x", "");
    gateway
        .ask_as(key, "POST", "/v1/chat/completions", &body)
        .await
        .status
}

async fn mint(gateway: &Gateway, fields: &str) -> (String, String) {
    let made = gateway
        .ask_as(MASTER, "POST", "/key/generate", fields)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("key"), text("key_id"))
}

const ROTATES: &str = r#"{"key_alias":"../robin","auto_rotate":true,"rotation_interval":"8s"}"#;

#[tokio::test]
async fn a_key_is_rotated_by_its_schedule_and_both_texts_work_until_the_grace_is_over() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("keys");
    let own = format!(
        "bartizan: {{key_rotation: {{deliver: {{directory: '{}'}}, grace: 4s}}}}",
        at.display()
    );
    let gateway = Start::with(config(&mock, &own)).run();
    let (first, key_id) = mint(&gateway, ROTATES).await;
    let (steady, _) = mint(&gateway, "{}").await;
    assert_eq!(status(&gateway, &first).await, 200);
    let file = at.join(&key_id);
    let began = Instant::now();
    let second = loop {
        if let Ok(text) = fs::read_to_string(&file) {
            break text;
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{}",
            gateway.stderr()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(began.elapsed() >= Duration::from_secs(7), "before its time");
    assert!(second.starts_with("sk-bz-") && second != first);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // It works a moment after it was written.
    let began = Instant::now();
    while status(&gateway, &second).await != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "the new text does not work"
        );
    }
    assert_eq!(status(&gateway, &first).await, 200);
    tokio::time::sleep(Duration::from_millis(4_200)).await;
    assert_eq!(status(&gateway, &first).await, 401);
    assert_eq!(status(&gateway, &second).await, 200);
    assert_eq!(status(&gateway, &steady).await, 200);
    // One file a key, by its public name, and nothing beside.
    let names: Vec<_> = fs::read_dir(&at)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, [key_id.as_str()]);
    // The text is nowhere else.
    assert!(!gateway.stderr().contains(&second));
    let shown = gateway
        .ask_as(MASTER, "GET", &format!("/key/info?key_id={key_id}"), "")
        .await;
    assert!(
        shown.status == 200 && !shown.body.contains(&second),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_key_whose_next_text_cant_be_delivered_stays_as_it_is() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("keys");
    let own = format!(
        "bartizan: {{key_rotation: {{deliver: {{directory: '{}'}}, grace: 1s}}}}",
        at.display()
    );
    let gateway = Start::with(config(&mock, &own)).run();
    let (key, _) = mint(&gateway, r#"{"auto_rotate":true,"rotation_interval":"1s"}"#).await;
    fs::remove_dir_all(&at).unwrap();
    let began = Instant::now();
    while !gateway.stderr().contains("could not be delivered") {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{}",
            gateway.stderr()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(status(&gateway, &key).await, 200);
}

#[tokio::test]
async fn without_a_delivery_a_schedule_is_refused_and_never_kept_in_silence() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let keys = tempfile::tempdir().unwrap();
    let own = format!(
        "bartizan: {{key_rotation: {{deliver: {{directory: '{}/keys'}}}}}}",
        keys.path().display()
    );
    let with = Start::with(config(&mock, &own)).run();
    mint(&with, r#"{"auto_rotate":true,"rotation_interval":"30d"}"#).await;
    assert!(!with.stderr().contains("stay as they are"));
    let gateway = Start::with(config(&mock, "")).run_in(with.stop().await);
    assert!(
        gateway
            .stderr()
            .contains("some keys are to rotate by themselves"),
        "{}",
        gateway.stderr()
    );
    let (_, key_id) = mint(&gateway, r#"{"auto_rotate":false}"#).await;
    let update = format!(r#"{{"key_id":"{key_id}","rotation_interval":"30d"}}"#);
    for (path, body) in [
        (
            "/key/generate",
            r#"{"auto_rotate":true,"rotation_interval":"30d"}"#,
        ),
        ("/key/generate", r#"{"rotation_interval":"30d"}"#),
        ("/key/update", update.as_str()),
    ] {
        let refused = gateway.ask_as(MASTER, "POST", path, body).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let error = &refused.json()["error"];
        assert_eq!(error["param"], "rotation_interval");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("bartizan.key_rotation.deliver"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_others_can_look_into_takes_no_keys() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let own = format!(
        "bartizan: {{key_rotation: {{deliver: {{directory: '{}'}}}}}}",
        folder.path().display()
    );
    let (code, said) = Start::with(config(&mock, &own)).fails();
    assert!(
        code == 1 && said.contains("can be read by others"),
        "{said}"
    );
}
