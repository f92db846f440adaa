//! `include`, `extends` and `block` need other templates, and a policy has none: they are flaws.

use super::Opening;
use crate::node::Tag;
use crate::parse::Parser;

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    if opening.name.text == "block" {
        parser.block(&opening, &[]);
    }
    let message = format!("`{}` needs other templates, and there are none", opening.name.text);
    parser.flaw(opening.name.flaw(message));
    None
}

#[cfg(test)]
mod tests {
    use crate::template::test::flaws;

    #[test]
    fn other_templates_are_refused() {
        let needs = |it: &str| format!("`{it}` needs other templates, and there are none");
        assert_eq!(flaws("{% include 'a' %}"), [format!("3..10 {}", needs("include"))]);
        assert_eq!(flaws("{% extends 'a' %}"), [format!("3..10 {}", needs("extends"))]);
        assert_eq!(flaws("{% block a %}{% endblock %}"), [format!("3..8 {}", needs("block"))]);
    }
}
