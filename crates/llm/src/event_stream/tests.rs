//! Event streams: every form of the specification, cut at every byte.

use proptest::prelude::*;

use super::*;

/// Type and data of the events that a client hears of, and whether all bytes came back.
fn read(pieces: &[&[u8]], max: usize) -> Vec<String> {
    let mut stream = EventStream::new(max);
    let (mut seen, mut back) = (Vec::new(), Vec::new());
    let note = |it: &Event, seen: &mut Vec<String>| {
        let Some(data) = it.data() else { return };
        let data = String::from_utf8_lossy(&data).into_owned();
        seen.push(match it.event_type() {
            Some(name) => format!("{name}={data}"),
            None => data,
        });
    };
    for piece in pieces {
        stream.push(Bytes::copy_from_slice(piece));
        while let Some(next) = stream.next() {
            match next {
                Ok(event) => {
                    note(&event, &mut seen);
                    back.extend_from_slice(event.raw());
                }
                Err(oversized) => {
                    if seen.last().is_none_or(|it| it != "oversized") {
                        seen.push("oversized".to_owned());
                    }
                    back.extend_from_slice(&oversized.raw);
                }
            }
        }
        assert!(stream.n_held() <= max);
    }
    if let Some(rest) = stream.finish() {
        back.extend_from_slice(rest.raw());
        seen.push("rest".to_owned());
    }
    assert_eq!(back, pieces.concat(), "events put together are the stream");
    seen
}

fn whole(text: &str) -> Vec<String> {
    read(&[text.as_bytes()], 1000)
}

const FORMS: &[(&str, &[&str])] = &[
    ("data: a\n\ndata: b\n\n", &["a", "b"]),
    ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
    ("data: a\r\rdata: b\r\r", &["a", "b"]),
    ("data: a\r\n\ndata: b\n\r\ndata:c\r\n\r", &["a", "b", "c"]),
    ("data:a\n\ndata:  a\n\n", &["a", " a"]),
    ("data: a\ndata:\ndata\ndata: b\n\n", &["a\n\n\nb"]),
    ("data\n\ndata:\n\n", &["", ""]),
    ("\u{feff}data: a\n\n", &["a"]),
    ("\u{feff}\n\ndata: a\n\n", &["a"]),
    ("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]),
    (": ping\n\ndata: a\n\n", &["a"]),
    (": ping\n: pong\r: peng\r\ndata: a\n: within\ndata: b\n\n", &["a\nb"]),
    ("\n\n\r\n\r\rdata: a\n\n", &["a"]),
    ("event: x\ndata: a\n\nevent: x\n\ndata: b\n\n", &["x=a", "b"]),
    ("event: x\nevent: y\ndata: a\nevent:\ndata: b\n\n", &["a\nb"]),
    ("id: 7\nretry: 10\ndata: a: b\nother: c\nno colon\n\n", &["a: b"]),
    ("data: a\n\ndata: b", &["a", "rest"]),
    ("data: a\n\ndata: b\n", &["a", "rest"]),
    ("data: \u{1f600}\u{2028}x\u{85}\n\n", &["\u{1f600}\u{2028}x\u{85}"]),
    ("", &[]),
];

#[test]
fn every_form_of_the_specification_is_read() {
    for (text, expected) in FORMS {
        assert_eq!(whole(text), *expected, "{text:?}");
    }
}

#[test]
fn every_form_is_read_the_same_when_cut_at_any_byte_or_at_all() {
    for (text, expected) in FORMS {
        let text = text.as_bytes();
        for at in 0..=text.len() {
            let (one, two) = text.split_at(at);
            assert_eq!(read(&[one, two], 1000), *expected, "{text:?} cut at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes, 1000), *expected, "{text:?}");
    }
}

#[test]
fn an_event_that_came_whole_is_a_slice_of_what_came() {
    let chunk = Bytes::from("data: one\n\ndata: two\n\ndata: th");
    let mut stream = EventStream::default();
    stream.push(chunk.clone());
    for expected in ["one", "two"] {
        let event = stream.next().unwrap().unwrap();
        let data = event.data().unwrap();
        assert_eq!(data, expected);
        assert!(chunk.as_ptr_range().contains(&event.raw().as_ptr()));
        assert!(chunk.as_ptr_range().contains(&data.as_ptr()));
    }
    assert!(stream.next().is_none());
    assert_eq!(stream.n_held(), 8);
    stream.push(Bytes::from("ree\n\n"));
    assert_eq!(stream.next().unwrap().unwrap().data().unwrap(), "three");
}

#[test]
fn a_comment_that_keeps_the_connection_open_is_not_held_back() {
    let mut stream = EventStream::default();
    for comment in [": ping\n", ":\r", "\n", "\n"] {
        stream.push(Bytes::from(comment));
        assert_eq!(stream.next().unwrap().unwrap().raw(), comment);
        assert_eq!(stream.n_held(), 0);
    }
}

#[test]
fn an_event_beyond_the_bound_is_told_and_the_next_one_is_read() {
    let text = b"data: ok\n\ndata: much too long\ndata: still\n\ndata: fine\n\n";
    for at in 0..=text.len() {
        let (one, two) = text.split_at(at);
        assert_eq!(read(&[one, two], 12), ["ok", "oversized", "fine"], "cut at {at}");
    }
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(read(&bytes, 12), ["ok", "oversized", "fine"]);
}

#[test]
fn what_was_not_read_before_the_next_push_is_kept() {
    let mut stream = EventStream::default();
    stream.push(Bytes::from("data: a\n"));
    stream.push(Bytes::from("\ndata: b\n\n"));
    let mut seen = Vec::new();
    while let Some(Ok(event)) = stream.next() {
        seen.push(event.data().unwrap());
    }
    assert_eq!(seen, ["a", "b"]);
}

#[test]
fn an_event_that_is_made_can_be_read() {
    let event = Event::with_data(Some("x"), "{\"a\":1}\nb");
    assert_eq!(event.raw(), "event: x\ndata: {\"a\":1}\ndata: b\n\n");
    assert_eq!((event.event_type(), event.data().unwrap()), (Some("x"), "{\"a\":1}\nb".into()));
    assert!(Event::with_data(None, "[DONE]").is_done());
    assert!(!Event::from_raw(": x\n").is_done());
}

#[test]
fn debug_shows_no_content() {
    let mut stream = EventStream::new(20);
    stream.push(Bytes::from("data: hunter2\n\ndata: hunter2"));
    let event = stream.next().unwrap().unwrap();
    assert_eq!(format!("{event:?}"), "Event(15 bytes)");
    assert!(!format!("{stream:?}").contains("hunter2"));
}

proptest! {
    /// Bytes that matter, in any order, cut anywhere: the same events.
    #[test]
    fn any_bytes_cut_anywhere_give_the_same_events(
        text in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), Just(0xEF),
                Just(0xBB), Just(0xBF), Just(b'a')], 0..60),
        cuts in proptest::collection::vec(0_usize..60, 0..8),
        max in 4_usize..70,
    ) {
        let named: Vec<u8> = text.iter().flat_map(|it| match it {
            b'd' => b"data".to_vec(),
            other => vec![*other],
        }).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|it| it.min(named.len())).collect();
        cuts.extend([0, named.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|it| &named[it[0]..it[1]]).collect();
        prop_assert_eq!(read(&pieces, max), read(&[&named], max));
    }
}
