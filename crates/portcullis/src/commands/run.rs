//! `portcullis run`: serve a configuration.

use std::path::Path;
use std::time::Instant;

use config::{Environment, Options, Origin};
use identity::IdentitySource;
use simulator::LocalCa;
use transport::{HostMap, Secret, TlsIdentity};

use super::{complain, say};
use crate::cli::{Global, Run, Serve};
use crate::exit::Exit;
use crate::local::Ready;
use crate::serve::{self, Defaults, Live, Plan};
use crate::terminal;

pub(crate) fn run(arguments: &Run, global: &Global) -> Exit {
    block_on(async {
        let plan = match plan(arguments, global) {
            Ok(plan) => plan,
            Err(exit) => return exit,
        };
        if arguments.dry_run {
            let paths = [arguments.path.clone()];
            return super::validate::check(&paths, &plan.options, global).await;
        }
        let started = Instant::now();
        match serve::start(plan).await {
            Ok(live) => {
                let ready = ready(&live);
                if let Err(exit) = announce(&arguments.serve, &ready) {
                    return exit;
                }
                say(&banner(&live, &arguments.path.display().to_string(), started));
                live.until_stopped().await
            }
            Err(exit) => exit,
        }
    })
}

/// Runs a command on the control runtime, which is this thread.
pub(crate) fn block_on(work: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Remote
        }
    }
}

fn plan(arguments: &Run, global: &Global) -> Result<Plan, Exit> {
    let environment = environment(&arguments.serve)?;
    let lookup = environment.clone();
    let identity = identity::Environment::new(move |name| lookup.get(name).map(str::to_owned));
    let identity = IdentitySource::from_environment(identity).map_err(|problem| {
        complain(&problem.to_string());
        Exit::Unreadable
    })?;
    let certificate = arguments.tls_dev.then(development_certificate).transpose()?;
    let defaults = Defaults {
        listen: Some(":8080".to_owned()),
        tls_listen: arguments.tls_dev.then(|| ":8443".to_owned()),
        admin: Some("127.0.0.1:8081".to_owned()),
    };
    Ok(Plan {
        origin: Origin::Path(arguments.path.clone()),
        options: options(&arguments.serve, environment)?,
        serve: arguments.serve.clone(),
        identity,
        hosts: HostMap::new(),
        certificate,
        local: None,
        defaults,
        watch: arguments.watch,
        colours: terminal::colours(global.color),
    })
}

fn development_certificate() -> Result<TlsIdentity, Exit> {
    LocalCa::generate().and_then(|ca| certificate(&ca)).map_err(|error| {
        complain(&error.to_string());
        Exit::Remote
    })
}

/// A certificate of the local authority for the gateway.
pub(crate) fn certificate(ca: &LocalCa) -> std::io::Result<TlsIdentity> {
    let (chain, key) = ca.issue(&[])?;
    Ok(TlsIdentity::new(chain, key))
}

/// The variables of the process, and those of `--env-file` below them.
pub(crate) fn environment(serve: &Serve) -> Result<Environment, Exit> {
    let mut environment = Environment::of_process();
    let Some(file) = &serve.env_file else { return Ok(environment) };
    let text = std::fs::read_to_string(file).map_err(|error| {
        complain(&format!("{}: {error}", file.display()));
        Exit::Unreadable
    })?;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            complain(&format!("{}:{}: a line is NAME=value", file.display(), number + 1));
            return Err(Exit::Unreadable);
        };
        if environment.get(name.trim()).is_none() {
            environment.set(name.trim(), value.trim().trim_matches('"'));
        }
    }
    Ok(environment)
}

/// What the command line says about the configuration.
pub(crate) fn options(serve: &Serve, environment: Environment) -> Result<Options, Exit> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            // The text itself may be a secret: it is not repeated.
            complain("--named-value and --set take NAME=VALUE");
            Exit::Usage
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let named_values: Vec<(String, String)> =
        serve.named_values.iter().map(pair).collect::<Result<_, Exit>>()?;
    Ok(Options {
        environment_name: serve.env.clone(),
        environment,
        set: serve.set.iter().map(pair).collect::<Result<_, Exit>>()?,
        named_values: named_values.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
        ..Options::default()
    })
}

/// Where a gateway listens.
pub(crate) fn ready(live: &Live) -> Ready {
    let url = |scheme: &str, at: Option<std::net::SocketAddr>| {
        at.map(|it| format!("{scheme}://localhost:{}", it.port()))
    };
    Ready {
        gateway: url("http", live.gateway),
        gateway_tls: url("https", live.gateway_tls),
        admin: url("http", live.admin),
        management: url("https", live.management),
        ..Ready::default()
    }
}

/// Writes the ready file and the process identifier, if asked to.
pub(crate) fn announce(serve: &Serve, ready: &Ready) -> Result<(), Exit> {
    let told = |file: &Path, outcome: std::io::Result<()>| {
        outcome.map_err(|error| {
            complain(&format!("{}: {error}", file.display()));
            Exit::Unreadable
        })
    };
    if let Some(file) = &serve.pid_file {
        told(file, std::fs::write(file, format!("{}\n", std::process::id())))?;
    }
    if let Some(file) = &serve.ready_file {
        told(file, ready.write(file))?;
    }
    Ok(())
}

/// The first lines of the start banner.
pub(crate) fn banner(live: &Live, what: &str, started: Instant) -> String {
    let summary = live.loaded.summary;
    let ready = ready(live);
    let mut lines = vec![format!(
        "portcullis {}  {what}  ({} APIs, {} operations, {} policies; ready in {} ms)",
        env!("CARGO_PKG_VERSION"),
        summary.n_apis,
        summary.n_operations,
        summary.n_policies,
        started.elapsed().as_millis(),
    )];
    let gateways: Vec<String> = [ready.gateway, ready.gateway_tls].into_iter().flatten().collect();
    lines.push(format!("  gateway      {}", gateways.join("   ")));
    lines.extend(ready.admin.map(|it| format!("  admin        {it}")));
    lines.extend(ready.management.map(|it| format!("  management   {it}")));
    lines.join("\n")
}
