//! `portcullis simulate`: the stand-ins alone.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use simulator::fault::Fault;
use simulator::{Ports, Seed, Simulator, StandIn, World};
use transport::SystemClock;

use super::{complain, say};
use crate::cli::{PortChoice, SeedFile, Simulate, SimulatedService};
use crate::exit::Exit;
use crate::local::{Folder, Ready};
use crate::signals;

pub(crate) fn run(arguments: &Simulate) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Remote;
        }
    };
    runtime.block_on(async {
        match start(arguments).await {
            Ok(_running) => signals::first().await,
            Err(error) => {
                complain(&error.to_string());
                Exit::Remote
            }
        }
    })
}

async fn start(arguments: &Simulate) -> std::io::Result<Simulator> {
    let folder = Folder::choose(arguments.data_dir.as_deref(), &arguments.ports)?;
    let mut seed = seed(&arguments.seed)?;
    for deployment in seed.deployments.values_mut() {
        deployment.tokens_per_minute = arguments.tpm.or(deployment.tokens_per_minute);
        deployment.requests_per_minute = arguments.rpm.or(deployment.requests_per_minute);
        let latency = arguments.token_latency.unwrap_or(deployment.latency_per_token_ms);
        deployment.latency_per_token_ms = latency;
    }
    let world = Arc::new(World::new(seed, Arc::new(SystemClock))?);
    let services = stand_ins(&arguments.services);
    if arguments.latency > 0 {
        for &service in &services {
            let fault = Fault { latency_ms: arguments.latency, ..Fault::default() };
            world.faults.set(service, fault);
        }
    }
    if let Some(file) = &arguments.faults {
        world.faults.script(StandIn::AzureOpenAi, read(file)?);
    }
    let ports = ports(&arguments.ports)?;
    let running = Simulator::start(world, &services, ports, &folder.authority()?).await?;
    let ready = Ready::stand_ins(running.addresses(), &running.world().seed, &folder);
    ready.write(&folder.addresses_file())?;
    if let Some(file) = &arguments.ready_file {
        ready.write(file)?;
    }
    say(&listing(&ready, running.world()));
    Ok(running)
}

/// What the stand-ins know: the usual, but for what a file says.
pub(crate) fn seed(asked: &SeedFile) -> io::Result<Seed> {
    asked.file.as_deref().map_or_else(|| Ok(Seed::default()), read)
}

fn read<T: DeserializeOwned>(file: &Path) -> io::Result<T> {
    let told = |problem: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {problem}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| told(&error))?;
    serde_json::from_str(&text).map_err(|error| told(&error))
}

/// The ports that were asked for.
pub(crate) fn ports(choice: &PortChoice) -> std::io::Result<Ports> {
    Ok(match choice {
        PortChoice::Fixed => Ports::FIXED,
        PortChoice::Ephemeral => Ports::default(),
        PortChoice::Same(file) => Ready::read(file)?.ports(),
    })
}

fn stand_ins(asked: &[SimulatedService]) -> Vec<StandIn> {
    if asked.is_empty() || asked.contains(&SimulatedService::All) {
        return StandIn::ALL.to_vec();
    }
    let wanted = |service| match service {
        StandIn::AzureOpenAi => SimulatedService::Aoai,
        StandIn::Entra => SimulatedService::Entra,
        StandIn::Imds => SimulatedService::Imds,
        StandIn::KeyVault => SimulatedService::Keyvault,
        StandIn::Mcp => SimulatedService::Mcp,
        StandIn::Cosmos => SimulatedService::Cosmos,
    };
    StandIn::ALL.into_iter().filter(|it| asked.contains(&wanted(*it))).collect()
}

/// The stand-ins' lines of the start banner.
pub(crate) fn listing(ready: &Ready, world: &World) -> String {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let mut lines = Vec::new();
    if let Some(url) = &ready.azure_openai {
        let deployments: Vec<&str> = world.seed.deployments.keys().map(String::as_str).collect();
        lines.push(format!("  Azure OpenAI {url:32} deployments: {}", deployments.join(", ")));
        lines.push(format!("  Safety       {url}/contentsafety"));
    }
    if let Some(url) = &ready.entra {
        let (tenant, client) = (text(&ready.tenant_id), text(&ready.client_id));
        lines.push(format!("  Entra ID     {url}/{tenant}"));
        lines.push(format!("               client {client} / {}", text(&ready.client_secret)));
    }
    if let Some(url) = &ready.imds {
        lines.push(format!("  IMDS         {url:32} App Service identity: /msi/token"));
    }
    if let Some(url) = &ready.key_vault {
        lines.push(format!("  Key Vault    {url}"));
    }
    if let Some(url) = &ready.mcp {
        lines.push(format!("  MCP server   {url}"));
    }
    if let Some(url) = &ready.cosmos {
        let containers: Vec<&str> = world.seed.containers.keys().map(String::as_str).collect();
        lines.push(format!("  Cosmos DB    {url:32} containers: {}", containers.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_means_everything() {
        assert_eq!(stand_ins(&[]), StandIn::ALL);
        assert_eq!(stand_ins(&[SimulatedService::Imds]), [StandIn::Imds]);
    }
}
