//! Holds an answer's text back until it is cleared.

use std::sync::{Arc, Mutex, PoisonError};

use bartizan_core::{Refusal, TextRewriter, TextRole, Trail};

use crate::own::{Own, Paragraph};
use crate::post::Post;
use crate::{Finding, Progress, Sample, Watcher, refuse};

/// The checks on one answer, and what they have found.
pub(crate) struct Output {
    pub(crate) posts: Arc<[Post]>,
    pub(crate) trail: Option<Trail>,
    own: Own,
    stopped: Mutex<Option<Refusal>>,
    noted: Mutex<Vec<(usize, String)>>,
}

impl Output {
    pub(crate) fn new(posts: Arc<[Post]>, trail: Option<Trail>) -> Self {
        Self {
            posts,
            trail,
            own: Own::default(),
            stopped: Mutex::new(None),
            noted: Mutex::new(Vec::new()),
        }
    }

    /// Lets come back what the user wrote.
    pub(crate) fn sparing(mut self, own: Own) -> Self {
        self.own = own;
        self
    }

    /// Whether `found` is no finding, for the user wrote it and is told it again. Whoever else reads calls of tools.
    fn may_come_back(&self, post: &Post, role: TextRole, found: &str, before: &Paragraph) -> bool {
        let told = matches!(
            role,
            TextRole::Assistant | TextRole::Reasoning | TextRole::Refusal
        );
        told && post.spares_own() && self.own.may_come_back(found, before)
    }

