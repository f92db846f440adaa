//! The schema check: what of an element is unknown, missing, repeated, misplaced or badly
//! written. It runs before the policy's `compile` and reports everything at once.

use document::{Diagnostic, Mode, SourceText, Value, closest};

use super::cx::CompileCx;
use crate::codes;
use crate::convert::list_of_words;
use crate::schema::{Attr, Child, Content, Need};

/// What the schema says of one element.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) attrs: &'static [Attr],
    pub(super) children: &'static [Child],
    /// Every policy may have an `id`.
    pub(super) has_id: bool,
}

const ID: Attr = Attr::absent_by_default("id");

/// Checks a policy's element and its child elements, but not the policies inside of it.
pub(super) fn check(cx: &mut CompileCx<'_>, node: &document::Element, shape: Shape) {
    attributes(cx, node, shape);
    let own = shape.children.iter().find(|it| it.name.is_empty());
    content(cx, node, own, shape.children);
}

pub(super) fn attributes(cx: &mut CompileCx<'_>, node: &document::Element, shape: Shape) {
    for attribute in &node.attributes {
        let name = attribute.name.as_str();
        let found = shape.attrs.iter().find(|it| it.name == name);
        match found {
            Some(attr) => {
                let subject = format!("attribute `{name}`");
                value(cx, &attribute.value, attr.expressions, attr.words, &subject);
                exclusions(cx, node, attribute, attr);
            }
            None if shape.has_id && name == "id" => {
                value(cx, &attribute.value, false, &[], "attribute `id`");
            }
            None if name == "xmlns" || name.starts_with("xmlns:") => {}
            None => {
                let message = format!("`{}` has no attribute `{name}`", node.name);
                let it = Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, attribute.name_span, message);
                let names = shape.attrs.iter().map(|it| it.name);
                cx.report(match closest(name, names.chain(shape.has_id.then_some(ID.name))) {
                    Some(near) => it.label(format!("did you mean `{near}`?")),
                    None => it.label("unknown attribute"),
                });
            }
        }
    }
    for attr in shape.attrs.iter().filter(|it| node.attribute(it.name).is_none()) {
        let name = attr.name;
        match attr.need {
            Need::Required => {
                let message = format!("`{}` needs the attribute `{name}`", node.name);
                cx.report(
                    Diagnostic::error(codes::MISSING_ATTRIBUTE, node.name_span, message)
                        .label(format!("`{name}` is missing")),
                );
            }
            Need::Expected(default) => {
                let message = format!("`{}` should have the attribute `{name}`", node.name);
                cx.report(
                    Diagnostic::warning(codes::MISSING_EXPECTED, node.name_span, message)
                        .label(format!("`{default}` is assumed")),
                );
            }
            Need::Optional(_) => {}
        }
    }
}

fn exclusions(
    cx: &mut CompileCx<'_>,
    node: &document::Element,
    attribute: &document::Attribute,
    attr: &Attr,
) {
    for other in attr.excludes.iter().filter_map(|it| node.attribute(it)) {
        let message = format!("`{}` and `{}` exclude each other", attribute.name, other.name);
        cx.report(
            Diagnostic::error(codes::EXCLUSIVE_ATTRIBUTES, attribute.name_span, message)
                .label(format!("remove this or `{}`", other.name)),
        );
    }
}

