//! Bodies that are gone when they are needed: read without `preserveContent: true`, and read,
//! forwarded or returned later.
//!
//! ```text
//! compile ─▶ Event of each statement, in order ─splice at <base />─▶ walk ─▶ warnings
//! ```
//!
//! No false alarm is worth more than every true one: only reads count that are certain whenever the
//! statement runs ([`expr::BodyRead`]), a branch that ends the request takes its reads along, and
//! whatever may replace a body later keeps quiet.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>,
//! reading a message body; <https://learn.microsoft.com/azure/api-management/set-body-policy>

use document::Diagnostic;

use crate::effective::CompiledDocument;
use crate::message::Message;
use crate::section::Section;

/// What a statement does with the bodies of the request and of the response.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The statements of the next broader scope.
    Base,
    /// An expression reads the body; with the warning to give if it is needed later, if the body is
    /// gone then.
    Read(Message, Option<Box<Diagnostic>>),
    /// The body is replaced.
    Replaced(Message),
    /// The request is sent with its body, and the response is another one.
    Forwarded,
    /// The request ends here, with a response of its own.
    Ended,
    /// Something that cannot be looked into: it may do anything.
    Unknown,
    /// Statements that may run or not.
    Nested(Vec<Event>),
}

/// Puts what a policy does (its own expressions, the statements inside, its effect) behind what the
/// policies before it do. An expression that was compiled behind a branch may not be evaluated.
pub(crate) fn append(own: Vec<Event>, effect: Option<Event>, to: &mut Vec<Event>) {
    let is_list = |it: &Event| matches!(it, Event::Nested(_));
    let lists = own.iter().filter(|it| is_list(it)).count();
    let all_end = own.iter().filter(|it| is_list(it)).all(ends);
    let mut behind = false;
    for event in own {
        behind |= is_list(&event);
        match event {
            it @ Event::Read(..) if behind => to.push(Event::Nested(vec![it])),
            it => to.push(it),
        }
    }
    // One of several branches, and whichever it is ends the request.
    if lists > 1 && all_end {
        to.push(Event::Ended);
    }
    to.extend(effect);
}

fn ends(list: &Event) -> bool {
    match list {
        Event::Nested(inner) => inner.iter().any(|it| matches!(it, Event::Ended)),
        _ => false,
    }
}

/// The warnings of an effective policy: documents from the broadest scope to the narrowest, as for
/// [`Pipeline::splice`](crate::Pipeline::splice).
#[must_use]
pub fn body_warnings(documents: &[&CompiledDocument]) -> Vec<Diagnostic> {
    let section = |section| {
        let mut events = Vec::new();
        splice(documents, section, &mut events);
        events
    };
    warnings([section(Section::Inbound), section(Section::Backend), section(Section::Outbound)])
}

/// Whether an effective policy surely reads the body of the backend's response, so that a stream is
/// held until its end.
#[must_use]
pub fn reads_response(documents: &[&CompiledDocument]) -> bool {
    fn reads(events: &[Event]) -> bool {
        events.iter().any(|it| match it {
            Event::Read(message, _) => *message == Message::Response,
            Event::Nested(inner) => reads(inner),
            _ => false,
        })
    }
    let mut events = Vec::new();
    splice(documents, Section::Outbound, &mut events);
    reads(&events)
}

fn splice(documents: &[&CompiledDocument], section: Section, events: &mut Vec<Event>) {
    let Some((narrowest, broader)) = documents.split_last() else { return };
    for event in narrowest.events(section) {
        match event {
            Event::Base => splice(broader, section, events),
            other => events.push(other.clone()),
        }
    }
}

/// The warnings of a document of which nothing else is known: `<base />` stands for what the global
/// scope does without a document.
pub(crate) fn lone_warnings(sections: [&[Event]; 3]) -> Vec<Diagnostic> {
    let [inbound, backend, outbound] = sections.map(|events| {
        events.iter().filter(|it| !matches!(it, Event::Base)).cloned().collect::<Vec<_>>()
    });
    let inherits = sections.get(1).is_some_and(|it| it.iter().any(|it| matches!(it, Event::Base)));
    let backend = if inherits { vec![Event::Forwarded] } else { backend };
    warnings([inbound, backend, outbound])
}

fn warnings([inbound, backend, outbound]: [Vec<Event>; 3]) -> Vec<Diagnostic> {
    let (mut walk, mut gone) = (Walk::default(), Gone::default());
    let is_over = walk.list(&inbound, &mut gone)
        || walk.list(&backend, &mut gone)
        || walk.list(&outbound, &mut gone);
    if !is_over {
        walk.needed(Message::Response, &mut gone);
    }
    walk.found
}

/// The bodies that are gone.
#[derive(Clone, Debug, Default)]
struct Gone(Vec<Read>);

/// A read that used a body up.
#[derive(Clone, Debug)]
struct Read {
    message: Message,
    warning: Diagnostic,
    /// It happened on every way to here; else in a branch before.
    certain: bool,
    /// It happened before the branch that is looked at.
    inherited: bool,
}

#[derive(Debug, Default)]
struct Walk {
    found: Vec<Diagnostic>,
}

impl Walk {
    /// Goes through statements that run one after the other. Gives whether the request has ended.
    fn list(&mut self, events: &[Event], gone: &mut Gone) -> bool {
        for event in events {
            match event {
                Event::Base => {}
                Event::Read(message, warning) => {
                    self.needed(*message, gone);
                    if let Some(warning) = warning {
                        let warning = (**warning).clone();
                        let (certain, inherited) = (true, false);
                        gone.0.push(Read { message: *message, warning, certain, inherited });
                    }
                }
                Event::Replaced(message) => gone.0.retain(|it| it.message != *message),
                Event::Forwarded => {
                    self.needed(Message::Request, gone);
                    gone.0.retain(|it| it.message != Message::Response);
                }
                Event::Ended => return true,
                Event::Unknown => gone.0.clear(),
                Event::Nested(inner) => self.nested(inner, gone),
            }
        }
        false
    }

