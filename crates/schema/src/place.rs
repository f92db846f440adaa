//! Line and position of a place in a JSON text.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// Line and position (both from 1) of the value that a JSON pointer leads to; of the text's start
/// if it leads nowhere.
#[must_use]
pub fn position(text: &str, pointer: &str) -> (usize, usize) {
    let offset = offset(text, pointer).unwrap_or(0);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count()) + 1;
    (line, column)
}

fn offset(text: &str, pointer: &str) -> Option<usize> {
    let mut at: &RawValue = serde_json::from_str(text).ok()?;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        at = match serde_json::from_str::<HashMap<String, &RawValue>>(at.get()) {
            Ok(members) => members.get(&segment).copied()?,
            Err(_) => {
                let items: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
                items.get(segment.parse::<usize>().ok()?).copied()?
            }
        };
    }
    (at.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_line_and_position() {
        let text = "{\n  \"a/b\": [1,\n    {\"é\": 2, \"c\": 3}]\n}";
        for (pointer, expected) in [
            ("", (1, 1)),
            ("/a~1b", (2, 10)),
            ("/a~1b/0", (2, 11)),
            ("/a~1b/1", (3, 5)),
            ("/a~1b/1/c", (3, 19)),
            ("/nothing", (1, 1)),
            ("/a~1b/9", (1, 1)),
        ] {
            assert_eq!(position(text, pointer), expected, "{pointer}");
        }
        assert_eq!(position("not json", "/a"), (1, 1));
    }
}
