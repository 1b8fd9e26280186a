//! What a provider is told depends on where it is: of two that serve one name, both are told what the stricter place may know.

use bartizan_testkit::{MockProvider, Script};

use crate::http::Answer;
use crate::process::{Gateway, MASTER, PROVIDER_KEY, Start, chat};

const AADHAAR: &str = "2341 2341 2346";
const PAN: &str = "ABCPE1234F";
const CARD: &str = "4111 1111 1111 1111";
const MAIL: &str = "asha.rao@example.org";

fn text() -> String {
    format!("Aadhaar {AADHAAR}, PAN {PAN}, card {CARD}, mail {MAIL}.")
}

/// Two providers: one in India, one that is not.
struct Places {
    inside: MockProvider,
    outside: MockProvider,
}

impl Places {
    async fn start() -> (Self, Gateway) {
        let places = Self {
            inside: MockProvider::start(Script::echo().piece(3)).await.unwrap(),
            outside: MockProvider::start(Script::echo().piece(3)).await.unwrap(),
        };
        let (inside, outside) = (places.inside.url(), places.outside.url());
        let at = |name: &str, base: &str, region: &str| {
            format!(
                "- {{model_name: {name}, litellm_params: {{model: openai/m, api_base: '{base}/v1', api_key: {PROVIDER_KEY}{region}}}}}\n"
            )
        };
        let (mumbai, paris) = (", region_name: ap-south-1", ", region_name: eu-west-3");
        let models = [
            at("inside", &inside, mumbai),
            at("outside", &outside, paris),
            at("unknown", &outside, ""),
            at("both", &inside, mumbai),
            at("both", &outside, paris),
            at("kyc", &inside, mumbai),
            at("kyc", &outside, paris),
            at("kyc-inside", &inside, mumbai),
        ];
        let gateway = Start::with(format!(
            "model_list:\n{}general_settings: {{master_key: {MASTER}}}\n\
             bartizan:\n  pii:\n    policies:\n\
             \x20     - name: kyc-abroad\n        when: {{models: ['kyc*'], outside: [india]}}\n        entities: {{IN_AADHAAR: BLOCK}}\n\
             \x20     - name: at-home\n        when: {{inside: [india]}}\n        entities: {{IN_AADHAAR: KEEP, IN_PAN: KEEP, EMAIL_ADDRESS: MASK, CREDIT_CARD: {{operator: PARTIAL, keep_last: 4}}}}\n\
             \x20     - name: abroad\n        when: {{outside: [india]}}\n        entities: {{IN_AADHAAR: REDACT, IN_PAN: MASK, EMAIL_ADDRESS: MASK, CREDIT_CARD: MASK}}\n",
            models.concat()
        ))
        .run();
        (places, gateway)
    }

    /// What each was told since this was asked last, the one in India first.
    fn told(&self) -> [Vec<String>; 2] {
        [&self.inside, &self.outside].map(|mock| {
            let told = mock
                .requests()
                .iter()
                .map(|received| received.text())
                .collect();
            mock.forget();
            told
        })
    }
}

/// Which of the four values a provider was told: as they are.
fn values(told: &str) -> Vec<&'static str> {
    let all = [AADHAAR, PAN, CARD, MAIL].into_iter();
    all.filter(|value| told.contains(value)).collect()
}

