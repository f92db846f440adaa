//! The editor of a terminal: history, completion, hints, several lines.

use std::borrow::Cow;

use ::expr::{Form, Host as _, Options, complete, signatures};
use rustyline::completion::{Completer, Pair};
use rustyline::config::{ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::{History, MemHistory};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

use super::session::{Next, Session, code_of, is_command, is_incomplete};
use super::{dot, history};
use crate::commands::{complain, say};
use crate::exit::Exit;
use crate::terminal;

const PROMPT: &str = "> ";

/// Reads and evaluates until the user leaves. The history is kept if `keep` says so.
pub(super) fn run(session: &mut Session, keep: bool) -> Exit {
    let mut editor = match editor(session) {
        Ok(editor) => editor,
        Err(error) => {
            complain(&format!("the terminal cannot be used: {error}"));
            return Exit::Unreadable;
        }
    };
    let mut file = history::file().filter(|_| keep);
    for entry in file.as_deref().map(history::load).unwrap_or_default() {
        // What cannot be added is only not offered again.
        let _ = editor.add_history_entry(entry);
    }
    say("Policy expressions. `.help` says what can be typed here, Ctrl-D leaves.");
    loop {
        if let Some(helper) = editor.helper_mut() {
            helper.known = Known::of(session);
        }
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            // Ctrl-C drops the line.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => {
                complain(&format!("the terminal cannot be read: {error}"));
                break;
            }
        };
        if history::is_kept(&line) {
            let _ = editor.add_history_entry(&line);
            let kept = file.as_deref().map_or(Ok(()), |it| history::remember(it, &line));
            if let Err(error) = kept {
                complain(&format!("the history is not kept: {error}"));
                file = None;
            }
        }
        if session.input(&line) == Next::Quit {
            break;
        }
    }
    Exit::Success
}

fn editor(session: &Session) -> rustyline::Result<Editor<Assistant, MemHistory>> {
    let has_colour = terminal::colour(session.color);
    let color_mode = if has_colour { ColorMode::Enabled } else { ColorMode::Disabled };
    let config = Config::builder()
        .max_history_size(history::MAX_ENTRIES)?
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .color_mode(color_mode)
        .build();
    let memory = MemHistory::with_config(&config);
    debug_assert!(memory.is_empty());
    let mut editor = Editor::with_history(config, memory)?;
    editor.set_helper(Some(Assistant { known: Known::of(session) }));
    Ok(editor)
}

/// What completion knows of the session.
#[derive(Clone, Debug, Default)]
struct Known {
    options: Options,
    variables: Vec<String>,
    headers: Vec<String>,
}

impl Known {
    fn of(session: &Session) -> Self {
        let mut known = Self { options: session.options, ..Self::default() };
        known.variables =
            session.described.variables.iter().map(|(name, _)| name.to_owned()).collect();
        if let Ok(host) = session.described.host() {
            host.request().headers().all(&mut |name, _| known.headers.push(name.to_owned()));
            known.headers.dedup();
        }
        known
    }
}

/// What the editor asks while a line is typed.
struct Assistant {
    known: Known,
}

/// The code of a line that is being typed, up to the cursor and behind it, and where it starts.
fn code(line: &str) -> (Form, &str, usize) {
    if let Some(rest) = command_argument(line) {
        return (Form::Expression, rest, line.len() - rest.len());
    }
    let it = code_of(line);
    let is_bare = !line.trim_start().starts_with('@');
    let form = if is_bare && it.text.contains(';') { Form::Statements } else { it.form };
    // Blanks at the end are being typed, too.
    (form, line.get(it.offset..).unwrap_or(""), it.offset)
}

/// The expression in a command: `.type EXPRESSION`, `.var NAME = EXPRESSION`.
fn command_argument(line: &str) -> Option<&str> {
    if !is_command(line) {
        return None;
    }
    let (name, rest) = line.trim_start().split_once(char::is_whitespace)?;
    match name {
        ".type" | ".members" => Some(rest),
        ".var" => rest.split_once('=').map(|(_, rest)| rest),
        _ => None,
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.known.choices(line, cursor))
    }
}

