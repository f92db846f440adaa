//! Messages cut into entries: Azure puts 32 KB into each and numbers them.
//!
//! Every entry is a JSON array of its own. A text that does not fit goes on in the next entry, in
//! an item that says so (`"continued": true`), and is cut between characters.

use super::items::Item;

/// Most bytes of the messages of one entry, as JSON.
pub(super) const MAX_CHUNK_BYTES: usize = 32 << 10;
/// Least room for the text of an item that is cut.
const MIN_TEXT_BYTES: usize = 16;

/// Messages in entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) chunks: Vec<Vec<Item>>,
    /// Bytes of text that were left out.
    pub(super) n_left_out: u64,
}

/// Cuts items into entries that have `max_bytes` together at most.
pub(super) fn cut(items: Vec<Item>, max_bytes: usize) -> Cut {
    let mut cutter = Cutter { left: max_bytes, ..Cutter::default() };
    for item in items {
        cutter.add(item);
    }
    cutter.close();
    cutter.cut
}

#[derive(Default)]
struct Cutter {
    cut: Cut,
    /// The entry that is being filled, and its length as JSON without the closing bracket.
    open: Vec<Item>,
    n_open_bytes: usize,
    /// What all entries from the open one on may have.
    left: usize,
}

impl Cutter {
    fn add(&mut self, mut item: Item) {
        let content = std::mem::take(&mut item.content);
        let frame = frame_len(&item);
        let mut from = 0;
        loop {
            let rest = content.get(from..).unwrap_or_default();
            let room = self.room();
            let text = room.saturating_sub(frame);
            let end = fitting(rest, text);
            if end == rest.len() && room >= frame {
                rest.clone_into(&mut item.content);
                return self.push(item, frame);
            }
            if !self.open.is_empty() && text < MIN_TEXT_BYTES {
                self.close();
                continue;
            }
            if end == 0 {
                self.cut.n_left_out += rest.len() as u64;
                return;
            }
            let content = rest.get(..end).unwrap_or_default().to_owned();
            // Why a completion ended stands behind its last word.
            let piece = Item { content, finish_reason: None, ..item.clone() };
            self.push(piece, frame);
            self.close();
            from += end;
            item.continued = true;
        }
    }

    /// Bytes that the next item may have in the open entry.
    fn room(&self) -> usize {
        // `[` and `]`, or `,` and `]`.
        let used = if self.open.is_empty() { 2 } else { self.n_open_bytes + 2 };
        MAX_CHUNK_BYTES.min(self.left).saturating_sub(used)
    }

    fn push(&mut self, item: Item, frame: usize) {
        self.n_open_bytes += 1 + frame + escaped_len(&item.content);
        self.open.push(item);
    }

    fn close(&mut self) {
        if self.open.is_empty() {
            return;
        }
        self.left = self.left.saturating_sub(self.n_open_bytes + 1);
        self.n_open_bytes = 0;
        self.cut.chunks.push(std::mem::take(&mut self.open));
    }
}

/// The length of an item as JSON without its text, as if it went on from another.
fn frame_len(item: &Item) -> usize {
    let empty = Item { content: String::new(), continued: true, ..item.clone() };
    // Items have only texts and numbers, which are JSON.
    serde_json::to_string(&empty).map_or(usize::MAX, |it| it.len())
}

/// The length of a text in JSON, without quotes.
fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped).sum()
}

fn escaped(it: char) -> usize {
    match it {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        it => it.len_utf8(),
    }
}

/// Bytes of the text whose JSON has this length at most.
fn fitting(text: &str, max_bytes: usize) -> usize {
    let mut n_bytes = 0;
    for (at, it) in text.char_indices() {
        n_bytes += escaped(it);
        if n_bytes > max_bytes {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(content: impl Into<String>) -> Item {
        let role = Some("user".to_owned());
        Item { role, content: content.into(), ..Item::default() }
    }

    fn json(chunk: &[Item]) -> String {
        serde_json::to_string(chunk).unwrap()
    }

    #[test]
    fn short_messages_are_one_entry() {
        let items = vec![item("a"), item("b")];
        assert_eq!(cut(items.clone(), 1 << 20), Cut { chunks: vec![items], n_left_out: 0 });
        assert_eq!(cut(vec![], 1 << 20), Cut::default());
    }

    #[test]
    fn a_long_text_goes_on_in_the_next_entry() {
        let text = "0123456789".repeat(7000);
        let reason = Some("stop".to_owned());
        let long = Item { finish_reason: reason.clone(), ..item(text.clone()) };
        let found = cut(vec![item("first"), long, item("last")], 1 << 20);
        assert_eq!(found.n_left_out, 0);
        let shown: Vec<Vec<(usize, bool)>> = found
            .chunks
            .iter()
            .map(|it| it.iter().map(|it| (it.content.len(), it.continued)).collect())
            .collect();
        assert_eq!(shown.len(), 3);
        assert_eq!(shown[0][0], (5, false));
        assert!(!shown[0][1].1 && shown[1][0].1 && shown[2][0].1);
        assert_eq!(*shown[2].last().unwrap(), (4, false));
        let all: String = found.chunks.iter().flatten().map(|it| it.content.as_str()).collect();
        assert_eq!(all, format!("first{text}last"));
        let reasons: Vec<_> =
            found.chunks.iter().flatten().map(|it| it.finish_reason.clone()).collect();
        assert_eq!(reasons, [None, None, None, reason, None]);
        assert!(found.chunks.iter().all(|it| json(it).len() <= MAX_CHUNK_BYTES));
    }

    #[test]
    fn what_is_over_the_bound_is_counted() {
        let found = cut(vec![item("x".repeat(100)), item("y".repeat(50))], 120);
        let kept: usize = found.chunks.iter().flatten().map(|it| it.content.len()).sum();
        assert_eq!(kept as u64 + found.n_left_out, 150);
        assert!(kept > 30 && json(&found.chunks[0]).len() <= 120, "{kept}");
        assert_eq!(cut(vec![item("abc")], 5), Cut { chunks: vec![], n_left_out: 3 });
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_bound_holds(
            texts in proptest::collection::vec("[a-z\"\\\\\n\u{1}é😀]{0,300}", 0..8),
            repeat in 1_usize..200,
            max_bytes in 0_usize..200_000,
        ) {
            let items: Vec<Item> = texts.iter().map(|it| item(it.repeat(repeat))).collect();
            let n_all: usize = items.iter().map(|it| it.content.len()).sum();
            let found = cut(items, max_bytes);
            let sizes: Vec<usize> = found.chunks.iter().map(|it| json(it).len()).collect();
            prop_assert!(sizes.iter().all(|it| *it <= MAX_CHUNK_BYTES));
            prop_assert!(sizes.iter().sum::<usize>() <= max_bytes);
            let n_kept: usize = found.chunks.iter().flatten().map(|it| it.content.len()).sum();
            prop_assert_eq!(n_kept as u64 + found.n_left_out, n_all as u64);
            let whole: String = texts.iter().map(|it| it.repeat(repeat)).collect();
            let kept: String = found.chunks.iter().flatten().map(|it| it.content.as_str()).collect();
            prop_assert!(found.n_left_out > 0 || kept == whole);
        }
    }
}