    fn nested(&mut self, inner: &[Event], gone: &mut Gone) {
        // What happened in another branch may exclude this one.
        let before = gone.0.iter().filter(|it| it.certain).cloned();
        let mut within = Gone(before.map(|it| Read { inherited: true, ..it }).collect());
        let has_ended = self.list(inner, &mut within);
        gone.0.retain(|it| !may_replace(inner, it.message));
        if !has_ended {
            let new = within.0.into_iter().filter(|it| !it.inherited);
            gone.0.extend(new.map(|it| Read { certain: false, ..it }));
        }
    }

    /// The body is needed: what took it away is told.
    fn needed(&mut self, message: Message, gone: &mut Gone) {
        for read in gone.0.extract_if(.., |it| it.message == message) {
            if !self.found.contains(&read.warning) {
                self.found.push(read.warning);
            }
        }
    }
}

/// Whether something in the branch, however deep, may put another body in place.
fn may_replace(events: &[Event], message: Message) -> bool {
    events.iter().any(|event| match event {
        Event::Replaced(it) => *it == message,
        Event::Forwarded => message == Message::Response,
        Event::Unknown => true,
        Event::Nested(inner) => may_replace(inner, message),
        Event::Base | Event::Read(..) | Event::Ended => false,
    })
}

#[cfg(test)]
mod tests {
    use document::Span;

    use super::Event::{Ended, Forwarded, Replaced, Unknown};
    use super::*;
    use crate::codes;

    fn eats(message: Message, name: &str) -> Event {
        let warning = Diagnostic::warning(codes::BODY_GONE, Span::default(), name);
        Event::Read(message, Some(Box::new(warning)))
    }

    fn a() -> Event {
        eats(Message::Request, "a")
    }

    fn b() -> Event {
        eats(Message::Response, "b")
    }

    fn looks() -> Event {
        Event::Read(Message::Request, None)
    }

    fn branch(events: &[Event]) -> Event {
        Event::Nested(events.to_vec())
    }

    fn found(inbound: &[Event], backend: &[Event], outbound: &[Event]) -> String {
        let sections = [inbound.to_vec(), backend.to_vec(), outbound.to_vec()];
        let names: Vec<String> = warnings(sections).into_iter().map(|it| it.message).collect();
        names.join(" ")
    }

    const REQUEST: Message = Message::Request;
    const RESPONSE: Message = Message::Response;

    #[test]
    fn a_body_that_is_read_and_needed_later_is_told() {
        assert_eq!(found(&[a()], &[Forwarded], &[]), "a");
        assert_eq!(found(&[a(), looks()], &[], &[]), "a");
        assert_eq!(found(&[a(), a()], &[], &[]), "a");
        assert_eq!(found(&[], &[Forwarded], &[b()]), "b");
        assert_eq!(found(&[a(), branch(&[looks()])], &[], &[]), "a");
        assert_eq!(found(&[branch(&[a()])], &[Forwarded], &[]), "a");
        assert_eq!(found(&[a()], &[branch(&[Forwarded])], &[]), "a");
        assert_eq!(found(&[a(), branch(&[Ended])], &[Forwarded], &[]), "a");
    }

    #[test]
    fn a_body_that_nobody_needs_any_more_is_not() {
        assert_eq!(found(&[a()], &[], &[]), "");
        assert_eq!(found(&[looks()], &[Forwarded], &[]), "");
        assert_eq!(found(&[a(), Replaced(REQUEST)], &[Forwarded], &[]), "");
        assert_eq!(found(&[a(), Ended], &[Forwarded], &[]), "");
        assert_eq!(found(&[], &[Forwarded], &[b(), Replaced(RESPONSE)]), "");
        assert_eq!(found(&[], &[b(), Forwarded], &[]), "");
        assert_eq!(found(&[a(), Unknown], &[Forwarded], &[]), "");
    }

    #[test]
    fn branches_that_exclude_each_other_or_end_or_replace_are_no_alarm() {
        let inbound = |events: &[Event]| found(events, &[Forwarded], &[]);

        assert_eq!(inbound(&[branch(&[a(), Ended])]), "");
        assert_eq!(inbound(&[a(), branch(&[Replaced(REQUEST)])]), "");
        assert_eq!(inbound(&[branch(&[a()]), branch(&[Replaced(REQUEST)])]), "");
        assert_eq!(found(&[branch(&[a()]), branch(&[looks()])], &[], &[]), "");
        assert_eq!(found(&[branch(&[a()])], &[branch(&[Forwarded])], &[]), "");
        assert_eq!(inbound(&[a(), branch(&[branch(&[Unknown])])]), "");
    }

    #[test]
    fn a_policy_whose_every_branch_ends_the_request_ends_it() {
        let mut events = vec![a()];
        append(vec![branch(&[Ended]), branch(&[Ended])], None, &mut events);
        assert_eq!(found(&events, &[Forwarded], &[]), "");

        let mut events = Vec::new();
        append(vec![branch(&[Ended]), a()], None, &mut events);
        assert_eq!(found(&events, &[Forwarded], &[]), "a");
        append(Vec::new(), Some(Replaced(REQUEST)), &mut events);
        assert_eq!(found(&events, &[Forwarded], &[]), "");
    }
}