impl Known {
    fn choices(&self, line: &str, cursor: usize) -> (usize, Vec<Pair>) {
        let before = line.get(..cursor).unwrap_or(line);
        if is_command(line) && command_argument(before).is_none() {
            return commands(before);
        }
        if let Some((names, partial)) = self.names_in_quotes(before) {
            let fits = names.iter().filter(|it| it.starts_with(partial));
            let pairs = fits.map(|it| Pair { display: it.clone(), replacement: it.clone() });
            return (cursor - partial.len(), pairs.collect());
        }
        let (form, source, offset) = code(line);
        let Some(at) = cursor.checked_sub(offset) else { return (cursor, Vec::new()) };
        let found = complete(source, form, at, &self.options);
        let pair = |it: &::expr::Completion| Pair {
            display: dot::described(it),
            replacement: it.insert.clone(),
        };
        (found.replace.start + offset, found.items.iter().map(pair).collect())
    }

    /// In `context.Variables["na` the names of variables, in `Headers["na` those of headers, and
    /// the part of one that is there.
    fn names_in_quotes<'a>(&self, before: &'a str) -> Option<(&[String], &'a str)> {
        let (head, partial) = before.rsplit_once('"')?;
        let head = head.trim_end();
        let dictionary = match head.strip_suffix('[') {
            Some(dictionary) => dictionary,
            None => {
                let call = head.strip_suffix('(')?;
                let name = call.split('<').next().filter(|_| call.ends_with('>')).unwrap_or(call);
                ["GetValueOrDefault", "ContainsKey", "TryGetValue"]
                    .iter()
                    .find_map(|it| name.strip_suffix(it)?.strip_suffix('.'))?
            }
        };
        if dictionary.ends_with("context.Variables") {
            Some((&self.variables, partial))
        } else if dictionary.ends_with("Request.Headers") {
            Some((&self.headers, partial))
        } else {
            None
        }
    }
}

fn commands(before: &str) -> (usize, Vec<Pair>) {
    let typed = before.trim_start();
    let fits = dot::COMMANDS.iter().filter(|it| it.name.starts_with(typed));
    let pairs =
        fits.map(|it| Pair { display: it.name.to_owned(), replacement: it.name.to_owned() });
    (before.len() - typed.len(), pairs.collect())
}

/// The signature of the call that the cursor is in, shown behind the line.
struct SignatureHint(String);

impl Hint for SignatureHint {
    fn display(&self) -> &str {
        &self.0
    }
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = SignatureHint;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<SignatureHint> {
        if cursor < line.len() {
            return None;
        }
        let (form, source, offset) = code(line);
        let found = signatures(source, form, cursor.checked_sub(offset)?, &self.known.options)?;
        let more = match found.overloads.len() - 1 {
            0 => String::new(),
            n => format!(" (+ {n})"),
        };
        Some(SignatureHint(format!("   {}{more}", found.overloads.first()?)))
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[m"))
    }
}

impl Validator for Assistant {
    fn validate(&self, cx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = cx.input();
        // An empty line ends what cannot be finished.
        let gives_up = input.ends_with("\n\n") || input.ends_with("\n");
        Ok(if is_incomplete(input) && !gives_up {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            variables: vec!["token".to_owned(), "tries".to_owned()],
            headers: vec!["x-tier".to_owned()],
            ..Known::default()
        }
    }

    fn replacements(line: &str) -> (usize, Vec<String>) {
        let (start, all) = known().choices(line, line.len());
        (start, all.into_iter().map(|it| it.replacement).collect())
    }

    #[test]
    fn members_names_and_commands_are_completed() {
        for (line, start, expected) in [
            ("@(context.Request.Hea", 18, "Headers"),
            ("context.Request.Hea", 16, "Headers"),
            ("@{ var abc = 1; return ab", 23, "abc"),
            ("var abc = 1; return ab", 20, "abc"),
            (".type context.Req", 14, "Request"),
            (".var x = context.Req", 17, "Request"),
            (".he", 0, ".help"),
            ("context.Variables[\"to", 19, "token"),
            ("context.Variables.GetValueOrDefault<string>(\"tr", 45, "tries"),
            ("context.Request.Headers.GetValueOrDefault(\"x", 43, "x-tier"),
        ] {
            let (at, all) = replacements(line);
            assert!(at == start && all.contains(&expected.to_owned()), "{line}: {at} {all:?}");
        }
        assert_eq!(replacements("\"").1, [""; 0]);
    }

    #[test]
    fn a_call_shows_its_signature() {
        let assistant = Assistant { known: known() };
        let memory = MemHistory::new();
        let hint =
            |line: &str| assistant.hint(line, line.len(), &Context::new(&memory)).map(|it| it.0);
        assert!(hint("@(\"a\".Substring(1, ").unwrap().contains("int length"));
        assert!(hint("1 + 1").is_none());
    }
}
