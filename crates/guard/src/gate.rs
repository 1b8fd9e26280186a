//! Holds an answer's text back until it is cleared.

use std::sync::{Arc, Mutex, PoisonError};

use bartizan_core::{Refusal, TextRewriter, TextRole, Trail};

use crate::post::Post;
use crate::{Finding, Progress, Watcher, refuse};

/// The checks on one answer, and what they have found.
pub(crate) struct Output {
    pub(crate) posts: Arc<[Post]>,
    pub(crate) trail: Option<Trail>,
    stopped: Mutex<Option<Refusal>>,
    noted: Mutex<Vec<(usize, String)>>,
}

impl Output {
    pub(crate) fn new(posts: Arc<[Post]>, trail: Option<Trail>) -> Self {
        Self {
            posts,
            trail,
            stopped: Mutex::new(None),
            noted: Mutex::new(Vec::new()),
        }
    }

    /// The refusal, once a blocking check has found something.
    pub(crate) fn stopped(&self) -> Option<Refusal> {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reports what the post at `index` found; each rule once an answer. Whether the answer must stop.
    pub(crate) fn found(&self, index: usize, finding: &Finding, role: TextRole) -> bool {
        let Some(post) = self.posts.get(index) else {
            return false;
        };
        if post.blocks() {
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            if stopped.is_none() {
                post.report(finding, role, self.trail.as_ref());
                *stopped = Some(refuse::for_finding(post, finding, role));
            }
            return true;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted
            .iter()
            .any(|(post, rule)| *post == index && rule == finding.rule())
        {
            noted.push((index, finding.rule().to_owned()));
            post.report(finding, role, self.trail.as_ref());
        }
        false
    }
}

/// Watches one text flow. What a blocking check has not cleared waits here.
pub(crate) struct Gate {
    output: Arc<Output>,
    role: TextRole,
    watchers: Vec<(usize, Box<dyn Watcher>)>,
    held: String,
    /// Bytes of the flow that have left.
    left: usize,
    closed: bool,
}

impl Gate {
    /// `None` where no check looks at texts of this role.
    pub(crate) fn new(output: Arc<Output>, role: TextRole) -> Option<Self> {
        let posts = output
            .posts
            .iter()
            .enumerate()
            .filter(|(_, post)| post.reads(role));
        let watchers: Vec<_> = posts
            .filter_map(|(index, post)| Some((index, post.watch()?)))
            .collect();
        (!watchers.is_empty()).then(|| Self {
            output,
            role,
            watchers,
            held: String::new(),
            left: 0,
            closed: false,
        })
    }

    /// Lets leave what lies before `upto`.
    fn release(&mut self, upto: usize, out: &mut String) {
        let end = self
            .held
            .floor_char_boundary(upto.saturating_sub(self.left));
        out.push_str(self.held.get(..end).unwrap_or_default());
        self.held.drain(..end);
        self.left += end;
    }
}

impl TextRewriter for Gate {
    fn push(&mut self, delta: &str, out: &mut String) {
        if self.closed {
            return;
        }
        self.held.push_str(delta);
        let mut clear = self.left + self.held.len();
        let (output, role, closed) = (&self.output, self.role, &mut self.closed);
        self.watchers
            .retain_mut(|(index, watcher)| match watcher.push(delta) {
                Progress::Clear(upto) => {
                    if output.posts.get(*index).is_some_and(Post::blocks) {
                        clear = clear.min(upto);
                    }
                    true
                }
                Progress::Found(finding) => {
                    if output.found(*index, &finding, role) {
                        clear = clear.min(finding.span().start);
                        *closed = true;
                    }
                    false
                }
            });
        self.release(clear, out);
        if self.closed {
            self.held.clear();
        }
    }

    fn finish(&mut self, out: &mut String) {
        if self.closed {
            return;
        }
        let mut clear = usize::MAX;
        for (index, watcher) in &mut self.watchers {
            if let Some(finding) = watcher.finish()
                && self.output.found(*index, &finding, self.role)
            {
                clear = clear.min(finding.span().start);
                self.closed = true;
            }
        }
        self.watchers.clear();
        self.release(clear, out);
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DenyList, Secrets};

    fn gate(observe: bool) -> (Gate, Arc<Output>) {
        let secrets = Post::output(Secrets::new());
        let words = Post::output(DenyList::new("words", ["project falcon"]).unwrap());
        let posts = if observe {
            vec![secrets.observe(), words.observe()]
        } else {
            vec![secrets, words]
        };
        let output = Arc::new(Output::new(posts.into(), Some(Trail::new())));
        (
            Gate::new(Arc::clone(&output), TextRole::Assistant).unwrap(),
            output,
        )
    }

    fn run(pieces: &[&str], observe: bool) -> (String, bool, usize) {
        let (mut gate, output) = gate(observe);
        let mut out = String::new();
        pieces.iter().for_each(|piece| gate.push(piece, &mut out));
        gate.finish(&mut out);
        (
            out,
            output.stopped().is_some(),
            output.trail.as_ref().unwrap().notes().len(),
        )
    }

    const TOKEN: &str = concat!("gh", "p_16C7e42F292c6912E7710c838347Ae178B4a");

    proptest! {
        #[test]
        fn nothing_of_a_secret_leaves_however_it_is_cut(
            before in "[ a-zé:s]{0,20}",
            after in "[ a-z.]{0,20}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text = format!("{before} {TOKEN} {after}");
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let (out, stopped, notes) = run(&pieces, false);
            prop_assert!(stopped && notes == 1);
            prop_assert_eq!(&out, &format!("{before} "));
            let (out, stopped, notes) = run(&pieces, true);
            prop_assert!(!stopped && notes == 1);
            prop_assert_eq!(out, text);
        }

        #[test]
        fn clean_text_leaves_as_it_came(pieces in proptest::collection::vec("[a-zA-Z :/sk.é-]{0,8}", 0..12)) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let (out, stopped, notes) = run(&pieces, false);
            prop_assert!(!stopped && notes == 0);
            prop_assert_eq!(out, pieces.concat());
        }
    }

    #[test]
    fn an_observing_check_holds_nothing_back() {
        let (mut gate, _) = gate(true);
        let mut out = String::new();
        gate.push("gh", &mut out);
        assert_eq!(out, "gh");
    }
}
