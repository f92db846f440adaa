//! Escaping text and attribute values.

use super::Fault;

/// May XML hold it?
pub(super) fn is_allowed(it: char) -> bool {
    matches!(it, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn refuse(it: char) -> Fault {
    let code = u32::from(it);
    Fault::argument(format!("'{it}', hexadecimal value 0x{code:02X}, is an invalid character."))
}

/// Adds text; line breaks become `\n`.
pub(super) fn escape_text(out: &mut String, text: &str) -> Result<(), Fault> {
    let mut characters = text.chars().peekable();
    while let Some(it) = characters.next() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push('\n');
            }
            it if is_allowed(it) => out.push(it),
            it => return Err(refuse(it)),
        }
    }
    Ok(())
}

/// Adds the value of an attribute in double quotes.
pub(super) fn escape_attribute(out: &mut String, text: &str) -> Result<(), Fault> {
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            it if is_allowed(it) => out.push(it),
            it => return Err(refuse(it)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{escape_attribute, escape_text};

    #[test]
    fn special_characters_are_escaped() {
        let mut out = String::new();
        escape_text(&mut out, "<&>\"'\r\n\r").unwrap();
        assert_eq!(out, "&lt;&amp;&gt;\"'\n\n");
        out.clear();
        escape_attribute(&mut out, "<&\"'>\t\n").unwrap();
        assert_eq!(out, "&lt;&amp;&quot;'&gt;&#x9;&#xA;");
        assert!(escape_text(&mut out, "\u{1}").is_err());
    }
}