fn content(
    cx: &mut CompileCx<'_>,
    node: &document::Element,
    own: Option<&'static Child>,
    children: &'static [Child],
) {
    let kind = own.map(|it| it.content);
    match (kind, own) {
        (Some(Content::Text), Some(own)) => {
            if own.count.min > 0 && !node.has_text() {
                cx.report(
                    Diagnostic::error(
                        codes::EMPTY_VALUE,
                        node.name_span,
                        format!("`{}` is empty", node.name),
                    )
                    .label("needs a text"),
                );
            }
            value(cx, &node.text(), own.expressions, &[], &format!("the text of `{}`", node.name));
        }
        // The policy reads it itself: what named values mean there depends on attributes.
        (Some(Content::Markup), _) => {}
        _ => text_is_absent(cx, node),
    }
    for child in node.child_elements() {
        match children.iter().find(|it| it.name == child.name) {
            Some(schema) => child_element(cx, child, schema),
            // Policies are checked when the policy compiles them.
            None if kind == Some(Content::Policies) => {}
            // The policy reads it itself.
            None if kind == Some(Content::Foreign) => {}
            None => {
                let message = format!("`{}` may not stand in `{}`", child.name, node.name);
                let it = Diagnostic::error(codes::UNKNOWN_CHILD, child.name_span, message);
                let names = children.iter().map(|it| it.name).filter(|it| !it.is_empty());
                cx.report(match closest(&child.name, names) {
                    Some(near) => it.label(format!("did you mean `{near}`?")),
                    None => it.label("unknown element"),
                });
            }
        }
    }
    counts(cx, node, children);
}

fn counts(cx: &mut CompileCx<'_>, node: &document::Element, children: &'static [Child]) {
    for schema in children.iter().filter(|it| !it.name.is_empty()) {
        let name = schema.name;
        let found: Vec<_> = node.child_elements().filter(|it| it.name == name).collect();
        if found.len() < usize::from(schema.count.min) {
            let message = format!("`{}` needs a `{name}` element", node.name);
            cx.report(
                Diagnostic::error(codes::MISSING_CHILD, node.name_span, message)
                    .label(format!("`{name}` is missing")),
            );
        }
        let Some(max) = schema.count.max.map(usize::from) else { continue };
        if let Some(extra) = found.get(max) {
            let message = format!("`{name}` may stand only once in `{}`", node.name);
            cx.report(
                Diagnostic::error(codes::REPEATED_CHILD, extra.name_span, message)
                    .label("repeated"),
            );
        }
    }
}

fn child_element(cx: &mut CompileCx<'_>, node: &document::Element, schema: &'static Child) {
    let shape = Shape { attrs: schema.attrs, children: schema.children, has_id: false };
    match schema.content {
        // By its own schema, when the policy compiles it.
        Content::Policy => {}
        Content::Policies => {
            attributes(cx, node, shape);
            text_is_absent(cx, node);
        }
        Content::Elements => {
            attributes(cx, node, shape);
            content(cx, node, None, schema.children);
        }
        Content::Nothing => {
            attributes(cx, node, shape);
            content(cx, node, None, &[]);
        }
        Content::Template => {
            attributes(cx, node, shape);
            content_without_text(cx, node);
        }
        Content::Text | Content::Markup | Content::Foreign => {
            attributes(cx, node, shape);
            let subject = format!("the text of `{}`", node.name);
            value(cx, &node.text(), schema.expressions, &[], &subject);
            content_without_text(cx, node);
        }
    }
}

fn content_without_text(cx: &mut CompileCx<'_>, node: &document::Element) {
    for child in node.child_elements() {
        let message = format!("`{}` holds text, not elements", node.name);
        cx.report(
            Diagnostic::error(codes::UNKNOWN_CHILD, child.name_span, message)
                .label("unknown element"),
        );
    }
}

pub(super) fn text_is_absent(cx: &mut CompileCx<'_>, node: &document::Element) {
    if node.has_text() {
        let message = format!("text may not stand in `{}`", node.name);
        let span = node.text().trimmed().span();
        cx.report(
            Diagnostic::error(codes::UNEXPECTED_TEXT, span, message).label("unexpected text"),
        );
    }
}

