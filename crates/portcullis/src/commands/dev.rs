//! `portcullis dev`: a configuration with stand-ins for Azure beside it.

use std::sync::Arc;
use std::time::Instant;

use config::{Environment, Options, Origin, Source};
use identity::IdentitySource;
use simulator::{LocalCa, Simulator, StandIn, World};
use transport::{HostMap, HostTarget, Secret, SystemClock};
use url::Url;

use super::run::{announce, banner, block_on, certificate, environment, options, ready};
use super::{complain, say, simulate};
use crate::cli::{Dev, Global, PortChoice};
use crate::example;
use crate::exit::Exit;
use crate::local::{Folder, Ready, port};
use crate::management::Local;
use crate::serve::{self, Defaults, Plan};
use crate::terminal;

/// The key of every subscription that has none, in `dev` only.
const LOCAL_KEY: &str = "local-key";

/// Host names of Entra ID.
const LOGIN_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.windows.net",
    "sts.windows.net",
];

pub(crate) fn run(arguments: &Dev, global: &Global) -> Exit {
    block_on(async {
        let started = Instant::now();
        let (simulator, folder, ca) = match stand_ins(arguments).await {
            Ok(it) => it,
            Err(error) => {
                complain(&error.to_string());
                return Exit::Remote;
            }
        };
        let stand_ins = Ready::stand_ins(simulator.addresses(), &simulator.world().seed, &folder);
        let plan = match plan(arguments, global, &simulator, &ca) {
            Ok(plan) => plan,
            Err(exit) => return exit,
        };
        let live = match serve::start(plan).await {
            Ok(live) => live,
            Err(exit) => return exit,
        };
        let gateway = ready(&live);
        let ready = Ready {
            gateway: gateway.gateway,
            gateway_tls: gateway.gateway_tls,
            admin: gateway.admin,
            management: gateway.management,
            subscription_key: Some(LOCAL_KEY.to_owned()),
            ..stand_ins
        };
        let announced = announce(&arguments.serve, &ready);
        if let Err(error) = ready.write(&folder.addresses_file()) {
            complain(&format!("{}: {error}", folder.addresses_file().display()));
            return Exit::Unreadable;
        }
        if let Err(exit) = announced {
            return exit;
        }
        let what = arguments.path.as_ref().map(|it| it.display().to_string());
        say(&banner(&live, what.as_deref().unwrap_or("the built-in example"), started));
        say(&simulate::listing(&ready, simulator.world()));
        say(&hints(&ready, arguments.path.is_none(), &folder));
        live.until_stopped().await
    })
}

async fn stand_ins(arguments: &Dev) -> std::io::Result<(Simulator, Folder, LocalCa)> {
    let folder = Folder::choose(arguments.data_dir.as_deref(), &arguments.ports)?;
    let ca = folder.authority()?;
    let world = Arc::new(World::new(simulate::seed(&arguments.seed)?, Arc::new(SystemClock))?);
    let ports = simulate::ports(&arguments.ports)?;
    let simulator = Simulator::start(world, &StandIn::ALL, ports, &ca).await?;
    Ok((simulator, folder, ca))
}

fn plan(
    arguments: &Dev,
    global: &Global,
    simulator: &Simulator,
    ca: &LocalCa,
) -> Result<Plan, Exit> {
    let told = |error: &dyn std::fmt::Display| {
        complain(&error.to_string());
        Exit::Remote
    };
    let origin = match &arguments.path {
        Some(path) => Origin::Path(path.clone()),
        None => Origin::Memory(Source::from_files(example::FILES.iter().copied())),
    };
    let environment = environment(&arguments.serve)?;
    let mut options = options(&arguments.serve, environment.clone())?;
    options.keys = local_keys(&origin, &options, &environment);
    // The stand-in, whatever the shell's variables say: they may point at another one.
    let base = Url::parse("http://169.254.169.254").map_err(|error| told(&error))?;
    let mut serve = arguments.serve.clone();
    let choose = |asked: &Option<String>, fixed: u16, earlier: Option<u16>| {
        let port = earlier.unwrap_or(match arguments.ports {
            PortChoice::Ephemeral => 0,
            _ => fixed,
        });
        asked.clone().or_else(|| Some(format!("127.0.0.1:{port}")))
    };
    let earlier = match &arguments.ports {
        PortChoice::Same(file) => Some(Ready::read(file).map_err(|error| told(&error))?),
        _ => None,
    };
    let at =
        |url: fn(&Ready) -> &Option<String>| earlier.as_ref().map(|it| port(url(it).as_deref()));
    serve.listen = choose(&serve.listen, 8080, at(|it| &it.gateway));
    serve.tls_listen = choose(&serve.tls_listen, 8443, at(|it| &it.gateway_tls));
    serve.admin = choose(&serve.admin, 8081, at(|it| &it.admin));
    let seed = &simulator.world().seed;
    let entra = simulator.addresses().entra;
    let local = entra.map(|at| Local {
        tenant_id: seed.tenant_id.clone(),
        login_endpoint: format!("https://localhost:{}", at.port()),
    });
    Ok(Plan {
        origin,
        options,
        serve,
        identity: IdentitySource::Imds { base },
        hosts: hosts(simulator, ca).map_err(|error| told(&error))?,
        certificate: Some(certificate(ca).map_err(|error| told(&error))?),
        local,
        defaults: Defaults::default(),
        watch: true,
        colours: terminal::colours(global.color),
    })
}

