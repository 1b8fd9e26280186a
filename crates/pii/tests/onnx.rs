//! Token classifiers in the real ONNX runtime. `cargo xtask onnx` brings both, the runtime and the models (`tests/onnx/make.py`); what needs
//! neither is tested beside the code.
#![cfg(feature = "onnx")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails panics"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan_core::Body;
use bartizan_pii::{
    Aggregation, ConfigError, Entity, Finding, Model, ModelError, Onnx, OnnxBuilder, PiiLayer,
};
use http::{Request, Response};
use tempfile::TempDir;
use tower::{Layer, ServiceExt};

/// Where `cargo xtask onnx` has put it.
fn told(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask onnx`"));
    path.into()
}

fn folder(name: &str) -> PathBuf {
    told("BARTIZAN_ONNX_MODELS").join(name)
}

fn at(folder: impl Into<PathBuf>) -> OnnxBuilder {
    Onnx::at(folder)
        .runtime(told("BARTIZAN_ONNX_RUNTIME"))
        .threads(1)
}

fn load(name: &str) -> Onnx {
    at(folder(name)).load().unwrap()
}

async fn names(model: &Onnx, text: &str) -> Vec<(Entity, String)> {
    let found = model.analyze(&[text]).await.unwrap().remove(0);
    let name = |finding: Finding| (finding.entity, text[finding.range].to_owned());
    found.into_iter().map(name).collect()
}

/// A copy of a model that a test may spoil.
fn copy(name: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["model.onnx", "tokenizer.json", "config.json"] {
        fs::copy(folder(name).join(file), copy.path().join(file)).unwrap();
    }
    copy
}

fn replace(file: &Path, what: &str, with: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(what), "{what} is not in {}", file.display());
    fs::write(file, text.replace(what, with)).unwrap();
}

#[tokio::test]
async fn onnx_finds_names_in_every_sort_of_tokens_where_they_stand_in_the_text() {
    use Entity::{Location, Organization, Person};
    for (model, text, expected) in [
        (
            "words",
            "mail Ravi Rao and Asha, of Acme Inc. in Pune",
            vec![
                (Person, "Ravi Rao"),
                (Person, "Asha"),
                (Organization, "Acme Inc"),
                (Location, "Pune"),
            ],
        ),
        // Who stands behind `Mr` is one, though nobody knows the name.
        ("words", "Mr Sreekumar said", vec![(Person, "Sreekumar")]),
        ("words", "Diwali, maybe", vec![]),
        ("words", "", vec![]),
        ("words", " \n ", vec![]),
        // Marks of the model's are text like any other.
        (
            "words",
            "[PAD] Ravi [SEP] Asha [CLS]",
            vec![(Person, "Ravi"), (Person, "Asha")],
        ),
        (
            "words",
            "नमस्ते \u{1f600} Ravi 🙏 Pune",
            vec![(Person, "Ravi"), (Location, "Pune")],
        ),
        (
            "pieces",
            "RAVI and Ra\u{301}vi\u{302} in PUNE",
            vec![
                (Person, "RAVI"),
                (Person, "Ra\u{301}vi\u{302}"),
                (Location, "PUNE"),
            ],
        ),
        (
            "pieces",
            "Asha Patil, Rao; O'Brien - राव",
            vec![
                (Person, "Asha Patil"),
                (Person, "Rao"),
                (Person, "O'Brien"),
                (Person, "राव"),
            ],
        ),
        // Letters of one and a half bytes in width.
        ("pieces", "Ｒａｖｉ", vec![]),
        (
            "bytes",
            "Ravi and José, राव Юля in\tPune. José",
            vec![
                (Person, "José"),
                // Its pattern ends a word at a vowel sign.
                (Person, "राव Юля"),
                (Person, "José"),
            ],
        ),
        ("bytes", "\u{1f600} Ravi", vec![(Person, "Ravi")]),
        (
            "unigram",
            "a Ravi Rao, a (Pune) a Ravi.",
            vec![(Person, "Ravi Rao"), (Person, "Ravi.")],
        ),
    ] {
        let found = names(&load(model), text).await;
        let found: Vec<(Entity, &str)> = found
            .iter()
            .map(|(entity, name)| (*entity, name.as_str()))
            .collect();
        assert_eq!(found, expected, "{model}: {text}");
    }
}

#[tokio::test]
async fn onnx_scores_are_the_mean_of_probabilities_and_the_threshold_holds() {
    let text = ["Ravi maybe"];
    let all = at(folder("words")).score_threshold(0.0).load().unwrap();
    let found = all.analyze(&text).await.unwrap().remove(0);
    let sure = 1.0 / (1.0 + (4.0_f32 - 9.0).exp() + 7.0 * (-9.0_f32).exp());
    let unsure = 1.0 / (1.0 + (4.0_f32 - 4.1).exp() + 7.0 * (-4.1_f32).exp());
    assert_eq!(found.len(), 2);
    for (finding, score) in found.iter().zip([sure, unsure]) {
        assert!((finding.score - score).abs() < 1e-4, "{finding:?}, {score}");
    }
    let strict = at(folder("words")).score_threshold(0.6).load().unwrap();
    assert_eq!(strict.analyze(&text).await.unwrap()[0], found[..1]);
}

#[tokio::test]
async fn onnx_finds_each_name_of_a_long_text_once_wherever_windows_end() {
    // Every name stands behind `Mr`, which says that it is one, and at each place of a window in turn.
    let mut text = String::new();
    let mut expected = Vec::new();
    for at in 0..600 {
        text.push_str(&"so ".repeat(at % 7));
        let start = text.len() + 3;
        text.push_str("Mr Sreekumar\u{200b}ன் ");
        expected.push(start..text.len() - 1);
    }
    // The tokenizer parts the last word at its invisible blank.
    let expected: Vec<_> = expected
        .into_iter()
        .map(|range| range.start..range.start + "Sreekumar".len())
        .collect();
    for (window, overlap, batch) in [(8, 2, 1), (9, 3, 5), (32, 4, 8), (32, 15, 300)] {
        let model = at(folder("words"))
            .window(window)
            .overlap(overlap)
            .batch(batch)
            .load()
            .unwrap();
        let found = model.analyze(&[&text]).await.unwrap().remove(0);
        let found: Vec<_> = found.into_iter().map(|finding| finding.range).collect();
        assert_eq!(found, expected, "{window}, {overlap}, {batch}");
    }
}

#[tokio::test]
async fn onnx_finds_the_same_in_texts_alone_and_together() {
    let long = "Ravi Rao of Pune, ".repeat(40);
    let texts = [
        "Asha",
        "",
        "a",
        &long,
        "Mr Nobody",
        "maybe Acme Inc",
        "in Pune",
    ];
    for name in ["words", "pieces", "bytes", "unigram"] {
        let model = at(folder(name)).batch(3).load().unwrap();
        let together = model.analyze(&texts).await.unwrap();
        assert_eq!(together.len(), texts.len());
        for (text, found) in texts.iter().zip(&together) {
            assert_eq!(
                model.analyze(&[text]).await.unwrap()[0],
                *found,
                "{name}: {text}"
            );
        }
        assert!(together.iter().any(|found| !found.is_empty()), "{name}");
    }
}

#[tokio::test]
async fn onnx_takes_the_meaning_of_labels_from_the_user_first() {
    let model = load("words");
    assert_eq!(model.name(), "onnx");
    assert_eq!(
        model.entities(),
        [Entity::Person, Entity::Location, Entity::Organization]
    );
    assert_eq!(model.unmapped_labels(), ["MISC"]);
    let model = at(folder("words"))
        .label("misc", Entity::Nrp)
        .ignore_label("LOC")
        .aggregation(Aggregation::Simple)
        .name("names")
        .load()
        .unwrap();
    assert_eq!(model.name(), "names");
    assert_eq!(
        names(&model, "Diwali in Pune").await,
        [(Entity::Nrp, "Diwali".to_owned())]
    );
}

#[tokio::test]
async fn onnx_work_that_nobody_waits_for_stops_and_nothing_else_waits_for_it() {
    let model = load("slow");
    let clock = tokio::time::Instant::now();
    // Minutes of work. That the time is noticed, on the only thread, shows that the thread is free.
    let given_up = tokio::time::timeout(
        Duration::from_millis(300),
        model.analyze(&["wait wait wait wait"]),
    )
    .await;
    assert!(given_up.is_err());
    assert_eq!(
        names(&model, "Ravi").await,
        [(Entity::Person, "Ravi".to_owned())]
    );
    assert!(
        clock.elapsed() < Duration::from_secs(10),
        "{:?}",
        clock.elapsed()
    );
}

#[tokio::test]
async fn onnx_sessions_work_side_by_side_and_more_wait() {
    let model = at(folder("slow")).sessions(2).load().unwrap();
    let busy = model.analyze(&["wait wait wait"]);
    let deadline = tokio::time::timeout(Duration::from_millis(500), busy);
    let other = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let clock = tokio::time::Instant::now();
        let found = names(&model, "Ravi").await;
        (found, clock.elapsed())
    };
    let (given_up, (found, took)) = tokio::join!(deadline, other);
    assert!(given_up.is_err());
    assert_eq!(found.len(), 1);
    assert!(took < Duration::from_millis(300), "{took:?}");
    let one = load("slow");
    let busy = one.analyze(&["wait wait wait"]);
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        tokio::time::timeout(Duration::from_millis(200), one.analyze(&["Ravi"])).await
    };
    let (_, waited) = tokio::join!(
        tokio::time::timeout(Duration::from_millis(500), busy),
        waiting
    );
    assert!(waited.is_err());
    assert_eq!(names(&one, "Ravi").await.len(), 1);
}

#[tokio::test]
async fn onnx_masks_in_a_layer_and_a_deadline_refuses() {
    let layer = |model: Onnx, deadline| {
        PiiLayer::builder()
            .mask([Entity::Person, Entity::Email])
            .model(model)
            .model_deadline(deadline)
            .restore(false)
            .build()
            .unwrap()
    };
    let echo = tower::service_fn(|request: Request<Body>| async {
        let body = request.into_body().into_bytes(1 << 16).await.unwrap();
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(body)))
    });
    let ask = |text: &str| {
        let body = format!(
            r#"{{"model": "demo", "messages": [{{"role": "user", "content": "{text}"}}]}}"#
        );
        Request::post("/v1/chat/completions")
            .body(Body::from(body))
            .unwrap()
    };
    let answer = layer(load("words"), Duration::from_secs(5))
        .layer(echo)
        .oneshot(ask("mail Ravi Rao at ravi@example.in in Pune"))
        .await
        .unwrap();
    let seen = answer.into_body().into_bytes(1 << 16).await.unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert!(
        seen.contains("mail <PERSON_1> at <EMAIL_ADDRESS_1> in Pune"),
        "{seen}"
    );
    let refused = layer(load("slow"), Duration::from_millis(200))
        .layer(echo)
        .oneshot(ask("wait wait"))
        .await
        .unwrap();
    assert_eq!(refused.status(), 503);
}

#[test]
fn onnx_outside_of_a_runtime_of_tokio_fails_and_does_not_panic() {
    let model = load("words");
    let text = ["Ravi"];
    let mut work = std::pin::pin!(model.analyze(&text));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let done = work.as_mut().poll(&mut context);
    assert_eq!(done, std::task::Poll::Ready(Err(ModelError::Failed)));
}

/// What a model must say that can't be loaded: which file, what is wrong, and how to mend it.
#[test]
fn onnx_faults_are_told_when_the_model_is_loaded() {
    let spoiled = |file: &str, what: &str, with: &str| {
        let copy = copy("words");
        replace(&copy.path().join(file), what, with);
        copy
    };
    let without = |file: &str| {
        let copy = copy("words");
        fs::remove_file(copy.path().join(file)).unwrap();
        copy
    };
    let with = |file: &str, text: &str| {
        let copy = copy("words");
        fs::write(copy.path().join(file), text).unwrap();
        copy
    };
    let renamed = copy("words");
    fs::rename(
        renamed.path().join("model.onnx"),
        renamed.path().join("model_int8.onnx"),
    )
    .unwrap();
    for (place, says, mend, folder) in [
        (
            "model.onnx",
            "there is no such file",
            "optimum-cli",
            without("model.onnx"),
        ),
        ("model.onnx", "model_int8.onnx", "`file`", renamed),
        (
            "tokenizer.json",
            "there is no such file",
            "optimum-cli",
            without("tokenizer.json"),
        ),
        (
            "config.json",
            "there is no such file",
            "optimum-cli",
            without("config.json"),
        ),
        (
            "config.json",
            "expected value",
            "line 1",
            with("config.json", "yes"),
        ),
        (
            "config.json",
            "`id2label`",
            "optimum-cli",
            with("config.json", "{}"),
        ),
        (
            "config.json",
            "each number from 0 to 8",
            "`id2label`",
            spoiled("config.json", "\"8\"", "\"9\""),
        ),
        (
            "config.json",
            "B-X, I-X",
            "`label`",
            with("config.json", r#"{"id2label": {"0": "B-X", "1": "I-X"}}"#),
        ),
        (
            "tokenizer.json",
            "expected",
            "line 1",
            with("tokenizer.json", "{\"version\": 1}"),
        ),
        ("model.onnx", "Protobuf", "", with("model.onnx", "no graph")),
        (
            "model.onnx",
            "Git LFS",
            "git lfs pull",
            with("model.onnx", "version https://git-lfs.github.com/spec/v1\n"),
        ),
        (
            "model.onnx",
            "`id2label` has 2 labels",
            "",
            with("config.json", r#"{"id2label": {"0": "O", "1": "B-PER"}}"#),
        ),
        // The tokens of one model and the graph of another.
        (
            "model.onnx",
            "can't look at",
            "",
            spoiled("tokenizer.json", "\"a\": 4", "\"a\": 400"),
        ),
        // The graph has 34 places.
        (
            "model.onnx",
            "can't look at 60 tokens",
            "",
            spoiled(
                "config.json",
                "\"max_position_embeddings\": 34",
                "\"max_position_embeddings\": 62",
            ),
        ),
        ("model.onnx", "32-bit numbers", "convert", copy("half")),
        ("model.onnx", "`position_ids`", "export", copy("extra")),
    ] {
        let error = at(folder.path()).load().unwrap_err();
        let ConfigError::Model {
            place: named,
            says: said,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert!(Path::new(named).ends_with(place), "{error}");
        assert!(
            said.contains(says) && said.contains(mend),
            "{says}: {error}"
        );
    }
}

#[test]
fn onnx_settings_that_can_not_be_are_told() {
    let words = || at(folder("words"));
    for (says, builder) in [
        ("there is no such folder", at("/nowhere/at/all")),
        ("holds no text", words().window(3)),
        ("more than half", words().window(20).overlap(10)),
        ("can't look at 40 tokens", words().window(40)),
        ("no label `PERS`", words().label("PERS", Entity::Person)),
        ("threshold", words().score_threshold(1.5)),
        ("no such file", words().file("other.onnx")),
        (
            "name the file of the ONNX runtime",
            words().runtime("/nowhere/libonnxruntime.so"),
        ),
    ] {
        let error = builder.load().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    // One is loaded, and a process has one.
    words().load().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let other = copy.path().join("libonnxruntime.so");
    fs::copy(told("BARTIZAN_ONNX_RUNTIME"), &other).unwrap();
    let error = words().runtime(&other).load().unwrap_err().to_string();
    assert!(error.contains("another ONNX runtime is loaded"), "{error}");
    assert!(words().file("model.onnx").load().is_ok());
}

#[test]
fn onnx_tells_nothing_of_a_text_by_its_debug_form() {
    let debug = format!("{:?}", load("words"));
    assert!(
        debug.contains("MISC") && debug.contains("Person"),
        "{debug}"
    );
    assert!(!debug.contains("Ravi"), "{debug}");
}