/// Checks a value as far as its schema goes: named values, literal or expression, words.
fn value(
    cx: &mut CompileCx<'_>,
    text: &SourceText,
    expressions: bool,
    words: &[&str],
    subject: &str,
) {
    let (resolved, problems) = cx.surroundings.named_values.resolve(text, Mode::Policy);
    for problem in problems {
        cx.report(problem);
    }
    if resolved.is_missing() {
        cx.is_incomplete = true;
        return;
    }
    match resolved.kind() {
        Err(problem) => cx.report(problem),
        Ok(Value::Expression { .. }) if !expressions => cx.report(
            Diagnostic::error(
                codes::EXPRESSION_NOT_ALLOWED,
                text.trimmed().span(),
                format!("{subject} takes no policy expression"),
            )
            .label("must be a literal or a named value"),
        ),
        Ok(Value::Expression { .. }) => {}
        Ok(Value::Literal(literal)) => {
            let trimmed = literal.as_str().trim();
            if !words.is_empty() && !words.iter().any(|it| it.eq_ignore_ascii_case(trimmed)) {
                let near = closest(trimmed, words.iter().copied());
                let near = near.filter(|_| !resolved.is_secret());
                let message = format!("{subject} must be {}", list_of_words(words));
                let it = Diagnostic::error(codes::BAD_VALUE, text.span(), message);
                cx.report(match near {
                    Some(near) => it.label(format!("did you mean `{near}`?")),
                    None => it.label("not one of the words"),
                });
            } else if expressions && trimmed.contains("@(context.") {
                cx.report(looks_like_expression(text, subject));
            }
        }
    }
}

fn looks_like_expression(text: &SourceText, subject: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::LITERAL_LOOKS_LIKE_EXPRESSION,
        text.trimmed().span(),
        format!("{subject} holds `@(` inside of other text"),
    )
    .label("this is a literal")
    .help("make the whole value one expression: `@(\"Bearer \" + token)`")
}

#[cfg(test)]
mod tests {
    use crate::test_support::problems;

    #[test]
    fn attributes_are_those_of_the_schema() {
        for (attributes, codes) in [
            ("name='n' size='1' id='i'", "fine"),
            ("name='n'", "PC0422"),
            ("size='1'", "PC0404"),
            ("name='n' size='1' nmae='x'", "PC0403"),
            ("name='n' size='1' xmlns:a='u'", "fine"),
            ("name='n' size='1' colour='red'", "PC0410"),
            ("name='n' colour='blue'", "PC0409 PC0422"),
            ("name='n' colour=' GREEN '", "PC0422"),
            ("name='@(1)' size='1'", "PC0411"),
            ("name='n' size='1' id='@(1)'", "PC0411"),
        ] {
            assert_eq!(problems(&format!("<shaped {attributes} />")), codes, "{attributes}");
        }
    }

    #[test]
    fn children_are_those_of_the_schema() {
        for (content, codes) in [
            ("<!-- nothing --> \n", "fine"),
            ("<note>text</note><item key='a'/><item key='b'/>", "fine"),
            ("<note/><note/>", "PC0407"),
            ("<item/>", "PC0404"),
            ("<item key='a'>text</item>", "PC0408"),
            ("<item key='a'><b/></item>", "PC0405"),
            ("<itme key='a'/>", "PC0405"),
            ("<list/>", "PC0406"),
            ("<list><value>1</value><value/></list>", "fine"),
            ("<list><value>@(1)</value></list>", "PC0411"),
            ("<list><value><b/></value></list>", "PC0405"),
            ("text", "PC0408"),
        ] {
            let policy = format!("<shaped name='n' size='1'>{content}</shaped>");
            assert_eq!(problems(&policy), codes, "{content}");
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        assert_eq!(
            problems("<shaped colour='x' y='z'>text<list/></shaped><shaped/><nothing/>"),
            "PC0409 PC0403 PC0404 PC0422 PC0408 PC0406 PC0404 PC0422 PC0401"
        );
    }

    #[test]
    fn own_text_is_needed_and_read() {
        assert_eq!(problems("<word>7</word>"), "fine");
        assert_eq!(problems("<word> <!-- 7 --> </word>"), "PC0424");
        assert_eq!(problems("<word>seven</word>"), "PC0409");
        assert_eq!(problems("<word><b/></word>"), "PC0424 PC0405");
    }

    #[test]
    fn a_literal_that_looks_like_an_expression_is_a_warning() {
        let policy = "<shaped name='n' size='1'><note>Bearer @(context.RequestId)</note></shaped>";
        assert_eq!(problems(policy), "PC0427");
    }
}
