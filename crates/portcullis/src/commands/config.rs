//! `portcullis config push` and `pull`: between a folder and the database that gateways share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::files::{Change, Files, FolderFiles, Stored, Version, WriteError};
use config::{
    Engine, Environment, GatewaySettings, NoSecrets, Options, Origin, SETTINGS_FILE, Secrets,
    Source,
};
use document::render::Colours;
use replicas::DatabaseFiles;
use transport::Roots;

use super::run::block_on;
use super::{complain, say};
use crate::cli::{Config, Global, Pull, Push, Shared};
use crate::edges::offline_extensions;
use crate::exit::Exit;
use crate::serve::{report, settings, with_files};
use crate::{replica, terminal};

/// How long the database is waited for.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn run(command: &Config, global: &Global) -> Exit {
    let colours = terminal::colours(global.color);
    block_on(async {
        let done = match command {
            Config::Push(arguments) => push(arguments, colours).await,
            Config::Pull(arguments) => pull(arguments, colours).await,
        };
        done.err().unwrap_or(Exit::Success)
    })
}

async fn push(arguments: &Push, colours: Colours) -> Result<(), Exit> {
    let Push { shared, env } = arguments;
    let options = Options {
        environment_name: env.clone(),
        environment: Environment::of_process(),
        secrets: Secrets::Assume,
        ..Options::default()
    };
    let new = checked(&shared.folder, &options, colours).await?;
    let database = database(shared, &options, colours).await?;
    let old = database.read().await.map_err(|error| remote(&error))?;
    let changes = changes(&old.source, &new);
    write(&database, &changes, &old.version, shared.dry_run).await
}

async fn pull(arguments: &Pull, colours: Colours) -> Result<(), Exit> {
    let shared = &arguments.shared;
    let options = Options { environment: Environment::of_process(), ..Options::default() };
    let database = database(shared, &options, colours).await?;
    let new = database.read().await.map_err(|error| remote(&error))?;
    std::fs::create_dir_all(&shared.folder).map_err(|error| {
        complain(&format!("{}: {error}", shared.folder.display()));
        Exit::Unreadable
    })?;
    let folder = FolderFiles::new(&shared.folder);
    let Stored { source: old, version } = folder.read().await.map_err(|error| {
        complain(&error.to_string());
        Exit::Unreadable
    })?;
    let changes = changes(&old, &new.source);
    write(&folder, &changes, &version, shared.dry_run).await
}

/// The files of a folder, without errors.
async fn checked(folder: &Path, options: &Options, colours: Colours) -> Result<Source, Exit> {
    if !folder.is_dir() {
        complain(&format!("{}: no such folder", folder.display()));
        return Err(Exit::Unreadable);
    }
    let (source, unreadable) = Source::read(folder);
    let registry = pipeline::Registry::new(policies::ALL);
    let engine = Engine { registry: &registry, extensions: &offline_extensions() };
    let mut loaded = config::load(&source, options, &NoSecrets, engine).await;
    loaded.diagnostics.splice(0..0, unreadable);
    report(&loaded, colours);
    match loaded.counts().0 {
        0 => Ok(source),
        _ => Err(Exit::Findings),
    }
}

/// The database that the settings name, connected.
async fn database(
    shared: &Shared,
    options: &Options,
    colours: Colours,
) -> Result<DatabaseFiles, Exit> {
    let path: PathBuf =
        shared.settings.clone().unwrap_or_else(|| shared.folder.join(SETTINGS_FILE));
    if !path.is_file() {
        complain(&format!("{}: no such settings file", path.display()));
        return Err(Exit::Unreadable);
    }
    let (settings, folder): (GatewaySettings, _) =
        settings(&Origin::Path(path.clone()), options, colours).await?;
    let Some(store) = &settings.store else {
        complain(&format!("{} names no `store`", path.display()));
        return Err(Exit::Unreadable);
    };
    let roots = with_files(Roots::system(), &settings.tls.ca, folder.as_deref())?;
    let environment = &options.environment;
    let postgres = replica::connect(store, folder.as_deref(), &roots, environment, &NoSecrets);
    let files = DatabaseFiles::new(postgres.await?, None, None);
    files.open(WAIT).await.map_err(|error| remote(&error))?;
    Ok(files)
}

/// What makes the files of `old` those of `new`. Settings are each gateway's own.
fn changes(old: &Source, new: &Source) -> Vec<Change> {
    let shared = |source: &Source| -> Vec<(String, String)> {
        let files = source.files().filter(|(name, _)| &***name != SETTINGS_FILE);
        files.map(|(name, text)| (name.to_string(), text.to_string())).collect()
    };
    let gone = shared(old).into_iter().filter(|(name, _)| new.text(name).is_none());
    let gone = gone.map(|(name, _)| Change::Delete { name });
    let put = shared(new)
        .into_iter()
        .filter(|(name, text)| old.text(name).is_none_or(|it| **it != **text))
        .map(|(name, text)| Change::Put { name, text });
    gone.chain(put).collect()
}

async fn write(
    files: &dyn Files,
    changes: &[Change],
    expected: &Version,
    is_dry: bool,
) -> Result<(), Exit> {
    let n_gone = changes.iter().filter(|it| matches!(it, Change::Delete { .. })).count();
    let counted = format!("{} files written, {n_gone} removed", changes.len() - n_gone);
    if is_dry {
        for change in changes {
            let sign = if matches!(change, Change::Delete { .. }) { '-' } else { '+' };
            say(&format!("{sign} {}", change.name()));
        }
        return Ok(());
    }
    if changes.is_empty() {
        say("nothing to change");
        return Ok(());
    }
    match files.write(changes, expected).await {
        Ok(version) => {
            say(&format!("{counted}; version {version}"));
            Ok(())
        }
        Err(error @ WriteError::Conflict) => {
            complain(&format!("{error}; nothing was written"));
            Err(Exit::Findings)
        }
        Err(error) => Err(remote(&error)),
    }
}

fn remote(error: &dyn std::fmt::Display) -> Exit {
    complain(&error.to_string());
    Exit::Remote
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_and_settings_stay() {
        let of = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, text)| (name.to_string(), text.to_string()));
            Source::from_files(files)
        };
        let old = of(&[("a.xml", "1"), ("b.xml", "1"), ("c.xml", "1"), ("portcullis.yaml", "x")]);
        let new = of(&[("a.xml", "1"), ("b.xml", "2"), ("d.xml", "1")]);
        let shown: Vec<String> = changes(&old, &new).iter().map(|it| format!("{it:?}")).collect();
        assert_eq!(
            shown,
            [r#"Delete("c.xml")"#, r#"Put("b.xml", 1 bytes)"#, r#"Put("d.xml", 1 bytes)"#]
        );
        assert!(changes(&new, &new).is_empty());
    }
}
