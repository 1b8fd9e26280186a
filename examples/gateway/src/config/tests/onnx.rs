//! A model in this process, as the configuration names it.

use super::presidio::guarded;

#[test]
fn a_model_that_can_not_be_is_told_with_its_place() {
    let mut wrong = vec![
        (
            "mode: pre_call, onnx: {path: /nowhere}, presidio_analyzer_api_base: 'http://localhost:1'",
            "don't go together",
        ),
        (
            "mode: pre_call, pii_entities_config: {PERSON: MASK}",
            "or `onnx` to a model",
        ),
    ];
    if cfg!(feature = "onnx") {
        wrong.extend([
            ("mode: pre_call, onnx: /nowhere", "a mapping belongs here"),
            ("mode: pre_call, onnx: {}", "`path` is missing"),
            (
                "mode: pre_call, onnx: {path: /nowhere}",
                "line 2: guardrails[0].litellm_params.onnx: <path>: there is no such folder: export the model",
            ),
            (
                "mode: pre_call, onnx: {path: /nowhere, thread: 3}",
                "did you mean `threads`",
            ),
            (
                "mode: pre_call, onnx: {path: /nowhere, threads: 0}",
                "a whole number from 1 to",
            ),
            (
                "mode: pre_call, onnx: {path: /nowhere, aggregation: last}",
                "none of first, simple",
            ),
            (
                "mode: pre_call, onnx: {path: /nowhere, labels: {MISC: PERSN}}",
                "did you mean `PERSON`",
            ),
            (
                "mode: pre_call, onnx: {path: /nowhere, score_threshold: 2}",
                "from 0 to 1",
            ),
        ]);
    } else {
        wrong.push((
            "mode: pre_call, onnx: {path: /nowhere}",
            "build it with `--features onnx`",
        ));
    }
    for (bad, says) in wrong {
        let found = guarded(bad, "{}").unwrap_err();
        assert!(
            found.iter().any(|line| line.contains(says)),
            "{bad}: {found:?}"
        );
        assert!(
            !found.iter().any(|line| line.contains("nowhere")),
            "{found:?}"
        );
    }
}
