//! Codes of what can be wrong with policies: the only table of class `PC04xx`.

document::codes! {
    UNKNOWN_POLICY = "PC0401": "unknown policy",
        "The element is no policy of Azure API Management. Check its spelling.";
    POLICY_NOT_SUPPORTED = "PC0402": "policy is not supported yet",
        "Azure API Management has this policy, this gateway does not have it yet. A document that \
         uses it is refused as a whole: skipping a policy could open what it protects.";
    UNKNOWN_ATTRIBUTE = "PC0403": "unknown attribute",
        "The element has no attribute of this name. Attribute names are case-sensitive.";
    MISSING_ATTRIBUTE = "PC0404": "required attribute is missing",
        "The element does nothing useful without this attribute.";
    UNKNOWN_CHILD = "PC0405": "unknown child element",
        "The element may not stand here. Element names are case-sensitive.";
    MISSING_CHILD = "PC0406": "required child element is missing",
        "The policy needs at least one of these elements.";
    REPEATED_CHILD = "PC0407": "child element is repeated",
        "The element may stand only once here.";
    UNEXPECTED_TEXT = "PC0408": "unexpected text",
        "Only elements and comments may stand here. Put the text into the element it belongs to.";
    BAD_VALUE = "PC0409": "value is not allowed here",
        "The attribute or element takes values of another kind, or one of a few words.";
    EXCLUSIVE_ATTRIBUTES = "PC0410": "attributes exclude each other",
        "Only one of the attributes may stand at the element.";
    EXPRESSION_NOT_ALLOWED = "PC0411": "policy expression is not allowed here",
        "The value is read when the document is loaded, so it must be a literal or a named value.";
    TOO_PERMISSIVE = "PC0412": "policy lets more through than it seems to",
        "The policy is valid, but it checks less than its author probably believes.";
    MISPLACED_POLICY = "PC0413": "policy cannot stand in this section",
        "Each policy works in certain sections only; elsewhere it has nothing to work on.";
    UNDOCUMENTED_SCOPE = "PC0414": "policy is not documented for this scope",
        "Azure API Management documents the policy for other scopes only. It runs here all the \
         same, but the document may not be portable.";
    UNKNOWN_SECTION = "PC0415": "unknown section",
        "A `<policies>` document has the sections `inbound`, `backend`, `outbound` and `on-error`.";
    REPEATED_SECTION = "PC0416": "section is repeated",
        "Each section may stand once in a document.";
    MISPLACED_BASE = "PC0417": "`base` cannot stand here",
        "`<base />` stands directly in a section, at most once, and not in fragments.";
    SEVERAL_IN_BACKEND = "PC0418": "several policies in the backend section",
        "Azure API Management allows one policy in `backend`. Here they run in order; wrap them \
         in one policy to stay portable.";
    UNKNOWN_ROOT = "PC0419": "document kind is not supported",
        "A policy document is `<policies>`, a policy fragment is `<fragment>`.";
    NESTED_FRAGMENT = "PC0420": "fragment includes a fragment",
        "A policy fragment cannot include another one. Include both where they are needed.";
    FRAGMENT_TOO_LARGE = "PC0421": "policy fragment is too large",
        "A policy fragment may have 512 KiB.";
    MISSING_EXPECTED = "PC0422": "attribute or element is missing",
        "The documentation calls it required. Without it the default counts.";
    NOT_SUPPORTED = "PC0423": "option is not supported",
        "The policy is supported, this way of using it is not. The document is refused rather \
         than run without it.";
    EMPTY_VALUE = "PC0424": "value is empty",
        "The attribute or element has to say something.";
    ONE_OF_ATTRIBUTES = "PC0425": "one of several attributes is needed",
        "The policy needs exactly one of the attributes.";
    UNKNOWN_PARAMETER = "PC0426": "unknown template parameter",
        "The operation's URL template has no parameter of this name.";
    LITERAL_LOOKS_LIKE_EXPRESSION = "PC0427": "literal looks like an expression",
        "Expressions are not evaluated inside of longer text. Make the whole value one expression: \
         `@(\"Bearer \" + token)`.";
    BODY_SENT_ONCE = "PC0428": "request body can be sent only once",
        "Another try needs the body again, and it is streamed to the backend and gone unless \
         `forward-request` has `buffer-request-body=\"true\"`. The second try of a request with a \
         body fails.";
    REPEATED_POLICY = "PC0430": "policy stands more than once in a section",
        "Azure API Management documents the policy to stand once in a section.";
    NO_EFFECT = "PC0431": "policy or value has no effect",
        "The document loads, but what stands here changes nothing for any request.";
    NOT_PORTABLE = "PC0432": "value is understood here only",
        "Azure API Management does not document values of this kind; this gateway understands them.";
    UNKNOWN_SCHEMA = "PC0433": "unknown schema",
        "No schema entity of the configuration has this name.";
    UNKNOWN_CERTIFICATE = "PC0434": "certificate cannot be used",
        "No certificate of the configuration has this name, or it cannot be read.";
    UNUSABLE_CACHE = "PC0435": "external cache cannot be used",
        "The policy would store in the external cache, and the cache entity of this gateway's location \
         does not tell where that is.";
    BODY_GONE = "PC0439": "body is gone when it is needed",
        "An expression that reads a body without `preserveContent: true` uses it up. What comes later \
         finds it empty: another read, the backend, or the client. Read it with \
         `As<string>(preserveContent: true)`, or set the body anew.";
    BAD_STYLESHEET = "PC0440": "stylesheet cannot be used",
        "The stylesheet is no XSLT 1.0, or does what a gateway does not allow: reading other \
         documents, running scripts.";
    BAD_TEMPLATE = "PC0441": "template cannot be compiled",
        "The content is a Liquid template with something in it that Liquid does not have.";
    DOUBTFUL_TEMPLATE = "PC0442": "template is probably not meant so",
        "Liquid accepts this, but reads it in another way than its author probably meant.";
    UNKNOWN_CONNECTION = "PC0443": "connection cannot be used",
        "No credential provider of the configuration has this connection, or it cannot be read.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_of_one_class() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for row in CODES {
            assert!(row.code.as_str().starts_with("PC04"), "{}", row.code);
            assert!(row.explanation.ends_with('.') && !row.summary.ends_with('.'), "{}", row.code);
        }
    }
}