/// Azure's host names lead to the stand-ins.
fn hosts(simulator: &Simulator, ca: &LocalCa) -> Result<HostMap, transport::HostMapError> {
    let at = simulator.addresses();
    let mut hosts = HostMap::new();
    let trusted = |address: std::net::SocketAddr| -> Result<HostTarget, transport::HostMapError> {
        HostTarget::new(address.to_string())?.with_ca_pem(ca.certificate_pem().as_bytes())
    };
    if let Some(address) = at.entra {
        for name in LOGIN_HOSTS {
            hosts.insert(name, trusted(address)?)?;
        }
    }
    if let Some(address) = at.key_vault {
        hosts.insert("*.vault.azure.net", trusted(address)?)?;
    }
    if let Some(address) = at.imds {
        hosts.insert("169.254.169.254", HostTarget::new(address.to_string())?)?;
    }
    if let Some(address) = at.azure_openai {
        let plain = || Ok(HostTarget::new(address.to_string())?.with_tls(false));
        hosts.insert("*.openai.azure.com", plain()?)?;
        hosts.insert("*.cognitiveservices.azure.com", plain()?)?;
    }
    if let Some(address) = at.cosmos {
        let plain = HostTarget::new(address.to_string())?.with_tls(false);
        hosts.insert("*.documents.azure.com", plain)?;
    }
    Ok(hosts)
}

/// `local-key` for every subscription that has no key of its own.
fn local_keys(
    origin: &Origin,
    options: &Options,
    environment: &Environment,
) -> Vec<(String, Secret)> {
    let source = match origin {
        Origin::Path(path) => Source::read(path).0,
        Origin::Memory(source) => source.clone(),
        Origin::Files(_) => return Vec::new(),
    };
    let (parsed, _) = config::parse(&source, options);
    parsed
        .entities
        .subscriptions
        .iter()
        .filter(|it| it.primary.is_none() && it.secondary.is_none())
        .filter(|it| environment.key(&it.id).is_none())
        .filter(|it| !parsed.settings.keys.iter().any(|key| key.subscription == it.id))
        .map(|it| (it.id.clone(), Secret::new(LOCAL_KEY)))
        .collect()
}

/// What to type next.
fn hints(ready: &Ready, is_example: bool, folder: &Folder) -> String {
    let gateway = ready.gateway.as_deref().unwrap_or_default();
    let program = std::env::args().next().unwrap_or_else(|| "portcullis".to_owned());
    let data =
        if folder.is_usual() { String::new() } else { format!(" --data-dir {}", folder.display()) };
    let mut lines = vec![format!("  CA           {}", folder.ca_file().display()), String::new()];
    lines.push(format!("Point your app here:   eval \"$({program} env{data})\""));
    if !is_example {
        return lines.join("\n");
    }
    lines.push("Try:".to_owned());
    for (api, needs_token) in example::APIS {
        let credential = if *needs_token {
            format!("-H \"Authorization: Bearer $({program} token mint)\"")
        } else {
            format!("-H 'api-key: {LOCAL_KEY}'")
        };
        lines.push(format!(
            "  curl -s '{gateway}/{api}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21' \
             {credential} -H 'Content-Type: application/json' \
             -d '{{\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'"
        ));
    }
    lines.join("\n")
}