    /// The first finding in a whole text that is not the user's own.
    pub(crate) fn find(&self, post: &Post, sample: &Sample<'_>, role: TextRole) -> Option<Finding> {
        let mut finding = post.find(sample)?;
        let text = sample.text();
        let mut from = 0;
        loop {
            let span = from + finding.span().start..from + finding.span().end;
            let before = text.get(..span.start).unwrap_or_default();
            let found = text.get(span.clone()).unwrap_or_default();
            let own = !self.own.is_empty()
                && self.may_come_back(post, role, found, &Paragraph::of(before));
            if !own || span.is_empty() {
                return Some(finding.moved(span));
            }
            from = span.end;
            finding = post.find(&Sample::new(text.get(from..)?))?;
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
    watched: Vec<Watched>,
    /// What waits, and what left but may be part of a finding.
    held: String,
    /// Where that begins in the flow.
    base: usize,
    /// Bytes of the flow that have left.
    left: usize,
    /// The paragraph before `held`.
    paragraph: Paragraph,
    closed: bool,
}

/// A check at work.
struct Watched {
    post: usize,
    watcher: Box<dyn Watcher>,
    /// Where in the flow it began to watch.
    base: usize,
    /// What lies before this in the flow is no part of a finding.
    clear: usize,
}

impl Gate {
    /// `None` where no check looks at texts of this role.
    pub(crate) fn new(output: Arc<Output>, role: TextRole) -> Option<Self> {
        let posts = output
            .posts
            .iter()
            .enumerate()
            .filter(|(_, post)| post.reads(role));
        let watched: Vec<_> = posts
            .filter_map(|(index, post)| {
                Some(Watched {
                    post: index,
                    watcher: post.watch()?,
                    base: 0,
                    clear: 0,
                })
            })
            .collect();
        (!watched.is_empty()).then(|| Self {
            output,
            role,
            watched,
            held: String::new(),
            base: 0,
            left: 0,
            paragraph: Paragraph::default(),
            closed: false,
        })
    }

    /// What is held from a place of the flow on.
    fn from(&self, place: usize) -> &str {
        let at = place.saturating_sub(self.base);
        self.held.get(at..).unwrap_or_default()
    }

    /// Shows a check what it has not seen of `held`, and its end where nothing comes any more; it goes on behind what may come back. Gives
    /// where in the flow it found something.
    fn ask(&self, watched: &mut Watched, mut seen: usize, last: bool) -> Option<usize> {
        let post = self.output.posts.get(watched.post)?;
        loop {
            let finding = match watched.watcher.push(self.from(seen)) {
                Progress::Found(finding) => finding,
                Progress::Clear(upto) => {
                    watched.clear = watched.base + upto;
                    let found = if last { watched.watcher.finish() } else { None };
                    found?
                }
            };
            let span = watched.base + finding.span().start..watched.base + finding.span().end;
            let before = self.held.get(..span.start.saturating_sub(self.base));
            let found = self.from(span.start).get(..span.len());
            let own = before.zip(found).is_some_and(|(before, found)| {
                let mut paragraph = self.paragraph;
                paragraph.read(before);
                self.output
                    .may_come_back(post, self.role, found, &paragraph)
            });
            if !own || span.is_empty() {
                let stops = self.output.found(watched.post, &finding, self.role);
                return Some(if stops { span.start } else { usize::MAX });
            }
            watched.watcher = post.watch()?;
            (watched.base, watched.clear, seen) = (span.end, span.end, span.end);
        }
    }

    fn advance(&mut self, delta: &str, last: bool, out: &mut String) {
        let seen = self.base + self.held.len();
        self.held.push_str(delta);
        let mut clear = self.base + self.held.len();
        let mut watching = std::mem::take(&mut self.watched);
        watching.retain_mut(|watched| match self.ask(watched, seen, last) {
            None => {
                if self
                    .output
                    .posts
                    .get(watched.post)
                    .is_some_and(Post::blocks)
                    && !last
                {
                    clear = clear.min(watched.clear);
                }
                true
            }
            Some(begin) => {
                clear = clear.min(begin);
                self.closed |= begin != usize::MAX;
                false
            }
        });
        self.watched = watching;
        self.release(clear, out);
        if self.closed {
            self.held.clear();
        }
    }

    /// Lets leave what lies before `upto`, and forgets what is part of nothing.
    fn release(&mut self, upto: usize, out: &mut String) {
        let end = self
            .held
            .floor_char_boundary(upto.saturating_sub(self.base));
        let from = self.left - self.base;
        out.push_str(self.held.get(from..end).unwrap_or_default());
        self.left = self.left.max(self.base + end);
        let needed = self.watched.iter().map(|watched| watched.clear).min();
        let needed = needed.unwrap_or(usize::MAX).min(self.left) - self.base;
        let needed = self.held.floor_char_boundary(needed);
        self.paragraph
            .read(self.held.get(..needed).unwrap_or_default());
        self.held.drain(..needed);
        self.base += needed;
    }
}

impl TextRewriter for Gate {
    fn push(&mut self, delta: &str, out: &mut String) {
        if !self.closed {
            self.advance(delta, false, out);
        }
    }

    fn finish(&mut self, out: &mut String) {
        if !self.closed {
            self.advance("", true, out);
            self.watched.clear();
            self.held.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction, Document};
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

    const MINE: &str = concat!("gh", "p_09bD3f7A481c5526E8820c947158Be269C5d");

    /// A gate for an answer to a user who wrote [`MINE`].
    fn own(observe: bool) -> (Gate, Arc<Output>) {
        let secrets = Post::output(Secrets::new());
        let words = Post::output(DenyList::new("words", ["project falcon"]).unwrap());
        let posts = [if observe { secrets.observe() } else { secrets }, words];
        let request = format!(r#"{{"messages":[{{"role":"user","content":"{MINE}"}}]}}"#);
        let request = Document::read(request, Dialect::OpenAiChat, Direction::Request).unwrap();
        let own = Own::of(&request, &posts);
        let output = Output::new(posts.into(), Some(Trail::new())).sparing(own);
        let output = Arc::new(output);
        (
            Gate::new(Arc::clone(&output), TextRole::Assistant).unwrap(),
            output,
        )
    }

    proptest! {
        #[test]
        fn the_users_own_comes_back_however_it_is_cut_and_all_else_stops(
            parts in proptest::collection::vec(prop::sample::select(&[
                MINE, TOKEN, "gh", "p_", "your key ", "é😀 ", ", ", " ", "https://x.example/?k=", "/", "\n", "\n\n", "project fal", "project falcon",
            ][..]), 0..10),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..24),
            observe: bool,
        ) {
            let text = parts.concat();
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let (mut gate, output) = own(observe);
            let mut out = String::new();
            cuts.windows(2).for_each(|pair| gate.push(&text[pair[0]..pair[1]], &mut out));
            gate.finish(&mut out);

            // The whole text, looked at at once.
            let (_, whole) = own(observe);
            let sample = Sample::new(&text);
            let found = |post: &Post| whole.find(post, &sample, TextRole::Assistant);
            let begin = whole.posts.iter().filter(|post| post.blocks()).filter_map(found).map(|finding| finding.span().start).min();
            prop_assert_eq!(&out, &text[..begin.unwrap_or(text.len())]);
            prop_assert_eq!(output.stopped().is_some(), begin.is_some());
            let noted = output.trail.as_ref().unwrap().notes().iter().any(|note| note.action() == "observed");
            let secret = observe && found(&whole.posts[0]).is_some_and(|secret| begin.is_none_or(|begin| secret.span().end <= begin));
            // What ends before the stop was seen; what ends behind it may have been.
            prop_assert!(noted || !secret);
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
