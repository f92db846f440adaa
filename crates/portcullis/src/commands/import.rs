//! `portcullis import`: a folder of what comes from elsewhere, and a report of what it can do here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arm::{Inputs, Missing};
use config::Options;
use exchange::{ApiChoice, Imported, PROVIDER};
use serde_json::{Map, Value};

use super::run::block_on;
use super::{complain, mention, say, validate};
use crate::cli::{FolderImport, Global, Import, OpenApiImport, TemplateImport};
use crate::exit::Exit;

/// Why an import ends before there is anything to report.
struct Stop(Exit, String);

impl Stop {
    fn unreadable(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self(Exit::Unreadable, format!("{}: {problem}", path.display()))
    }

    fn usage(message: impl Into<String>) -> Self {
        Self(Exit::Usage, message.into())
    }
}

pub(crate) fn run(arguments: &Import, global: &Global) -> Exit {
    let (imported, output) = match arguments {
        Import::Arm(it) => (template(it), &it.output),
        Import::Openapi(it) => (specification(it), &it.output),
        Import::Apiops(it) => (folder(it), &it.output),
    };
    match imported.and_then(|it| write(&it, output).map(|()| it)) {
        Ok(imported) => report(&imported, output, global),
        Err(Stop(exit, message)) => {
            complain(&message);
            exit
        }
    }
}

fn read(path: &Path) -> Result<String, Stop> {
    fs::read_to_string(path).map_err(|problem| Stop::unreadable(path, &problem))
}

fn read_json(path: &Path) -> Result<Value, Stop> {
    if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("bicep")) {
        let message = "Bicep is compiled with `bicep build` first; import the JSON that it makes";
        return Err(Stop::unreadable(path, &message));
    }
    let text = read(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    serde_json::from_str(text)
        .map_err(|problem| Stop::unreadable(path, &format!("not valid JSON: {problem}")))
}

fn template(arguments: &TemplateImport) -> Result<Imported, Stop> {
    let template = read_json(&arguments.template)?;
    let mut problems = Vec::new();
    let mut parameters = Map::new();
    for path in &arguments.parameters {
        let (values, found) = arm::read_parameters(&read_json(path)?);
        parameters.extend(values);
        problems.extend(found);
    }
    for given in &arguments.parameter {
        let (name, text) = pair(given)?;
        let value = arm::parameter_of_text(&template, name, text).map_err(Stop::usage)?;
        parameters.insert(name.to_owned(), value);
    }
    // A secret that a file does not hold may have been given beside it.
    problems.retain(|it| match &it.missing {
        Some(Missing::Parameter(name)) => !parameters.contains_key(name),
        _ => true,
    });
    let inputs = Inputs {
        parameters,
        values: values(arguments)?,
        subscription: arguments.subscription.clone(),
        resource_group: arguments.resource_group.clone(),
        tenant: arguments.tenant.clone(),
        location: arguments.location.clone(),
        provider: PROVIDER.to_owned(),
    };
    let mut imported = exchange::from_template(arm::evaluate(&template, &inputs));
    imported.problems.splice(0..0, problems);
    Ok(imported)
}

/// What only a deployment knows.
fn values(arguments: &TemplateImport) -> Result<BTreeMap<String, Value>, Stop> {
    let mut values = BTreeMap::new();
    if let Some(path) = &arguments.values_file {
        let Value::Object(all) = read_json(path)? else {
            return Err(Stop::unreadable(path, &"expected a JSON object: a value for each call"));
        };
        values.extend(all);
    }
    for given in &arguments.values {
        // The call may hold an equals sign itself only in quotes that nobody writes.
        let (call, value) = pair(given)?;
        values.insert(call.to_owned(), value.into());
    }
    Ok(values)
}

fn pair(given: &str) -> Result<(&str, &str), Stop> {
    given.split_once('=').ok_or_else(|| Stop::usage(format!("`{given}`: expected NAME=VALUE")))
}

fn specification(arguments: &OpenApiImport) -> Result<Imported, Stop> {
    let choice = ApiChoice {
        name: arguments.name.clone(),
        path: arguments.path.clone(),
        service_url: arguments.service_url.clone(),
        subscription_required: !arguments.no_subscription,
        over_http: arguments.http,
    };
    Ok(exchange::from_specification(&read(&arguments.specification)?, &choice))
}

fn folder(arguments: &FolderImport) -> Result<Imported, Stop> {
    let (source, problems) = config::Source::read(&arguments.folder);
    if let Some(problem) = problems.first() {
        return Err(Stop::unreadable(&arguments.folder, &problem.message));
    }
    let files = source.files().map(|(name, text)| (name.to_string(), text.to_string()));
    Ok(exchange::from_folder(&files.collect()))
}

/// Writes the files, unless something could not be read: half a configuration serves nobody.
fn write(imported: &Imported, output: &Path) -> Result<(), Stop> {
    if !imported.problems.is_empty() {
        return Err(Stop(Exit::Findings, told(imported)));
    }
    if fs::read_dir(output).is_ok_and(|mut it| it.next().is_some()) {
        return Err(Stop(
            Exit::Unreadable,
            format!("{}: the folder is not empty", output.display()),
        ));
    }
    for (name, text) in &imported.files {
        let path: PathBuf = output.join(name);
        let parent = path.parent().unwrap_or(output);
        fs::create_dir_all(parent).map_err(|problem| Stop::unreadable(parent, &problem))?;
        fs::write(&path, text).map_err(|problem| Stop::unreadable(&path, &problem))?;
    }
    Ok(())
}

/// All problems, and the options that would mend them.
fn told(imported: &Imported) -> String {
    let mut text = String::from("nothing is written\n");
    let mut options: Vec<String> = Vec::new();
    for problem in &imported.problems {
        match problem.at.is_empty() {
            true => text.push_str(&format!("  {}\n", problem.message)),
            false => text.push_str(&format!("  {problem}\n")),
        }
        let option = match &problem.missing {
            Some(Missing::Parameter(name)) => format!("-p {name}=…"),
            Some(Missing::Value(call)) => format!("--value '{call}=…'"),
            None => continue,
        };
        if !options.contains(&option) {
            options.push(option);
        }
    }
    if !options.is_empty() {
        text.push_str(&format!("give what is missing:\n  {}\n", options.join("\n  ")));
    }
    text.truncate(text.trim_end().len());
    text
}

fn report(imported: &Imported, output: &Path, global: &Global) -> Exit {
    let n_files = imported.files.len();
    say(&format!("{n_files} files written to {}", output.display()));
    for note in &imported.notes {
        say(&format!("note: {note}"));
    }
    mention("what it can do here:");
    let paths = [output.to_owned()];
    let options = Options { environment: config::Environment::of_process(), ..Options::default() };
    block_on(validate::check(&paths, &options, global))
}