fn said(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let chunks = || {
        let events = answer.events();
        let parsed = events
            .iter()
            .filter_map(|event| serde_json::from_str(event).ok());
        let texts = parsed.filter_map(|event: serde_json::Value| {
            Some(
                event
                    .pointer("/choices/0/delta/content")?
                    .as_str()?
                    .to_owned(),
            )
        });
        texts.collect::<String>()
    };
    match answer.header("content-type") {
        Some(kind) if kind.starts_with("text/event-stream") => chunks(),
        _ => answer.json()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}

#[tokio::test]
async fn a_provider_outside_india_is_told_less_than_one_inside() {
    let (places, gateway) = Places::start().await;
    for stream in ["", r#","stream":true"#] {
        // In India: both numbers as they are, the card's last digits, no address. What was masked for good doesn't come back.
        let answer = gateway
            .ask(
                "POST",
                "/v1/chat/completions",
                &chat("inside", &text(), stream),
            )
            .await;
        let [inside, outside] = places.told();
        assert_eq!((inside.len(), outside.len()), (1, 0));
        assert_eq!(values(&inside[0]), [AADHAAR, PAN]);
        assert!(
            inside[0].contains("1111, mail <EMAIL_ADDRESS_1>"),
            "{}",
            inside[0]
        );
        let back = said(&answer);
        assert_eq!(values(&back), [AADHAAR, PAN, MAIL], "{back}");

        // Elsewhere, and where nobody said where it is: nothing.
        for model in ["outside", "unknown"] {
            let answer = gateway
                .ask(
                    "POST",
                    "/v1/chat/completions",
                    &chat(model, &text(), stream),
                )
                .await;
            let [inside, outside] = places.told();
            assert_eq!((inside.len(), outside.len()), (0, 1), "{model}");
            assert_eq!(values(&outside[0]), [""; 0], "{model}");
            assert!(
                outside[0].contains("Aadhaar , PAN <IN_PAN_1>, card <CREDIT_CARD_1>"),
                "{}",
                outside[0]
            );
            let back = said(&answer);
            assert_eq!(back, text().replace(AADHAAR, ""), "{model}");
        }
    }
}

#[tokio::test]
async fn of_two_regions_the_stricter_counts_whoever_answers_and_whoever_fails() {
    let (places, gateway) = Places::start().await;
    let strict = |told: &[String]| {
        for told in told {
            assert_eq!(values(told), [""; 0], "{told}");
            assert!(
                told.contains("card <CREDIT_CARD_1>, mail <EMAIL_ADDRESS_1>"),
                "{told}"
            );
        }
    };
    // In turn.
    for _ in 0..2 {
        for _ in 0..2 {
            let answer = gateway.chat("both", &text()).await;
            assert_eq!(said(&answer), text().replace(AADHAAR, ""));
        }
        let [inside, outside] = places.told();
        assert_eq!((inside.len(), outside.len()), (1, 1));
        strict(&inside);
        strict(&outside);
        assert_eq!(inside, outside, "the two are told the same");
    }

    // One of them is down. A caller that asks again reaches the other, with the same text.
    for (down, up) in [
        (&places.inside, &places.outside),
        (&places.outside, &places.inside),
    ] {
        down.play(Script::error(::http::StatusCode::SERVICE_UNAVAILABLE));
        up.play(Script::echo());
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(gateway.chat("both", &text()).await);
        }
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(said(&answers[0]), text().replace(AADHAAR, ""));
        assert!(answers[1].status >= 500, "{:?}", answers[1]);
        let [inside, outside] = places.told();
        assert_eq!((inside.len(), outside.len()), (1, 1));
        strict(&[inside, outside].concat());
    }
}

#[tokio::test]
async fn what_is_blocked_abroad_reaches_nobody_while_the_call_may_go_abroad() {
    let (places, gateway) = Places::start().await;
    for _ in 0..2 {
        let answer = gateway.chat("kyc", &text()).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.json()["error"]["code"], "pii_blocked");
        assert!(values(&answer.body).is_empty(), "{answer:?}");
    }
    assert!(places.told().concat().is_empty());

    // Without that number, or where all who serve the name are in India, it goes.
    let answer = gateway.chat("kyc-inside", &text()).await;
    assert_eq!(values(&said(&answer)), [AADHAAR, PAN, MAIL]);
    let [inside, outside] = places.told();
    assert_eq!((values(&inside[0]), outside.len()), (vec![AADHAAR, PAN], 0));
    let without = format!("card {CARD}");
    let answer = gateway.chat("kyc", &without).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = places.told().concat();
    assert_eq!((told.len(), values(&told[0]).len()), (1, 0), "{told:?}");
}
